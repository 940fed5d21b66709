"""Messages go out at least once, are tried again, and are withheld where somebody said so."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import SecretStr

from sinks.clickhouse.alert_tables import Mute, StepRow
from streams.alerting.settings import AlertSettings
from streams.alerting.telling import Channel, ChannelError, Mail, Telling, Webhook, channels_of
from tests.alert_memory import MemoryAlerts

NOW = datetime(2026, 11, 19, 9, 30, tzinfo=UTC)
STEP = StepRow(
    "a1", 1, "opened", NOW, "ecole_silencieuse", "ecole:0689901T", "0689901T", "", NOW, 3, 0.0, 40.0, 20.0, 14.0,
    "Plus de connexions : École des Érables", "Depuis 10:00.", "{}",
)  # fmt: skip


@dataclass
class Flaky:
    """A channel that fails so many times."""

    failures: int = 0
    name: str = "webhook"
    sent: list[StepRow] = field(default_factory=list)

    def send(self, step: StepRow) -> None:
        if self.failures:
            self.failures -= 1
            raise ChannelError("away")
        self.sent.append(step)


def telling(channel: Channel, *steps: StepRow) -> tuple[Telling, MemoryAlerts]:
    alerts = MemoryAlerts()
    alerts.add_steps(steps or [STEP])
    return Telling(alerts, [channel], timedelta(hours=24)), alerts


def outcome(alerts: MemoryAlerts) -> list[tuple[str, int]]:
    return [(delivery.outcome, delivery.attempts) for delivery in alerts.deliveries.values()]


def test_a_step_is_sent_once_and_noted() -> None:
    """The next round has nothing to do."""
    channel = Flaky()
    tell, alerts = telling(channel)
    assert [tell.tell(NOW), tell.tell(NOW)] == [1, 0]
    assert outcome(alerts) == [("sent", 1)]


def test_what_grafana_tells_is_not_told_twice() -> None:
    """The digest never stands, so that no rule of Grafana sees it: it is sent all the same."""
    channel = Flaky()
    digest = replace(STEP, alert_id="bulletin", what="told", kind="bulletin_hebdomadaire", level=2)
    _, alerts = telling(channel, STEP, digest)
    assert Telling(alerts, [channel], timedelta(hours=24), grafana_tells=True).tell(NOW) == 1
    assert channel.sent == [digest]
    assert ("withheld", 0) in outcome(alerts)


def test_a_channel_that_fails_is_left_alone_for_longer_and_longer() -> None:
    """Then everything goes out, and the attempts are known."""
    channel = Flaky(failures=2)
    tell, alerts = telling(channel)
    moments = [NOW + timedelta(seconds=s) for s in (0, 5, 20, 30, 60)]
    assert [tell.tell(moment) for moment in moments] == [0, 0, 0, 0, 1]
    assert outcome(alerts) == [("sent", 3)]


def test_a_process_that_died_before_it_noted_sends_again() -> None:
    """At least once: the same id says that it is the same."""
    channel = Flaky()
    tell, alerts = telling(channel)
    tell.tell(NOW)
    alerts.deliveries.clear()
    Telling(alerts, [channel], timedelta(hours=24)).tell(NOW)
    assert [step.alert_id for step in channel.sent] == ["a1", "a1"]


def test_what_cannot_be_sent_for_a_day_is_given_up() -> None:
    """And says so."""
    channel = Flaky(failures=99)
    tell, alerts = telling(channel)
    tell.tell(NOW + timedelta(hours=25))
    assert outcome(alerts) == [("given_up", 0)]


def test_muted_acknowledged_and_digests_own_steps_are_withheld() -> None:
    """They are on record; nobody is told. A resolution is told even of what was acknowledged."""
    channel = Flaky()
    worse, better = replace(STEP, step=2, what="worsened"), replace(STEP, step=3, what="resolved")
    quiet, muted = replace(STEP, alert_id="b2", level=1), replace(STEP, alert_id="c3", kind="ecole_en_baisse")
    tell, alerts = telling(channel, worse, better, quiet, muted)
    alerts.acks = {"a1"}
    alerts.muted = [Mute("m", "", "ecole_en_baisse", NOW, NOW + timedelta(hours=1), "")]
    assert tell.tell(NOW) == 1
    assert channel.sent == [better]
    assert sorted(outcome(alerts)) == [("sent", 1), ("withheld", 0), ("withheld", 0), ("withheld", 0)]


@contextmanager
def http_server(status: int, bodies: list[bytes]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/alerts"
        server.shutdown()


def test_a_webhook_gets_json_and_anything_but_success_is_a_failure() -> None:
    """The address, which may hold a secret, is never in an error."""
    bodies: list[bytes] = []
    with http_server(204, bodies) as url:
        Webhook(url, 5).send(STEP)
    assert json.loads(bodies[0]) | {"title": STEP.title, "id": "a1/1", "school": "0689901T"} == json.loads(bodies[0])
    with http_server(503, bodies) as url, pytest.raises(ChannelError, match="503"):
        Webhook(url, 5).send(STEP)
    with pytest.raises(ChannelError) as failed:
        Webhook("http://127.0.0.1:9/secret-path", 1).send(STEP)
    assert "secret-path" not in str(failed.value)


@contextmanager
def smtp_server(received: list[str], answer: str = "250 taken") -> Iterator[int]:
    """As much of RFC 5321 as smtplib says."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 test")
            for line in iter(self.rfile.readline, b""):
                word = line.strip().upper()[:4]
                if word == b"DATA":
                    self._say("354 go on")
                    body = iter(self.rfile.readline, b".\r\n")
                    received.append(b"".join(body).decode())
                    self._say(answer)
                elif word == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def test_an_e_mail_has_the_title_and_the_text() -> None:
    """To everybody, under an id that is the same if it comes twice; a refusal is tried again."""
    received: list[str] = []
    with smtp_server(received) as port:
        settings = AlertSettings(smtp_host="127.0.0.1", smtp_port=port, mail_to="a@example.org, b@example.org")
        Mail(settings).send(STEP)
    assert "a1.1@ent-telemetry" in received[0]
    assert "b@example.org" in received[0]
    with smtp_server(received, "451 later") as port, pytest.raises(ChannelError):
        Mail(settings.model_copy(update={"smtp_port": port})).send(STEP)


def test_channels_are_those_that_are_set() -> None:
    """None by default: where there is Grafana, it tells."""
    assert channels_of(AlertSettings()) == []
    both = AlertSettings(webhook_url=SecretStr("http://127.0.0.1/x"), mail_to="a@example.org")
    assert [channel.name for channel in channels_of(both)] == ["webhook", "email"]
