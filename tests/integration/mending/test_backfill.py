"""History from files, through the lane of its own: it arrives whole, once, and may be repeated at will."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard

from streams.topics import BACKFILL, Lane
from tests.integration.mending.conftest import Town, login

pytestmark = pytest.mark.timeout(180)  # with the start of the town, on a busy machine

LAST_WEEK = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=7)
SCHOOL = "0680099X"


def entcore(number: int, at: datetime) -> bytes:
    """A login as entcore writes it."""
    document = {"event-type": "LOGIN", "module": "Auth", "date": int(at.timestamp() * 1000) + number}
    return json.dumps(document | {"userId": f"e-{number}", "profil": "Teacher", "structures": ["str-b"]}).encode()


def history(days: int, of_each: int) -> list[bytes]:
    return [
        login(f"h-{day}-{n}", LAST_WEEK - timedelta(days=day, seconds=-n), SCHOOL)
        for day in range(days)
        for n in range(of_each)
    ]


def test_files_of_every_kind_arrive_once_however_often_they_are_sent(town: Town, tmp_path: Path) -> None:
    """Plain, gzip and zstd; canonical, entcore and broken; then again, and again with --again."""
    feed = history(days=3, of_each=40)
    plain, packed, squeezed = tmp_path / "a.ndjson", tmp_path / "b.ndjson.gz", tmp_path / "c.ndjson.zst"
    plain.write_bytes(b"\n".join(feed[:50]) + b"\n\n")
    packed.write_bytes(gzip.compress(b"\r\n".join([*feed[40:90], b"{broken"])))
    squeezed.write_bytes(
        b"".join(
            zstandard.ZstdCompressor().compress(b"\n".join(part) + b"\n")
            for part in (feed[90:], [entcore(n, LAST_WEEK) for n in range(5)])
        )
    )
    files = [str(path) for path in (plain, packed, squeezed)]
    before = len(town.query("SELECT offset FROM ent.v_dead_letters WHERE topic = 'ent.backfill.v1'"))
    first = town.ent("backfill", *files)
    assert first.returncode == 0, first.stderr
    assert "51 lines, 100%" in first.stderr
    town.wait_counted()
    expected = town.days("unmapped")
    assert sum(expected.values()) >= 125
    events = town.query(f"SELECT count() FROM ent.v_events WHERE school = '{SCHOOL}'")
    assert events == [(120,)]
    assert town.query("SELECT count() FROM ent.v_events WHERE format = 'entcore' AND school = 'str-b'") == [(5,)]
    letters = town.query("SELECT offset FROM ent.v_dead_letters WHERE topic = 'ent.backfill.v1'")
    assert len(letters) == before + 1

    second = town.ent("backfill", *files)
    assert second.stderr.count("were sent before") == 3
    third = town.ent("backfill", "--again", *files)
    assert third.returncode == 0, third.stderr
    town.wait_counted()
    assert town.days("unmapped") == expected
    assert town.query(f"SELECT count() FROM ent.v_events WHERE school = '{SCHOOL}'") == events
    assert all(line.closes for line in town.store.ledger())


def test_a_file_that_is_cut_says_so_and_what_was_whole_is_there(town: Town, tmp_path: Path) -> None:
    packed = tmp_path / "cut.ndjson.gz"
    packed.write_bytes(gzip.compress(b"\n".join(history(1, 10)))[:-20])
    answer = town.ent("backfill", str(packed))
    assert answer.returncode == 2
    assert "damaged or cut" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_today_does_not_wait_for_history(town: Town) -> None:
    """An event of now is counted while thousands of old ones, each alone in its minute, wait on their lane."""
    school = "0689901T"  # one that the directory knows
    feed = [login(f"y-{n}", LAST_WEEK - timedelta(minutes=7 * n), "0680093R") for n in range(2_000)]
    town.send(*feed, topic=BACKFILL)
    with closing(town.scene.committed(Lane.BACKFILL)) as position:
        town.send(login("today", datetime.now(UTC), school, profile="academie"))
        today = f"SELECT count() FROM ent.v_usage_by_minute WHERE uai = '{school}' AND profile = 'academie'"
        town.wait(lambda: town.query(today) == [(1,)])
        assert position.behind(len(feed)) > 0
    town.wait_counted(Lane.BACKFILL)
    assert town.query("SELECT count() FROM ent.v_events WHERE school = '0680093R'") == [(len(feed),)]
