"""Bytewax. BENCH_MODE: windows (its own, in event time) or batch (counted by hand in a step, as is done for speed)."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import bytewax.operators as op
import bytewax.operators.windowing as windowing
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main
from job import BOOTSTRAP, MODE, TOPIC, Job

job, windows = Job(), Counter()


def take(messages):
    found = []
    for message in messages:
        window = job.take(message.value)
        if window is not None:
            found.append((f"{window[1]}|{window[2]}", window[0]))
    return found


class Gather(StatelessSinkPartition):
    def write_batch(self, items):
        for key, (number, count) in items:
            windows[(number * 60, *key.split("|"))] += count


class Result(DynamicSink):
    def build(self, *_):
        return Gather()


def count_batch(items):
    for key, minute in items:
        windows[(minute, *key.split("|"))] += 1
    return []


flow = Dataflow("peer")
source = KafkaSource(
    [BOOTSTRAP],
    [TOPIC],
    tail=False,
    batch_size=1000,
    add_config={"fetch.wait.max.ms": "50", "fetch.queue.backoff.ms": "20", "queued.min.messages": "100000"},
)
events = op.flat_map_batch("take", op.input("records", flow, source), take)
if MODE == "windows":
    clock = windowing.EventClock(
        ts_getter=lambda minute_s: datetime.fromtimestamp(minute_s, UTC), wait_for_system_duration=timedelta(minutes=30)
    )
    tumbling = windowing.TumblingWindower(length=timedelta(minutes=1), align_to=datetime(1970, 1, 1, tzinfo=UTC))
    counts = windowing.fold_window(
        "count", events, clock, tumbling,
        builder=int, folder=lambda count, _: count + 1, merger=lambda one, other: one + other, ordered=False,
    )  # fmt: skip
    op.output("result", counts.down, Result())
else:
    op.output("result", op.flat_map_batch("count", events, count_batch), Result())
run_main(flow)
job.tell(windows)
