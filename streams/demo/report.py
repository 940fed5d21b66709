"""What a demonstration found, against the simulator's own truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sinks.base import Level
from sinks.clickhouse.store import ClickHouseStore
from sinks.clickhouse.windows import FAMILIES
from streams.simulator.truth import Truth

TABLES: Final = tuple(f"{family}_by_{level}" for family in FAMILIES for level in Level)


def compare_windows(store: ClickHouseStore, truth: Truth) -> list[str]:
    """Every cell of every window table that is not as the truth says, in words."""
    return [
        f"{table}: {difference}" for table in TABLES for difference in truth.differences(table, store.window(table))
    ]


def compare_counts(found: Mapping[str, Any], counts: Mapping[str, Any]) -> list[str]:
    """What of the ledger's totals is not as the truth says, in words."""
    expected = {
        "produced": counts["produced"],
        "consumed": counts["produced"],
        "stored": counts["accepted"],
        "duplicates": counts["duplicates"],
        "rejected": counts["rejected"],
        "dropped": counts["dropped"],
    }
    return [
        f"{name} is {found[name]} and should be {value}" for name, value in expected.items() if found[name] != value
    ]


def totals(store: ClickHouseStore, produced: int) -> dict[str, Any]:
    """The ledger in one line."""
    lines = store.ledger()
    consumed = sum(line.consumed for line in lines)
    return {
        "produced": produced,
        "consumed": consumed,
        "stored": sum(line.stored for line in lines),
        "duplicates": sum(line.duplicate for line in lines),
        "rejected": store.count("rejected"),
        "dropped": store.count("dropped"),
        "ledger_balanced": consumed == produced and all(line.closes for line in lines),
    }
