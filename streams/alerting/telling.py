"""Telling people where no Grafana does: e-mail and webhook, each message at least once and noted when it went out."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Final, Protocol

import structlog
import urllib3

from sinks.clickhouse.alert_tables import Delivery, Mute, StepRow
from streams.alerting.episodes import Gravity, What
from streams.alerting.settings import AlertSettings
from streams.alerting.tables import Alerts

_log = structlog.get_logger(__name__)
_FIRST_PAUSE: Final = timedelta(seconds=15)
_LONGEST_PAUSE: Final = timedelta(minutes=15)


class ChannelError(RuntimeError):
    """A message could not be handed over; it is tried again."""


class Channel(Protocol):
    """A way to reach people."""

    @property
    def name(self) -> str:
        """What its deliveries are noted under."""
        ...

    def send(self, step: StepRow) -> None:
        """Hand the message over; raises ChannelError. The same message may be sent twice: its id says so."""


@dataclass(frozen=True)
class Webhook:
    """An address that takes JSON by POST."""

    url: str
    timeout_s: float
    name: str = "webhook"

    def send(self, step: StepRow) -> None:
        """Any answer of the 200s counts as taken."""
        try:
            answer = urllib3.request("POST", self.url, json=as_json(step), timeout=self.timeout_s, retries=False)
        except urllib3.exceptions.HTTPError as error:
            raise ChannelError(f"the webhook cannot be reached: {type(error).__name__}") from None
        if not 200 <= answer.status < 300:
            raise ChannelError(f"the webhook answered {answer.status}")


@dataclass(frozen=True)
class Mail:
    """E-mail by SMTP."""

    settings: AlertSettings
    name: str = "email"

    def send(self, step: StepRow) -> None:
        """Taken once the server has accepted it for every recipient."""
        settings = self.settings
        message = EmailMessage()
        message["Subject"] = step.title
        message["From"] = settings.mail_from
        message["To"] = settings.mail_to
        message["Message-ID"] = f"<{step.alert_id}.{step.step}@ent-telemetry>"
        message.set_content(step.text)
        try:
            with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=settings.send_timeout_s) as server:
                if settings.smtp_tls:
                    server.starttls()
                if settings.smtp_user:
                    server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
                refused = server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise ChannelError(f"the mail server did not take it: {type(error).__name__}") from None
        if refused:
            raise ChannelError(f"the mail server refused {len(refused)} of the recipients")


def channels_of(settings: AlertSettings) -> list[Channel]:
    """The channels that are set."""
    channels: list[Channel] = []
    if settings.webhook_url is not None:
        channels.append(Webhook(settings.webhook_url.get_secret_value(), settings.send_timeout_s))
    if settings.mail_to:
        channels.append(Mail(settings))
    return channels


def as_json(step: StepRow) -> dict[str, object]:
    """What a webhook gets: `id` is the same where a message comes twice."""
    return {
        "id": f"{step.alert_id}/{step.step}",
        "alert": step.alert_id,
        "status": step.what,
        "kind": step.kind,
        "level": step.level,
        "school": step.uai or None,
        "profile": step.profile or None,
        "since": step.since.isoformat(),
        "at": step.at.isoformat(),
        "observed": step.observed,
        "expected": step.expected,
        "title": step.title,
        "text": step.text,
        "details": json.loads(step.details),
    }


class Telling:
    """Works off the steps that were not told yet. A step that was sent and not noted is sent again."""

    def __init__(
        self, tables: Alerts, channels: Sequence[Channel], give_up: timedelta, *, grafana_tells: bool = False
    ) -> None:
        """`grafana_tells`: its rules tell of what stands, so that only what is told once and never stands is sent."""
        self._tables = tables
        self._grafana_tells = grafana_tells
        self._channels = {channel.name: channel for channel in channels}
        self._give_up = give_up
        self._paused: dict[str, tuple[datetime, timedelta]] = {}
        """By channel: until when it is left alone after a failure, and for how long the last time."""

    def tell(self, now: datetime) -> int:
        """Send what is due; the number of messages that went out. Raises `DatabaseFailure`."""
        if not self._channels:
            return 0
        waiting = self._tables.untold(list(self._channels), now - 2 * self._give_up)
        if not waiting:
            return 0
        withheld = _withheld(self._tables.mutes(), self._tables.acknowledged())
        sent = 0
        for step, channel, attempts in waiting:
            if withheld(step) or (self._grafana_tells and step.what != What.TOLD):
                self._note(step, channel, "withheld", attempts, "", now)
            elif now - step.at > self._give_up:
                self._note(step, channel, "given_up", attempts, "it could not be sent for too long", now)
            elif not self._is_paused(channel, now):
                sent += self._try(step, channel, attempts + 1, now)
        return sent

    def _try(self, step: StepRow, channel: str, attempts: int, now: datetime) -> bool:
        try:
            self._channels[channel].send(step)
        except ChannelError as error:
            _log.warning("alert_not_sent", channel=channel, alert=step.alert_id, error=str(error))
            pause = self._paused.get(channel, (now, _FIRST_PAUSE / 2))[1] * 2
            self._paused[channel] = (now + min(pause, _LONGEST_PAUSE), min(pause, _LONGEST_PAUSE))
            self._note(step, channel, "failed", attempts, str(error), now)
            return False
        self._paused.pop(channel, None)
        self._note(step, channel, "sent", attempts, "", now)
        return True

    def _is_paused(self, channel: str, now: datetime) -> bool:
        return channel in self._paused and now < self._paused[channel][0]

    def _note(self, step: StepRow, channel: str, outcome: str, attempts: int, error: str, now: datetime) -> None:
        self._tables.note_delivery(Delivery(step.alert_id, step.step, channel, outcome, attempts, error, now))


def _withheld(mutes: Sequence[Mute], acknowledged: set[str]) -> Callable[[StepRow], bool]:
    """Which steps nobody is told of: digests' own, muted ones, and worse news of what somebody looks after."""

    def is_withheld(step: StepRow) -> bool:
        quiet = step.level == Gravity.DIGEST
        known = step.alert_id in acknowledged and step.what == What.WORSENED
        return quiet or known or any(mute.covers(step) for mute in mutes)

    return is_withheld
