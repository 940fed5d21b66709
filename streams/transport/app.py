"""The Faust app whose batch topics arrive batch by batch."""

from __future__ import annotations

import os
import threading
from typing import Any, ClassVar, cast

import faust
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.transport.consumer import BatchConsumer
from streams.transport.message import BatchSchema
from streams.transport.positions import PartitionPosition, TransportCounts
from streams.transport.settings import TransportSettings, check_versions

EX_TEMPFAIL = 75


class BatchTransport(driver.Transport):
    Consumer = BatchConsumer


class NoWeb(BootStrategy):
    """Faust's web server stays off whatever the settings and the command line say: it would bind all addresses."""

    enable_web = False


class PromptTables(TableManager):
    """Stock lets every start wait a second for tables to be declared; ours, if any, are declared before it."""

    async def on_start(self) -> None:
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()


class BatchApp(faust.App):
    """A Faust app for batch topics; everything else about it is Faust's.

    `group` is the consumer group, `bootstrap` Kafka's `host:port,host:port`; further keywords are Faust's settings and
    override `DEFAULTS`.
    """

    BootStrategy = NoWeb

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "TableManager": PromptTables,
        "store": "memory://",
        "web_enabled": False,
        "topic_allow_declare": False,  # topics are made before workers start
        "topic_disable_leader": True,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": 1 << 19,
        "consumer_metadata_max_age_ms": 10_000,  # a topic or partition made later is found after this
        "broker_session_timeout": 10.0,  # stock 60 s and 3 s stop a whole group for most of a minute after a kill
        "broker_heartbeat_interval": 1.0,
        "broker_commit_interval": 1.0,
        "stream_wait_empty": True,
    }

    def __init__(
        self, group: str, *, bootstrap: str, batch_settings: TransportSettings | None = None, **conf: Any
    ) -> None:
        """Raise TransportVersionError where Faust, mode or aiokafka is not the version that was verified."""
        check_versions()
        self.batch_settings = batch_settings or TransportSettings()
        self.batch_topics: set[str] = set()
        self.paced_topics: set[str] = set()
        broker = ";".join(f"kafka://{node.strip()}" for node in bootstrap.split(","))
        super().__init__(group, broker=broker, **{**self.DEFAULTS, **conf})

    def batch_topic(self, *names: str, maxsize: int = 4, paced: bool = False) -> faust.TopicT:
        """A topic whose agent receives `Batch` values; at most `maxsize` of them wait for the agent.

        The partitions of all `paced` topics are read side by side in time while far behind.

        The agent iterates over `stream.noack().events()` and acknowledges each event once every record of its batch has
        a durable home. No exception may leave it, its concurrency is 1, and it never uses `take`.
        """
        self.batch_topics.update(names)
        if paced:
            self.paced_topics.update(names)
        topic = self.topic(*names, schema=BatchSchema())
        topic.maxsize = maxsize  # App.topic() takes maxsize and drops it
        return topic

    @property
    def counts(self) -> TransportCounts:
        """What the position rule met since the start."""
        return self.batch_consumer.counts

    def positions(self) -> dict[TP, PartitionPosition]:
        """How far every assigned partition of the batch topics is."""
        return self.batch_consumer.positions()

    @property
    def batch_consumer(self) -> BatchConsumer:
        return cast("BatchConsumer", self.consumer)

    async def on_truncated(self, tp: TP) -> None:
        """Called when the log of `tp` began again, after its old batches are done and before the first new one."""

    async def on_assigned(self) -> None:
        """Called after every assignment, before its first batch is delivered: offsets cannot show everything."""

    async def stop(self) -> None:
        """Stop in order; end the process after `stop_deadline_s`: a stock worker waits for a lost broker for ever."""
        deadline = threading.Timer(self.batch_settings.stop_deadline_s, self.leave_now, ("the stop took too long",))
        deadline.daemon = True
        deadline.start()
        try:
            await super().stop()
        finally:
            deadline.cancel()

    def leave_now(self, why: str) -> None:
        """End the process at once, with the exit code EX_TEMPFAIL; what is not committed is read again."""
        self.log.critical("leaving at once: %s; what is not committed will be read again", why)
        os._exit(EX_TEMPFAIL)

    def worker_init_post_autodiscover(self) -> None:
        """Stock builds the web application here even when it is off."""
        self.on_worker_init.send()

    def _create_directories(self) -> None:
        """Stock makes folders in the working directory; only a table's store on disk needs them."""
        if self.conf.store.scheme != "memory":
            super()._create_directories()

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)
