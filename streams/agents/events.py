"""The agents of the event topics: each hands its batches to the intake, which acknowledges them when all is done.

They hold no rules. Concurrency is 1, nothing is acknowledged here, and no exception leaves them.
"""

from __future__ import annotations

from typing import Any

from streams.intake import Intake
from streams.topics import Lane
from streams.transport import BatchApp


def attach_event_agents(app: BatchApp, intake: Intake, lane: Lane) -> None:
    """Give `app` one agent for each of the lane's topics."""

    async def take(stream: Any) -> None:
        async for event in stream.noack().events():
            await intake.take(event)

    for topic in lane.topics:
        app.agent(app.batch_topic(topic, maxsize=2, paced=True), name=topic)(take)
