"""A hand-written loop: kafka-python and msgspec."""

from collections import Counter

from job import BOOTSTRAP, GROUP, TOPIC, Job
from kafka import KafkaConsumer

consumer = KafkaConsumer(
    TOPIC,
    bootstrap_servers=BOOTSTRAP,
    group_id=GROUP,
    auto_offset_reset="earliest",
    enable_auto_commit=False,
    max_poll_records=10_000,
    fetch_max_wait_ms=50,
    max_partition_fetch_bytes=4 << 20,
)
job, windows = Job(), Counter()
while not job.done:
    for messages in consumer.poll(timeout_ms=500).values():
        for message in messages:
            window = job.take(message.value)
            if window is not None:
                windows[window] += 1
job.tell(windows)
consumer.commit()
consumer.close()
