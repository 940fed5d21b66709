"""A rolling upgrade: the tables of the next version come while a worker works, and another worker joins it on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from streams.chaos.verification import Findings
from streams.simulator.mulhouse import EXAMPLE
from tests.integration.chaos.rig import scenario
from tests.next_version import widen

pytestmark = pytest.mark.timeout(240)


def test_workers_on_both_sides_of_a_migration_agree(tmp_path: Path, database: EmbeddedDatabase) -> None:
    with scenario(tmp_path, database, workers=2) as play:
        play.desk.put_in_force(EXAMPLE)
        before, after = play.desk.workers
        before.start()
        play.wait(lambda: before.ready, "it has partitions")
        half = len(play.records) // 2
        play.produce(play.records[:half])
        play.wait(lambda: any(play.committed().values()), "it is at work")
        widen(play.client, play.desk.name)
        after.start()
        play.wait(lambda: after.ready, "the other one has partitions")
        play.produce(play.records[half:])
        play.wait_until_committed()
        assert play.verify() == Findings()
        assert before.ended_by_itself == after.ended_by_itself == 0
