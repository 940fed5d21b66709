"""What a simulation hands out, and when."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.directory_row import DirectoryRows
from streams.simulator.calendar import FIRST_KNOWN_DAY, CalendarEndedError
from streams.simulator.faults import Faults
from streams.simulator.simulation import Record, Simulation

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 11, 16)
MANY = Faults(0.05, 0.1, 0.1, 0.02, 0.02, 0.02, 0.01, 0.05)


def at(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=PARIS)


def flat(chunks: Iterable[list[Record]]) -> list[Record]:
    return [record for chunk in chunks for record in chunk]


def test_one_seed_makes_the_same_records(few_schools: DirectoryRows) -> None:
    """And another seed makes others."""
    one, same, other = (
        flat(Simulation(few_schools, seed, 0.1, MANY).history(MONDAY, at(MONDAY + timedelta(days=1))))
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_a_simulation_that_starts_in_the_middle_sends_the_same_records(few_schools: DirectoryRows) -> None:
    """From any day on, late ones of the day before and duplicates included."""
    end = at(MONDAY + timedelta(days=4))
    whole = flat(Simulation(few_schools, 1, 0.1, MANY).history(MONDAY, end))
    for days in (1, 2, 3):
        start = MONDAY + timedelta(days=days)
        later = flat(Simulation(few_schools, 1, 0.1, MANY).history(start, end))
        since_ms = at(start).timestamp() * 1000
        assert later == [record for record in whole if record.timestamp_ms >= since_ms]


def test_records_come_in_the_order_of_their_arrival_and_within_the_span(few_schools: DirectoryRows) -> None:
    """Up to a moment in the middle of a day."""
    until = at(MONDAY + timedelta(days=1), 11)
    arrivals = [r.timestamp_ms for r in flat(Simulation(few_schools, 1, 0.1, MANY).history(MONDAY, until))]
    assert arrivals == sorted(arrivals)
    assert at(MONDAY).timestamp() * 1000 <= arrivals[0]
    assert arrivals[-1] < until.timestamp() * 1000


def test_going_on_live_loses_and_repeats_nothing(few_schools: DirectoryRows) -> None:
    """History until a moment that is no whole millisecond, then many uneven steps over midnight."""
    turn = at(MONDAY, 20) + timedelta(microseconds=123_457)
    end = at(MONDAY + timedelta(days=1), 12)
    live = Simulation(few_schools, 1, 0.2, MANY)
    records = flat(live.history(MONDAY, turn))
    moment, step = turn, timedelta(seconds=97, microseconds=333_333)
    while moment < end:
        after = min(moment + step, end)
        records += live.due(moment, after)
        moment = after
    whole = Simulation(few_schools, 1, 0.2, MANY)
    assert records == flat(whole.history(MONDAY, end))
    assert live.truth.to_json() == whole.truth.to_json()


def test_late_events_arrive_up_to_a_day_after_their_time(few_schools: DirectoryRows) -> None:
    """Minutes to a day; without that fault all arrive within a second."""
    late = Simulation(few_schools, 1, 0.2, Faults(late=0.2))
    prompt = Simulation(few_schools, 1, 0.2)
    end = at(MONDAY + timedelta(days=1))
    delays_s = [sorted(_delays_s(flat(one.history(MONDAY, end)))) for one in (late, prompt)]
    assert delays_s[0][-1] > 3 * 3600
    assert delays_s[0][-1] < 86_400 + 1
    assert delays_s[1][-1] < 1


def test_disorder_lets_later_events_overtake(few_schools: DirectoryRows) -> None:
    """By seconds, not by minutes."""
    simulation = Simulation(few_schools, 1, 0.2, Faults(disorder=0.2))
    delays_s = _delays_s(flat(simulation.history(MONDAY, at(MONDAY + timedelta(days=1)))))
    assert 0.1 < sum(delay > 2 for delay in delays_s) / len(delays_s) < 0.3
    assert max(delays_s) < 62


def test_duplicates_are_the_same_records_again_some_of_them_elsewhere(few_schools: DirectoryRows) -> None:
    """The same bytes under the same key, later."""
    simulation = Simulation(few_schools, 1, 0.2, Faults(duplicates=0.1))
    records = flat(simulation.history(MONDAY, at(MONDAY + timedelta(days=1))))
    times = Counter((record.topic, record.key, record.value, record.headers) for record in records)
    assert set(times.values()) == {1, 2}
    assert sum(count == 2 for count in times.values()) == simulation.truth.counts()["duplicates"]
    assert any(record.partition_hint == 0 for record in records)


def test_only_the_present_day_costs_anything(few_schools: DirectoryRows) -> None:
    """A day that was drawn is kept: the same span again gives the same records."""
    simulation = Simulation(few_schools, 1, 0.2)
    morning = at(MONDAY, 8), at(MONDAY, 9)
    assert simulation.due(*morning) == simulation.due(*morning)
    assert simulation.truth.counts()["duplicates"] == simulation.truth.counts()["accepted"]


def test_user_ids_are_numbers(few_schools: DirectoryRows) -> None:
    """No names anywhere: raw ids like u-000123."""
    records = flat(Simulation(few_schools, 1, 0.1).history(MONDAY, at(MONDAY + timedelta(days=1))))
    users = {user for r in records for user in re.findall(rb'"(?:user|userId|sender)":"([^"]*)"', r.value or b"")}
    assert len(users) > 100
    assert all(re.fullmatch(rb"u-[0-9]{6}", user) for user in users)


def test_the_first_known_day_has_no_day_before_it(few_schools: DirectoryRows) -> None:
    """It begins without late records, and the day before it is refused."""
    simulation = Simulation(few_schools, 1, 0.1, MANY)
    assert simulation.due(at(FIRST_KNOWN_DAY), at(FIRST_KNOWN_DAY + timedelta(days=1)))
    with pytest.raises(CalendarEndedError):
        simulation.due(at(FIRST_KNOWN_DAY - timedelta(days=1)), at(FIRST_KNOWN_DAY))


def test_rates_and_scales_out_of_range_are_refused(few_schools: DirectoryRows) -> None:
    """The message names the rate."""
    with pytest.raises(ValueError, match="duplicates is 2"):
        Faults(duplicates=2)
    with pytest.raises(ValueError, match="scale -1"):
        Simulation(few_schools, 1, -1)


def _delays_s(records: list[Record]) -> list[float]:
    delays = []
    for record in records:
        found = re.search(rb'"time":"([^"]*)"', record.value or b"")
        if found:
            told = datetime.fromisoformat(found[1].decode()).astimezone(UTC)
            delays.append(record.timestamp_ms / 1000 - told.timestamp())
    return delays
