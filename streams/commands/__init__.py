"""The command line `ent`: one command a file, each a thin shell over what does the work."""

from __future__ import annotations

import sys

import typer

from sinks.base import StoreMisconfigured, StoreUnavailable
from sinks.clickhouse.migrate import MigrationRefused
from streams.backfill.files import FileDamagedError
from streams.backfill.sending import BackfillError
from streams.brokers import BrokerError
from streams.commands.access import access_app
from streams.commands.alerts import alerts_app
from streams.commands.backfill import backfill
from streams.commands.backup import backup, restore
from streams.commands.bridge import bridge_app
from streams.commands.calendar import calendar_app
from streams.commands.chaos import chaos
from streams.commands.collect import collect, token
from streams.commands.dashboards import dashboards_app
from streams.commands.database import database
from streams.commands.dead_letters import dead_letters_app
from streams.commands.decode import decode
from streams.commands.demo import demo
from streams.commands.directory import directory_app
from streams.commands.doctor import doctor
from streams.commands.examples import attach_examples
from streams.commands.ledger import ledger_app
from streams.commands.migrate import migrate
from streams.commands.pauses import pauses_app
from streams.commands.privacy import privacy_app
from streams.commands.publish import publish
from streams.commands.simulate import simulate
from streams.commands.smoke import smoke
from streams.commands.status import status
from streams.commands.topics import topics
from streams.commands.worker import worker
from streams.kafka_security import SecurityError
from streams.producer import ProducerError
from streams.settings import SettingsError
from streams.topics import TopicError

app = typer.Typer(
    name="ent",
    help="Exact, live adoption figures of French school ENTs: Kafka, Faust, ClickHouse, Grafana.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_COMMANDS = (
    demo,
    worker,
    collect,
    token,
    database,
    migrate,
    topics,
    decode,
    simulate,
    smoke,
    backfill,
    publish,
    chaos,
    doctor,
    status,
    backup,
    restore,
)
for command in _COMMANDS:
    app.command()(command)
app.add_typer(directory_app, name="directory")
app.add_typer(dashboards_app, name="dashboards")
app.add_typer(bridge_app, name="bridge")
app.add_typer(ledger_app, name="ledger")
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(pauses_app, name="pauses")
app.add_typer(calendar_app, name="calendar")
app.add_typer(alerts_app, name="alerts")
app.add_typer(privacy_app, name="privacy")
app.add_typer(access_app, name="access")
app.add_typer(calendar_app, name="calendar")
attach_examples(app)

_MENDABLE = (
    SettingsError,
    StoreMisconfigured,
    StoreUnavailable,
    MigrationRefused,
    BrokerError,
    TopicError,
    ProducerError,
    SecurityError,
    BackfillError,
    FileDamagedError,
)


def main() -> None:
    """Run the command line; an error that an operator can mend is said in one line, without a trace."""
    try:
        app()
    except _MENDABLE as error:
        sys.stderr.write(f"ent: {error}\n")
        sys.exit(2)
