"""From fetched bytes to a batch: cuts, damage, codecs, transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from streams.batch import Batch
from streams.transport.drain import drain

TP = TopicPartition("t", 0)
ZSTD = 4


class Assignment:
    """Stands for aiokafka's: where the partition is read."""

    paused, active = False, True

    def __init__(self, position: int) -> None:
        self.position = position

    def state_value(self, _tp: Any) -> Assignment:
        return self

    def consumed_to(self, offset: int) -> None:
        self.position = offset


def stored(first: int, count: int, *, producer: int = -1, codec: int = 0, control: bool = False) -> bytearray:
    """A producer batch as the broker stores it; its values name the offsets."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=codec,
        is_transactional=int(producer >= 0),
        producer_id=producer,
        producer_epoch=0 if producer >= 0 else -1,
        base_sequence=0 if producer >= 0 else -1,
        batch_size=1 << 20,
    )
    for i in range(count):
        if control:  # version 0, type 0: the marker of an abort
            builder.append(i, 1000, b"\x00\x00\x00\x00", b"", [])
        else:
            builder.append(i, 1000 + i, b"k", b"%d" % (first + i), [("h", b"x")] if i == 1 else [])
    raw = bytearray(builder.build())
    raw[0:8] = first.to_bytes(8, "big")  # the broker sets it; the checksum does not cover it
    if control:
        mark_as_control(raw)
    return raw


def mark_as_control(raw: bytearray) -> None:
    """Set the attribute, which the builder has no way to set, and sign the batch again."""
    from aiokafka.record._crc32c import crc

    raw[22] |= 0x20
    raw[17:21] = crc(bytes(raw[21:])).to_bytes(4, "big")


def fetched(
    *batches: bytearray,
    position: int = 0,
    isolation: int = READ_UNCOMMITTED,
    aborted: Sequence[tuple[int, int]] = (),
) -> tuple[Any, Assignment]:
    """What aiokafka holds after a fetch at `position`."""
    assignment = Assignment(position)
    raw = b"".join(bytes(each) for each in batches)
    records = PartitionRecords(TP, MemoryRecords(raw), list(aborted), position, None, None, True, isolation)
    return FetchResult(TP, assignment=assignment, partition_records=records, backoff=0.1), assignment


def take(result: Any, max_records: int = 1000) -> Batch:
    batch = drain(result, check_crcs=True, max_records=max_records)
    assert batch is not None
    return batch


def numbers(batch: Batch) -> list[int]:
    return [int(value or b"") for value in batch.values]


@pytest.mark.parametrize("codec", [0, ZSTD])
def test_columns_and_headers(codec: int) -> None:
    result, assignment = fetched(stored(0, 3, codec=codec), stored(3, 2, codec=codec))
    batch = take(result)
    assert (batch.topic, batch.partition, batch.base, batch.first, batch.next_offset) == ("t", 0, 0, 0, 5)
    assert batch.values == [b"0", b"1", b"2", b"3", b"4"]
    assert batch.keys == [b"k"] * 5
    assert batch.timestamps_ms == [1000, 1001, 1002, 1000, 1001]
    assert batch.offsets is None
    assert batch.headers == [(), (("h", b"x"),), (), (), (("h", b"x"),)]
    assert assignment.position == 5
    assert not result.has_more()


def test_a_fetch_that_begins_inside_a_producer_batch() -> None:
    result, _ = fetched(stored(0, 10), stored(10, 10), position=4)
    batch = take(result)
    assert (batch.base, batch.first, batch.next_offset, len(batch)) == (4, 4, 20, 16)


def test_the_limit_cuts_between_producer_batches() -> None:
    result, assignment = fetched(stored(0, 10), stored(10, 10), stored(20, 10))
    first = take(result, max_records=11)
    assert (first.base, first.next_offset) == (0, 20)
    assert assignment.position == 20
    assert result.has_more()
    second = take(result, max_records=11)
    assert (second.base, second.next_offset) == (20, 30)
    assert not result.has_more()


def test_offsets_missing_between_producer_batches_are_holes() -> None:
    """Compaction takes whole producer batches away."""
    batch = take(fetched(stored(5, 2), stored(20, 2))[0])
    assert batch.offset_column().to_list() == [5, 6, 20, 21]
    assert batch.holes() == [(0, 5), (7, 20)]


def damage(raw: bytearray) -> bytearray:
    raw[-1] ^= 0xFF
    return raw


def unreadable(raw: bytearray) -> bytearray:
    """A batch whose checksum is right and whose compressed bytes are none."""
    from aiokafka.record._crc32c import crc

    raw[61:] = b"\x00" * (len(raw) - 61)
    raw[17:21] = crc(bytes(raw[21:])).to_bytes(4, "big")
    return raw


@pytest.mark.parametrize("bad", [damage(stored(20, 10)), unreadable(stored(20, 10, codec=ZSTD))])
def test_a_damaged_producer_batch_loses_nothing(bad: bytearray) -> None:
    """What lies before it is delivered and the position stays at it; fetched again and still bad, it is an error."""
    result, assignment = fetched(stored(0, 10), stored(10, 10), bad, stored(30, 10))
    batch = take(result)
    assert (batch.base, batch.next_offset, len(batch)) == (0, 20, 20)
    assert assignment.position == 20
    assert not result.has_more()
    again, assignment = fetched(bad, stored(30, 10), position=20)
    with pytest.raises(CorruptRecordException, match=r"t\[0\] cannot be read at offset 20"):
        take(again)
    assert assignment.position == 20
    assert not again.has_more()


def test_aborted_transactions_are_left_out_and_others_are_not() -> None:
    """Producer 7 aborted what it wrote from offset 0; producer 8 committed, and 7 wrote again afterwards."""
    result, _ = fetched(
        stored(0, 3, producer=7),
        stored(3, 2, producer=8),
        stored(5, 1, producer=7, control=True),
        stored(6, 2, producer=7),
        isolation=READ_COMMITTED,
        aborted=[(7, 0)],
    )
    batch = take(result)
    assert numbers(batch) == [3, 4, 6, 7]
    assert batch.holes() == [(0, 3), (5, 6)]


def test_the_account_of_aborted_transactions_survives_a_cut() -> None:
    """The limit ends a batch inside a transaction that was aborted."""
    result, _ = fetched(
        stored(0, 2),
        stored(2, 3, producer=7),
        stored(5, 3, producer=7),
        stored(8, 1, producer=7, control=True),
        stored(9, 1),
        isolation=READ_COMMITTED,
        aborted=[(7, 2)],
    )
    batches = []
    while result.has_more():
        batches.append(take(result, max_records=1))
    assert [number for batch in batches for number in numbers(batch)] == [0, 1, 9]
    assert [hole for batch in batches for hole in batch.holes()] == [(2, 9)]
    assert [(batch.base, batch.next_offset) for batch in batches] == [(0, 2), (2, 10)]


def test_uncommitted_reading_hides_the_markers_only() -> None:
    batch = take(fetched(stored(0, 3, producer=7), stored(3, 1, producer=7, control=True))[0])
    assert numbers(batch) == [0, 1, 2]
    assert batch.holes() == [(3, 4)]


def test_a_fetch_of_holes_only_is_an_empty_batch() -> None:
    """Its offsets must be committed and accounted for, though no record is in it."""
    result, _ = fetched(stored(0, 4, producer=7), isolation=READ_COMMITTED, aborted=[(7, 0)])
    batch = take(result)
    assert (len(batch), batch.base, batch.first, batch.next_offset) == (0, 0, 4, 4)
    assert batch.holes() == [(0, 4)]
    assert batch.written_ms == 1003, "the ledger could not say when they arrived"


def test_a_stale_fetch_is_dropped() -> None:
    """The position moved since: a seek, or a rebalance."""
    result, assignment = fetched(stored(0, 3))
    assignment.position = 2
    assert drain(result, check_crcs=True, max_records=10) is None
    assert assignment.position == 2
