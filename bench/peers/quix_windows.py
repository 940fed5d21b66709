"""Quix Streams. BENCH_MODE: group_by (as documented, with a repartition topic) or local (windows by Kafka's key)."""

from collections import Counter

from job import BOOTSTRAP, GROUP, MODE, STATE, TOPIC, Job
from quixstreams import Application

app = Application(
    broker_address=BOOTSTRAP,
    consumer_group=GROUP,
    auto_offset_reset="earliest",
    loglevel="ERROR",
    state_dir=f"{STATE}/quix",
    commit_interval=5.0,
    consumer_extra_config={"fetch.wait.max.ms": 50, "fetch.queue.backoff.ms": 20, "queued.min.messages": 100_000},
    producer_extra_config={"compression.type": "lz4", "linger.ms": 20},
)
job, latest = Job(), {}
counted = 0


def take(value: bytes) -> dict | None:
    window = job.take(value)
    return None if window is None else {"key": f"{window[1]}|{window[2]}", "at_ms": window[0] * 1000}


def gather(result: dict, key: object, _timestamp: int, _headers: object) -> None:
    """Each event gives the window's figure so far; the last one stands."""
    global counted
    counted += 1
    latest[result["start"], key if isinstance(key, str) else key.decode()] = result["value"]
    if job.done and counted >= job.valid:
        finish()


def finish() -> None:
    windows = Counter()
    for (start_ms, key), value in latest.items():
        for name, number in value.items() if isinstance(value, dict) else ((key, value),):
            windows[(start_ms // 1000, *name.split("|"))] += number
    job.tell(windows)
    app.stop()


def add(counts: dict, value: dict) -> dict:
    counts[value["key"]] = counts.get(value["key"], 0) + 1
    return counts


frame = app.dataframe(app.topic(TOPIC, value_deserializer="bytes", key_deserializer="str")).apply(take)
frame = frame.filter(lambda value: value is not None)
if MODE == "group_by":
    frame = frame.group_by(lambda value: value["key"], name="school_app")
frame = frame.set_timestamp(lambda value, *_: value["at_ms"])
tumbling = frame.tumbling_window(60_000, grace_ms=3_600_000)
counts = tumbling.count() if MODE == "group_by" else tumbling.reduce(add, lambda value: {value["key"]: 1})
counts.current().update(gather, metadata=True)
app.run()
