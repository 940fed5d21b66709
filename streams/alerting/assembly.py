"""The alert service on one database: the parts put together."""

from __future__ import annotations

from datetime import timedelta

from sinks.clickhouse.alert_tables import AlertTables
from sinks.clickhouse.client import Client
from sinks.clickhouse.logins import LoginTables
from sinks.clickhouse.school_time import SchoolTimeTables
from streams.alerting.service import AlertService
from streams.alerting.settings import AlertSettings
from streams.alerting.tables import Tables
from streams.alerting.telling import Telling, channels_of


def assemble(client: Client, database: str, settings: AlertSettings) -> AlertService:
    """A service that has not looked at anything yet."""
    alerts = AlertTables(client, database)
    tables = Tables(SchoolTimeTables(client, database), LoginTables(client, database), alerts)
    give_up = timedelta(seconds=settings.give_up_s)
    telling = Telling(alerts, channels_of(settings), give_up, grafana_tells=settings.grafana_tells)
    return AlertService(tables, settings, telling)
