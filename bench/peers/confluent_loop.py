"""A hand-written loop: confluent-kafka and msgspec. It keeps no ledger, and its windows are counted once only."""

from collections import Counter

from confluent_kafka import Consumer
from job import BOOTSTRAP, GROUP, TOPIC, Job

consumer = Consumer(
    {
        "bootstrap.servers": BOOTSTRAP,
        "group.id": GROUP,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "fetch.queue.backoff.ms": 20,
        "fetch.min.bytes": 65_536,
        "fetch.wait.max.ms": 50,
        "queued.min.messages": 100_000,
        "queued.max.messages.kbytes": 131_072,
        "fetch.message.max.bytes": 4_194_304,
    }
)
consumer.subscribe([TOPIC])
job, windows = Job(), Counter()
while not job.done:
    for message in consumer.consume(10_000, 0.2):
        window = job.take(message.value())
        if window is not None:
            windows[window] += 1
job.tell(windows)
consumer.commit(asynchronous=False)
consumer.close()
