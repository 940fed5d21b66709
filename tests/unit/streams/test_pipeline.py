"""The path of a record: conservation above all, and what the decoder's and the enrichment's tests cannot tell."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.pseudonym import Key, Pseudonyms
from schemas.reason import Drop, Reason
from streams.batch import Batch, offsets_or_none
from streams.directory.snapshot import Directory
from streams.pipeline import Keys, Limits, Work, process

ARRIVED = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)
TOPIC = "ent.login.v1"
KEYS = Keys(Pseudonyms(Key(b"0123456789abcdefghijklmnopqrstuvwxyz")), Key(b"another-secret-0123456789-abcdefghijk"))


def login(number: int = 1, at: datetime = ARRIVED, **data: Any) -> bytes:
    told = {"uai": ["0689901T"], "profile": "parent", "user": f"u-{number}"} | data
    envelope = {"specversion": "1.0", "id": str(number), "source": "urn:ent:test", "type": "fr.ent.login.v1"}
    return json.dumps(envelope | {"time": at.isoformat(), "data": told}).encode()


def ignored(number: int) -> bytes:
    return json.dumps({"event-type": "CREATE", "module": "Blog", "date": 1_794_901_272_345 + number}).encode()


def batch(
    values: Sequence[bytes | None], offsets: list[int] | None = None, base: int | None = None, partition: int = 0
) -> Batch:
    places = offsets if offsets is not None else list(range(len(values)))
    first = places[0] if places else (base or 0)
    stamp = int(ARRIVED.timestamp() * 1000)
    return Batch(
        TOPIC,
        partition,
        first if base is None else base,
        (places[-1] if places else first) + 1,
        list(values),
        [None] * len(values),
        [stamp] * len(values),
        first,
        offsets=offsets_or_none(places),
    )


def work(*batches: Batch) -> Work:
    return process(list(batches), Directory.empty(), KEYS, {TOPIC: 7}, Limits())


def ends(result: Work) -> Counter[tuple[int, int]]:
    """(partition, offset) -> how many ends it came to."""
    found: Counter[tuple[int, int]] = Counter()
    shipment = result.shipment
    for frame in (shipment.events, shipment.dead_letters):
        found.update(frame.select("partition", "offset").iter_rows())
    for partition, first, after in shipment.dropped.select("partition", "first", "next").iter_rows():
        found.update((partition, offset) for offset in range(first, after))
    return found


RECORDS = st.one_of(
    st.integers(0, 50).map(login),
    st.integers(0, 50).map(ignored),
    st.sampled_from([None, b"", b"{", b"\xff", b'{"specversion":"1.0"}', login(1, ARRIVED + timedelta(days=2))]),
    st.binary(max_size=40),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(st.tuples(RECORDS, st.integers(1, 3)), max_size=12), st.integers(0, 3)), max_size=4))
def test_every_offset_comes_to_exactly_one_end(loads: list[tuple[list[tuple[bytes | None, int]], int]]) -> None:
    """Conservation: whatever the records and the holes between them are."""
    batches = []
    for partition, (records, lead) in enumerate(loads):
        offsets, offset = [], lead
        for _, step in records:
            offsets.append(offset)
            offset += step
        batches.append(batch([value for value, _ in records], offsets, base=0, partition=partition))
    expected = Counter({(one.partition, offset): 1 for one in batches for offset in range(one.base, one.next_offset)})
    assert ends(work(*batches)) == expected


def test_a_time_is_judged_by_its_arrival() -> None:
    """Ten minutes ahead and four hundred days back are the edges, and both belong to what is taken."""
    limits = Limits()
    edges = [ARRIVED + limits.future, ARRIVED - limits.age]
    beyond = [edges[0] + timedelta(seconds=1), edges[1] - timedelta(seconds=1)]
    result = work(batch([login(n, at) for n, at in enumerate([*edges, *beyond])]))
    assert result.shipment.events["offset"].to_list() == [0, 1]
    letters = result.shipment.dead_letters.select("offset", "reason").rows()
    assert letters == [(2, Reason.FUTURE), (3, Reason.TOO_OLD)]


def test_neighbours_that_are_ignored_become_one_range() -> None:
    result = work(batch([ignored(1), ignored(2), login(), ignored(3)]))
    ranges = result.shipment.dropped.select("first", "next", "reason").sort("first").rows()
    assert ranges == [(0, 2, Drop.IGNORED_TYPE), (3, 4, Drop.IGNORED_TYPE)]


def test_what_was_delivered_twice_makes_no_range_longer() -> None:
    """After a rebalance the same offsets may be worked on together with their repetition; 6 is an event."""
    once = batch([ignored(1), login(), ignored(2)], [5, 6, 7])
    result = work(once, batch([ignored(1)], [5]))
    ranges = result.shipment.dropped.select("first", "next").sort("first").rows()
    assert ranges == [(5, 6), (7, 8)]


def test_what_expired_before_it_was_read_is_said() -> None:
    one = batch([login()], [10])
    one.expired = (3, 10)
    ranges = work(one).shipment.dropped.select("first", "next", "reason").rows()
    assert ranges == [(3, 10, Drop.EXPIRED_BEFORE_READ)]


def test_a_batch_of_holes_alone_is_work_too() -> None:
    """Its day is that on which its markers were written."""
    written = datetime(2026, 11, 17, 8, 41, tzinfo=UTC)
    hole = Batch(TOPIC, 0, 5, 9, [], [], [], 9, written_ms=int(written.timestamp() * 1000))
    result = work(hole)
    assert result.shipment.dropped["arrived_at"].to_list() == [written]
    assert result.shipment.dropped.select("first", "next", "reason").rows() == [(5, 9, Drop.NO_RECORD)]
    assert result.minutes == frozenset()


def test_the_same_record_makes_the_same_row_whatever_stands_beside_it() -> None:
    """Values are a function of the record and the directory: batches may be cut anywhere."""
    alone = work(batch([login(3)], [5])).shipment.events
    among = work(batch([login(1), b"x", login(3), ignored(4)], [3, 4, 5, 6])).shipment.events
    assert alone.equals(among.filter(pl.col("offset") == 5))


def test_no_raw_id_is_in_a_row_or_a_dead_letter() -> None:
    canary = "u-canary-4711"
    result = work(batch([login(1, user=canary, session=canary), login(2, user=canary, profile="nonsense")]))
    assert len(result.shipment.events) == len(result.shipment.dead_letters) == 1
    for frame in (result.shipment.events, result.shipment.dead_letters):
        assert canary not in frame.drop("event_id", strict=False).write_ndjson()


def test_a_repeated_event_has_the_same_identity() -> None:
    events = work(batch([login(1), login(1), login(2)])).shipment.events
    assert events["event_id"].n_unique() == 2


def test_a_replayed_record_has_the_identity_that_its_header_gives() -> None:
    """And a header that holds no identity changes nothing."""
    one = batch([login(1), login(2), login(3)])
    one.headers = [(("ent-event-id", b"ab" * 16),), (), (("ent-event-id", b"no identity"),)]
    plain = work(batch([login(1), login(2), login(3)])).shipment.events["event_id"].to_list()
    assert work(one).shipment.events["event_id"].to_list() == [b"\xab" * 16, *plain[1:]]


def test_a_dead_letter_knows_the_event_it_would_be() -> None:
    """The same identity as when the record is mended; none where the record does not name one."""
    broken, whole = login(7, profile="nobody"), login(7)
    letters = work(batch([broken, b"{", b'{"specversion": "1.0"}'])).shipment.dead_letters
    (event_id,) = work(batch([whole])).shipment.events["event_id"]
    assert letters["event_id"].to_list() == [event_id.hex(), "", ""]


def test_minutes_are_those_of_the_events() -> None:
    result = work(batch([login(1, ARRIVED - timedelta(hours=3, seconds=7)), login(2)]))
    start = int(ARRIVED.timestamp())
    assert result.minutes == {start, start - 3 * 3600 - 60}
