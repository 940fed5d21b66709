"""A hand-written loop: aiokafka and msgspec."""

import asyncio
from collections import Counter

from aiokafka import AIOKafkaConsumer
from job import BOOTSTRAP, GROUP, TOPIC, Job


async def main() -> None:
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=BOOTSTRAP,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=4 << 20,
    )
    await consumer.start()
    job, windows = Job(), Counter()
    while not job.done:
        for messages in (await consumer.getmany(timeout_ms=500, max_records=10_000)).values():
            for message in messages:
                window = job.take(message.value)
                if window is not None:
                    windows[window] += 1
    job.tell(windows)
    await consumer.commit()
    await consumer.stop()


asyncio.run(main())
