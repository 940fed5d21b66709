"""The agents of the reference topics: they store the directory's records and put a complete revision in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from streams.batch import Batch
from streams.topics import REFERENCE_TOPICS
from streams.transport import BatchApp


def attach_directory_agents(app: BatchApp, store: Callable[[Batch], None]) -> None:
    """Give `app` an agent for each of the topics school, class and profile; `store` keeps a batch, however long."""

    async def take(stream: Any) -> None:
        async for event in stream.noack().events():
            await asyncio.to_thread(store, event.value)
            event.ack()

    for topic in REFERENCE_TOPICS:
        app.agent(app.batch_topic(topic), name=topic)(take)
