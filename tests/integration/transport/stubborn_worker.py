"""A worker process that acknowledges what it reads only after a while; `reading` is printed when it holds something."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import faust

from streams.transport import BatchApp, TransportSettings


def main(bootstrap: str, topic: str) -> None:
    settings = TransportSettings(fetch_min_bytes=1, drain_timeout_s=1.0, stop_deadline_s=2.0)
    app = BatchApp(topic, bootstrap=bootstrap, batch_settings=settings, broker_commit_interval=30.0)

    async def take(stream: Any) -> None:
        async for event in stream.noack().events():
            print("reading", flush=True)
            await asyncio.sleep(0.2)
            event.ack()

    app.agent(app.batch_topic(topic), name="stubborn")(take)
    faust.Worker(app, loglevel="CRITICAL", redirect_stdouts=False, quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
