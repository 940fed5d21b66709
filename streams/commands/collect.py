"""`ent collect`: take events over HTTP; `ent token`: let a platform in."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, date, datetime
from typing import Annotated

import structlog
import typer

from schemas.formats import formats_at
from streams.collector.tokens import Tokens, TokensError, make_token
from streams.logs import configure_logs
from streams.pipeline import Limits
from streams.school_keys import require_keys
from streams.settings import Settings, SettingsError, read_settings

_log = structlog.get_logger(__name__)


def collect() -> None:
    """Take events over HTTP and put them on Kafka, until SIGTERM; docs/collector.md says how platforms send them.

    Settings come from variables that begin with ENT_: ENT_KAFKA__BOOTSTRAP, ENT_COLLECTOR__TOKENS_FILE,
    ENT_PSEUDONYM_KEY_FILE, ENT_EVENT_ID_KEY_FILE…
    """
    settings = read_settings()
    configure_logs(settings.log_level)
    if settings.collector.tokens_file is None:
        raise SettingsError("ENT_COLLECTOR__TOKENS_FILE is not set: name a file of entries as `ent token` prints them")
    try:
        tokens = Tokens(settings.collector.tokens_file)
    except TokensError as error:
        raise SettingsError(f"ENT_COLLECTOR__TOKENS_FILE: {error}") from None
    asyncio.run(_collect(settings, tokens))


async def _collect(settings: Settings, tokens: Tokens) -> None:
    from streams.collector import metrics as own  # here, so that the other commands start without a web server
    from streams.collector.admission import Admitter
    from streams.collector.outbox import Outbox
    from streams.collector.service import Collector, serving
    from streams.garbage import spare_what_is_there
    from streams.metrics import Door

    keyring = settings.keyring()
    require_keys(keyring, datetime.now(UTC))
    admitter = Admitter(
        keyring,
        settings.key("event_id_key"),
        formats_at(settings.formats),
        Limits(),
    )
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with Outbox(
        settings.kafka.bootstrap, settings.collector.kafka_timeout_s, settings.kafka.security.options()
    ) as outbox:
        collector = Collector(settings.collector, tokens, admitter, outbox)
        door = Door(settings.metrics_host, settings.metrics_port, lambda: None, collector.ready, own.REGISTRY)
        async with serving(collector, settings.collector) as port:
            door.open()
            spare_what_is_there()
            _log.info("collector_started", port=port, metrics_port=door.port, platforms=sorted(tokens.platforms))
            await stopped.wait()
            _log.info("collector_stopping")
        door.close()


def token(
    platform: Annotated[str, typer.Argument(help="Label of the platform: small letters, digits, - and _.")],
    school: Annotated[
        list[str], typer.Option(help='UAI or id of a structure that it may tell of; "*": every one. May be repeated.')
    ],
    expires: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day on which it is no longer valid.")
    ] = None,
) -> None:
    """Make a token for a platform: the token on standard error, once; the entry for the file on standard output.

    ent token one-villefictive --school 0689901T --school 0689902U >> tokens.toml
    """
    last: date | None = expires.date() if expires else None
    try:
        made = make_token(platform, school, last)
    except TokensError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(f"token, shown this once: {made.secret}", err=True)
    typer.echo(made.entry)
