"""The truth against the pipeline: two ways to the same figures that share no code."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.directory_row import DirectoryRows
from schemas.pseudonym import Key, Pseudonyms
from sinks.base import Level
from sinks.memory import MemoryStore
from streams.batch import Batch
from streams.directory.snapshot import Directory
from streams.pipeline import Keys, Limits, Work, process
from streams.simulator.faults import Faults
from streams.simulator.malformed import VARIETIES
from streams.simulator.simulation import Record, Simulation
from streams.simulator.truth import TABLES, Truth

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 11, 16)
KEYS = Keys(Pseudonyms(Key(b"a key for pseudonyms, 32 bytes at least")), Key(b"a key for event ids, 32 bytes at least"))
MANY = Faults(0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.02, 0.1)


def simulated(directory: DirectoryRows, seed: int, scale: float, faults: Faults) -> tuple[list[Record], Truth]:
    """Monday and a part of Tuesday."""
    simulation = Simulation(directory, seed, scale, faults)
    until = datetime.combine(MONDAY + timedelta(days=1), datetime.min.time(), PARIS) + timedelta(hours=10)
    return [record for chunk in simulation.history(MONDAY, until) for record in chunk], simulation.truth


def worked(records: list[Record], directory: DirectoryRows) -> tuple[Work, MemoryStore]:
    """The same records through the pipeline, into a store whose windows were recomputed."""
    logs = defaultdict(list)
    for record in records:
        logs[record.topic].append(record)
    batches = [
        Batch(
            topic,
            0,
            0,
            len(log),
            [record.value for record in log],
            [record.key for record in log],
            [record.timestamp_ms for record in log],
            0,
            headers=[record.headers or () for record in log],
        )
        for topic, log in logs.items()
    ]
    work = process(batches, Directory(1, directory), KEYS, dict.fromkeys(logs, 1), Limits())
    store = MemoryStore()
    store.insert(work.shipment)
    store.recompute(Level.MINUTE, work.minutes)
    store.recompute(Level.HOUR, {minute // 3600 * 3600 for minute in work.minutes})
    days = {datetime.fromtimestamp(minute, PARIS).date() for minute in work.minutes}
    store.recompute(Level.DAY, {(day - date(1970, 1, 1)).days for day in days})
    return work, store


RATES = st.sampled_from([0.0, 0.02, 0.2])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), faults=st.builds(Faults, *[RATES] * 8))
def test_the_pipeline_comes_to_the_truth(few_schools: DirectoryRows, seed: int, faults: Faults) -> None:
    """Every cell of every window and every count, whatever goes wrong on the way."""
    records, truth = simulated(few_schools, seed, 0.15, faults)
    work, store = worked(records, few_schools)
    for table in TABLES:
        assert truth.differences(table, store.window(table)) == []
    counts = truth.counts()
    shipment = work.shipment
    assert counts["rejected"] == dict(Counter(shipment.dead_letters["reason"]))
    assert sum(counts["dropped"].values()) == (shipment.dropped["next"] - shipment.dropped["first"]).sum()
    assert counts["accepted"] == shipment.events["event_id"].n_unique()
    assert counts["accepted"] + counts["duplicates"] == len(shipment.events)
    distinct = shipment.events.unique("event_id")
    assert counts["unmapped_schools"] == (distinct["uai"] == "unmapped").sum()
    assert counts["unmapped_classes"] == (distinct["class_id"] == "unmapped").sum()


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_produced_comes_to_one_end(few_schools: DirectoryRows, seed: int) -> None:
    """produced = accepted + duplicates + rejected + dropped."""
    records, truth = simulated(few_schools, seed, 0.2, MANY)
    counts = truth.counts()
    ends = (
        counts["accepted"] + counts["duplicates"] + sum(counts["rejected"].values()) + sum(counts["dropped"].values())
    )
    assert counts["produced"] == len(records) == ends


def test_every_variety_of_malformed_record_is_sent(few_schools: DirectoryRows) -> None:
    """So that each reason is met."""
    _, truth = simulated(few_schools, 1, 0.2, MANY)
    assert truth.counts()["rejected"].keys() == {"empty", *(variety.reason.value for variety in VARIETIES)}


def test_without_faults_nothing_is_refused_or_unmapped(few_schools: DirectoryRows) -> None:
    """All that is produced is accepted."""
    records, truth = simulated(few_schools, 1, 0.2, Faults())
    assert truth.counts() == {
        "produced": len(records),
        "accepted": len(records),
        "duplicates": 0,
        "rejected": {},
        "dropped": {},
        "unmapped_schools": 0,
        "unmapped_classes": 0,
    }


def test_the_same_happens_with_and_without_faults_of_transport(few_schools: DirectoryRows) -> None:
    """Duplicates, lateness and disorder change no window of a day that is over."""
    monday = (MONDAY - date(1970, 1, 1)).days
    cells = []
    for faults in (Faults(), Faults(duplicates=0.2, disorder=0.2, malformed=0.1, ignored=0.1, tombstones=0.1)):
        _, truth = simulated(few_schools, 1, 0.2, faults)
        cells.append({key: cell for key, cell in truth.cells("usage_by_day").items() if key[0] == monday})
    assert cells[0] == cells[1]


def test_the_truth_counts_what_was_handed_out_and_nothing_else(few_schools: DirectoryRows) -> None:
    """A simulation that has drawn its day and handed out nothing has no truth yet."""
    simulation = Simulation(few_schools, 1)
    history = simulation.history(MONDAY, datetime.combine(MONDAY, datetime.max.time(), PARIS))
    assert simulation.truth.counts()["produced"] == 0
    first = next(history)
    assert simulation.truth.counts()["produced"] == len(first)


def test_accepted_since_is_kept_up_to_date(few_schools: DirectoryRows) -> None:
    """It equals the sum of the minutes from then on, asked before and after more was handed out."""
    simulation = Simulation(few_schools, 1, 0.3, MANY)
    nine = datetime.combine(MONDAY, datetime.min.time(), PARIS) + timedelta(hours=9)
    minute = int(nine.timestamp())
    for hours in (1, 2, 5):
        for _ in simulation.history(MONDAY, nine + timedelta(hours=hours)):
            told = simulation.truth.accepted_since(minute)
            cells = simulation.truth.cells("usage_by_minute")
            assert told == sum(cell[1] for key, cell in cells.items() if key[0] >= minute)
    assert told > 0


def test_differences_name_what_is_wrong(few_schools: DirectoryRows) -> None:
    """A missing, a wrong and a surplus cell; cells without events are none."""
    _, truth = simulated(few_schools, 1, 0.1, Faults())
    rows = [(*key, *cell) for key, cell in truth.cells("usage_by_hour").items()]
    assert truth.differences("usage_by_hour", [*rows, (0, "x", "", "eleve", "login", 0, 0, 0, 0)]) == []
    wrong = (*rows[1][:-1], rows[1][-1] + 1)
    surplus = (0, "x", "", "eleve", "login", 1, 1, 0, 1)
    told = truth.differences("usage_by_hour", [surplus, wrong, *rows[2:]])
    assert len(told) == 3
    assert "should be None" in told[0]
    assert any("is None" in difference for difference in told)
    assert len(truth.differences("usage_by_hour", [])) == 20


def test_an_unknown_table_is_refused(few_schools: DirectoryRows) -> None:
    """The message lists those that there are."""
    with pytest.raises(ValueError, match="usage_by_minute"):
        Truth().cells("usage_by_week")
