"""Stock Faust, as its guide shows it. BENCH_MODE: agent (event by event), take (5 000 at a time), table (tumbling)."""

import os
from collections import Counter

import faust
from job import BOOTSTRAP, GROUP, MODE, STATE, TOPIC, Job

app = faust.App(
    GROUP,
    broker=f"kafka://{BOOTSTRAP}",
    store="memory://",
    web_enabled=False,
    topic_partitions=4,
    consumer_auto_offset_reset="earliest",
    stream_wait_empty=False,
    topic_disable_leader=True,
    broker_max_poll_records=5000,
    datadir=f"{STATE}/faust",
)
topic = app.topic(TOPIC, value_type=bytes, value_serializer="raw")
job, windows = Job(), Counter()


def end(counts: dict) -> None:
    job.tell(counts)
    os._exit(0)


if MODE == "agent":

    @app.agent(topic)
    async def count(stream):
        async for value in stream:
            window = job.take(value)
            if window is not None:
                windows[window] += 1
            if job.done:
                end(windows)

elif MODE == "take":

    @app.agent(topic)
    async def count(stream):
        async for values in stream.take(5000, within=1.0):
            for value in values:
                window = job.take(value)
                if window is not None:
                    windows[window] += 1
            if job.done:
                end(windows)

else:
    moment_s = 0.0
    table = app.Table("windows", default=int, partitions=4)
    tumbling = table.tumbling(60.0, expires=86_400.0 * 3650).relative_to(lambda _: moment_s)

    @app.agent(topic)
    async def count(stream):
        global moment_s
        async for value in stream:
            window = job.take(value)
            if window is not None:
                moment_s = float(window[0])
                tumbling[f"{window[1]}|{window[2]}"] += 1
            if job.done:
                for (key, span), number in table.data.items():
                    windows[(int(span[0]), *key.split("|"))] += number
                end(windows)


if __name__ == "__main__":
    app.main()
