"""The names inside Faust, mode and aiokafka that the transport stands on: a version that moved one fails here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import aiokafka
import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import Assignment, SubscriptionState, TopicPartitionState
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from faust.app.base import App, BootStrategy
from faust.serializers.schemas import Schema
from faust.tables.manager import TableManager
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage, Message

STOOD_ON: list[tuple[Any, str]] = [
    (fetcher, "READ_COMMITTED"),
    (fetcher, "FetchResult"),
    *((fetcher.FetchResult, name) for name in ("check_assignment", "has_more", "_assignment", "_partition_records")),
    (fetcher.FetchResult, "_topic_partition"),
    *((fetcher.PartitionRecords, name) for name in ("next_fetch_offset", "_records", "_isolation_level")),
    *((fetcher.PartitionRecords, name) for name in ("_consume_aborted_up_to", "_contains_abort_marker")),
    (fetcher.PartitionRecords, "_aborted_producers"),
    (fetcher.FetchError, "check_raise"),
    *((fetcher.Fetcher, name) for name in ("_records", "_notify", "_wait_consume_future", "_check_crcs", "_closed")),
    *((fetcher.Fetcher, name) for name in ("_subscriptions", "_fetch_waiters", "_create_fetch_waiter")),
    (fetcher.Fetcher, "fetched_records"),
    *((aiokafka.AIOKafkaConsumer, name) for name in ("_fetcher", "_coordinator", "_closed", "_isolation_level")),
    *((aiokafka.AIOKafkaConsumer, name) for name in ("_fetch_min_bytes", "_fetch_max_wait_ms")),
    *((GroupCoordinator, name) for name in ("check_errors", "request_rejoin", "_coordination_task")),
    *((SubscriptionState, name) for name in ("fetch_context", "reassignment_in_progress", "is_assigned")),
    (Assignment, "state_value"),
    (TopicPartitionState, "consumed_to"),
    *((MemoryRecords, name) for name in ("has_next", "next_batch")),
    *((DefaultRecordBatch, name) for name in ("validate_crc", "base_offset", "next_offset", "producer_id")),
    *((DefaultRecordBatch, name) for name in ("is_control_batch", "is_transactional", "max_timestamp")),
    *((Consumer, name) for name in ("getmany", "_wait_next_records", "_get_active_partitions", "_add_gap")),
    *((Consumer, name) for name in ("_buffered_partitions", "_acked", "_acked_index", "_read_offset", "_new_offset")),
    *((Consumer, name) for name in ("_committed_offset", "_unacked_messages", "_clean_unacked_messages")),
    *((Consumer, name) for name in ("_filter_tps_with_pending_acks", "_should_commit", "_commit", "perform_seek")),
    *((Consumer, name) for name in ("on_buffer_full", "on_buffer_drop", "wait_empty", "commit_and_end_transactions")),
    *((driver.Consumer, name) for name in ("_new_consumer_thread", "_to_message", "seek_wait", "earliest_offsets")),
    *((driver.AIOKafkaConsumerThread, name) for name in ("_create_worker_consumer", "_fetch_records", "_consumer")),
    (driver.AIOKafkaConsumerThread, "seek_to_beginning"),
    (driver.AIOKafkaConsumerThread, "call_thread"),
    (driver, "ensure_aiokafka_TP"),
    (driver.Transport, "Consumer"),
    *((App, name) for name in ("BootStrategy", "_new_transport", "_create_directories", "on_worker_init")),
    (App, "worker_init_post_autodiscover"),
    (BootStrategy, "enable_web"),
    (BootStrategy, "_should_enable_web"),
    *((TableManager, name) for name in ("on_start", "_update_channels", "recovery")),
    (Schema, "compile"),
    (Message, "ack"),
    (ConsumerMessage, "on_final_ack"),
]


@pytest.mark.parametrize(("owner", "name"), STOOD_ON, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_private_name_is_still_there(owner: Any, name: str) -> None:
    """Names of classes and modules are looked up; attributes made in `__init__` are looked for in the source."""
    assert hasattr(owner, name) or f"self.{name}" in inspect.getsource(owner), (
        f"{owner.__module__ if inspect.isclass(owner) else owner.__name__} no longer has {name}: read what replaced it "
        "before you move the pin in streams/transport/settings.py"
    )


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (driver.AIOKafkaConsumerThread._fetch_records, ["consumer", "active_partitions", "timeout", "max_records"]),
        (driver.AIOKafkaConsumerThread._create_worker_consumer, ["transport"]),
        (Consumer._wait_next_records, ["timeout"]),
        (Consumer._add_gap, ["tp", "offset_from", "offset_to"]),
        (Consumer._filter_tps_with_pending_acks, ["topics"]),
        (Consumer._new_offset, ["tp"]),
        (Consumer._should_commit, ["tp", "offset"]),
        (Consumer._commit, ["offsets"]),
        (Consumer.getmany, ["timeout"]),
    ],
    ids=lambda each: getattr(each, "__qualname__", ""),
)
def test_an_overridden_method_still_takes_the_same(method: Callable[..., Any], parameters: list[str]) -> None:
    found = list(inspect.signature(method).parameters)[1:]
    assert found == parameters, f"{method.__qualname__} takes {found} now: the transport overrides it with {parameters}"
