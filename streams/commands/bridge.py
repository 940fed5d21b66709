"""`ent bridge`: ask platforms for their events, and put them on Kafka."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import structlog
import typer
from aiohttp import ClientSession

from schemas.formats import formats_at
from schemas.keyring import MissingKeyError
from sinks.base import StoreUnavailable
from sinks.clickhouse.bridges import BridgePositions
from sinks.clickhouse.client import connect
from streams.bridge import metrics
from streams.bridge.feed import Feed, FeedRefusedError, FeedUnavailableError
from streams.bridge.poller import Poller
from streams.bridge.settings import BridgeSettings
from streams.collector.admission import Admitter
from streams.collector.outbox import Outbox, OutboxUnavailableError
from streams.logs import configure_logs
from streams.metrics import Door
from streams.pipeline import Limits
from streams.school_keys import require_keys
from streams.settings import Settings, SettingsError, read_settings

_log = structlog.get_logger(__name__)

bridge_app = typer.Typer(help="Bridges from platforms that are asked for their events.", no_args_is_help=True)


@bridge_app.callback()
def bridge() -> None:
    """Bridges from platforms that are asked for their events."""


@bridge_app.command()
def entcore(
    once: Annotated[bool, typer.Option("--once", help="One reading, then exit; 1 if it broke off.")] = False,
) -> None:
    """Read an entcore platform's list of events into Kafka, until SIGTERM; the position is kept in the database."""
    settings = read_settings()
    configure_logs(settings.log_level)
    if settings.bridge.url is None:
        raise SettingsError(
            "ENT_BRIDGE__URL is not set: give the root of the platform, for example https://ent.example"
        )
    if not asyncio.run(run_bridge(settings, settings.bridge.url, once)):
        raise typer.Exit(1)


async def run_bridge(settings: Settings, url: str, once: bool) -> bool:
    """Read until SIGTERM, or `once`; whether the last reading came to its end. SettingsError where nothing can."""
    told = settings.bridge
    keyring = settings.keyring()
    require_keys(keyring, datetime.now(UTC))
    admitter = Admitter(keyring, settings.key("event_id_key"), formats_at(settings.formats), Limits())
    positions = BridgePositions(connect(settings.database), settings.database.database)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    door = Door(settings.metrics_host, settings.metrics_port, lambda: None, lambda: None, metrics.REGISTRY)
    door.open()
    try:
        async with (
            Outbox(
                settings.kafka.bootstrap, settings.collector.kafka_timeout_s, settings.kafka.security.options()
            ) as outbox,
            ClientSession(headers=_authorization(told)) as session,
        ):
            feed = Feed(session, url, told.max_answer_bytes, told.request_timeout_s)
            poller = Poller(told, feed, admitter, outbox.send, positions)
            while True:
                whole = await _read(poller, told.platform)
                if once or await _waited(stopped, told.interval_s):
                    return whole
    finally:
        door.close()


async def _waited(stopped: asyncio.Event, pause_s: float) -> bool:
    """Wait for the pause or the stop; whether it was the stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopped.wait(), pause_s)
    return stopped.is_set()


async def _read(poller: Poller, platform: str) -> bool:
    """One reading, told in log and metrics; whether it came to its end."""
    try:
        reading = await poller.read(datetime.now(UTC))
    except FeedRefusedError as error:
        raise SettingsError(f"ENT_BRIDGE__URL, ENT_BRIDGE__AUTHORIZATION_FILE: {error}") from None
    except MissingKeyError as error:
        raise SettingsError(str(error)) from None
    except (FeedUnavailableError, OutboxUnavailableError, StoreUnavailable) as error:
        metrics.FAILURES.inc()
        _log.warning("reading_broke_off", platform=platform, error=str(error), advice="it is tried again by itself")
        return False
    for outcome in ("sent", "known", "ignored"):
        metrics.RECORDS.labels(outcome).inc(getattr(reading, outcome))
    metrics.RECORDS.labels("refused").inc(reading.refused.total())
    for reason, count in reading.refused.items():
        metrics.REFUSED.labels(reason).inc(count)
    metrics.READ_THROUGH.set(reading.read_through.timestamp())
    _log.info(
        "platform_read",
        platform=platform,
        read_through=reading.read_through.isoformat(),
        sent=reading.sent,
        known=reading.known,
        refused=dict(reading.refused),
    )
    return True


def _authorization(settings: BridgeSettings) -> dict[str, str]:
    file = settings.authorization_file
    if file is None:
        return {}
    try:
        return {"Authorization": file.read_text(encoding="utf-8").strip()}
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"ENT_BRIDGE__AUTHORIZATION_FILE: {file} cannot be read") from None
