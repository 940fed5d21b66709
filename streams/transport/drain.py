"""From what aiokafka fetched to a batch, without one object per record and field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch

from streams.batch import Batch, Headers, offsets_or_none


def drain(fetched: Any, *, check_crcs: bool, max_records: int) -> Batch | None:
    """The records of `fetched` (an aiokafka FetchResult) as one batch; None if it is stale or brings nothing new.

    Stops at the first producer batch that reaches `max_records`; the rest stays in `fetched`. Control records and, when
    reading committed data only, aborted transactions are left out and become holes. A producer batch that cannot be
    read ends the batch before it, so that it is fetched again; one that comes first raises CorruptRecordException.
    """
    tp = fetched._topic_partition
    if not fetched.check_assignment(tp) or not fetched.has_more():
        return None
    source = fetched._partition_records
    base: int = source.next_fetch_offset
    end = base
    values: list[bytes | None] = []
    keys: list[bytes | None] = []
    timestamps_ms: list[int] = []
    written_ms = 0
    offsets: list[int] = []
    headers: list[Sequence[tuple[str, bytes | None]]] = []
    while source._records.has_next():
        try:
            stored = source._records.next_batch()
            records = _visible_records(source, stored, check_crcs)
        except Exception as error:
            fetched._partition_records = None
            if end == base:
                raise CorruptRecordException(
                    f"{tp.topic}[{tp.partition}] cannot be read at offset {end}: {error}. The group stops here and "
                    "loses nothing; if the broker keeps answering so, move the group's offset past the damaged batch"
                ) from error
            break
        if records and records[0].offset < end:
            records = [record for record in records if record.offset >= end]
        values += [record.value for record in records]
        keys += [record.key for record in records]
        timestamps_ms += [record.timestamp for record in records]
        if isinstance(stored, DefaultRecordBatch):  # an older one holds its records alone
            written_ms = stored.max_timestamp
        offsets += [record.offset for record in records]
        headers += [record.headers for record in records]
        end = stored.next_offset
        if len(values) >= max_records and source._records.has_next():
            break
    else:
        fetched._partition_records = None
    source.next_fetch_offset = end
    fetched._assignment.state_value(tp).consumed_to(end)
    if end == base:
        return None
    return Batch(
        topic=tp.topic,
        partition=tp.partition,
        base=base,
        next_offset=end,
        values=values,
        keys=keys,
        timestamps_ms=timestamps_ms,
        first=offsets[0] if offsets else end,
        offsets=offsets_or_none(offsets),
        headers=[_plain(pairs) for pairs in headers] if any(headers) else None,
        written_ms=max(written_ms, 0),
    )


def _visible_records(source: Any, stored: Any, check_crcs: bool) -> list[Any]:
    """The records of one producer batch that a reader may see; keeps aiokafka's account of aborted transactions."""
    if check_crcs and not stored.validate_crc():
        raise CorruptRecordException("the checksum of a batch is wrong")
    if source._isolation_level == READ_COMMITTED and stored.producer_id is not None:
        source._consume_aborted_up_to(stored.base_offset)
        if stored.is_control_batch and source._contains_abort_marker(stored):
            source._aborted_producers.discard(stored.producer_id)
        if stored.is_transactional and stored.producer_id in source._aborted_producers:
            return []
    return [] if stored.is_control_batch else list(stored)


def _plain(headers: Sequence[tuple[str, bytes | None]]) -> Headers:
    """aiokafka hands header values as views into its buffer, which would keep the whole fetch alive."""
    return tuple((name, None if value is None else bytes(value)) for name, value in headers)
