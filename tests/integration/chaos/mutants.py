"""Workers with one thing wrong each, which the harness must catch: `python -m tests.integration.chaos.mutants NAME`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import replace

from sinks.base import Level, RowsRefused, Shipment, StoreUnavailable
from sinks.clickhouse import store as clickhouse
from sinks.clickhouse import windows as statements
from streams.transport.positions import Partition
from streams.windows import Stored, Windows


def acknowledge_early() -> None:
    """Batches are acknowledged when they are stored, before their windows are."""
    add = Windows.add

    def add_acknowledged(self: Windows, stored: Stored) -> None:
        stored.acknowledge()
        add(self, replace(stored, acknowledge=lambda: None))

    Windows.add = add_acknowledged  # type: ignore[method-assign]


def commit_ahead() -> None:
    """What was delivered counts as acknowledged."""
    Partition.acknowledged = lambda self: self.expected  # type: ignore[method-assign]


def write_no_zeros() -> None:
    """Cells that lost their events are left as they were."""
    whole = statements._from_events

    def without_zeros(database: str, family: str, literals: str) -> str:
        statement = whole(database, family, literals)
        head, union, tail = statement.partition("UNION ALL")
        assert union, "the mutant finds nothing to leave out"
        return head + tail[tail.index(")\nGROUP BY") :]

    statements._from_events = without_zeros


def use_constant_version() -> None:
    """All passes have the same version: the last one to write wins, whatever it read."""
    _change_passes(lambda statement: statement.replace("{version:UInt64}", "toUInt64(1)"))


def read_without_final() -> None:
    """Passes count every stored row, also those that another one replaces."""
    _change_passes(lambda statement: statement.replace(" FINAL", ""))


def swallow_refusals() -> None:
    """An insert that the database refuses counts as done."""
    insert = clickhouse.ClickHouseStore.insert

    def insert_or_not(self: clickhouse.ClickHouseStore, shipment: Shipment) -> None:
        try:
            insert(self, shipment)
        except (StoreUnavailable, RowsRefused):
            return

    clickhouse.ClickHouseStore.insert = insert_or_not  # type: ignore[method-assign]


def _change_passes(change: Callable[[str], str]) -> None:
    passes = statements.passes

    def changed(database: str, level: Level, slices: Collection[int]) -> list[str]:
        before = passes(database, level, slices)
        after = [change(one) for one in before]
        assert after != before, "the mutant finds nothing to change"
        return after

    clickhouse.passes = changed  # type: ignore[attr-defined]


MUTANTS = {
    mutant.__name__: mutant
    for mutant in (
        acknowledge_early,
        commit_ahead,
        write_no_zeros,
        use_constant_version,
        read_without_final,
        swallow_refusals,
    )
}


def main() -> None:
    """Become the mutant that is named first, then a worker with the other arguments."""
    MUTANTS[sys.argv.pop(1)]()
    from streams.commands import main as ent

    sys.argv[1:1] = ["worker"]
    ent()


if __name__ == "__main__":
    main()
