"""TLS and SASL by settings, on a real Kafka with a certificate authority of the test."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient, ScramMechanism, UserScramCredentialUpsertion
from kafka.errors import KafkaError
from pydantic import SecretStr
from typer.testing import CliRunner

from sinks.clickhouse.client import Client
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from streams.brokers import JvmBroker
from streams.brokers.jvm import free_ports
from streams.collector.admission import Outgoing
from streams.collector.outbox import Outbox
from streams.commands import app
from streams.demo.scene import Child
from streams.directory.loading import load_directory
from streams.kafka_security import KafkaSecurity
from streams.producer import open_producer
from streams.topics import APP_VISIT, LOGIN, check_topics, create_topics, specs
from tests.certificates import Authority, make_authority
from tests.database import client_of
from tests.requirements import need

USER, PASSWORD = "worker", "the-password-of-the-worker"
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_MODULES = "org.apache.kafka.common.security"
EXAMPLE = Path(__file__).parents[2] / "examples/mulhouse"
pytestmark = [pytest.mark.jvm, pytest.mark.timeout(180)]


@dataclass
class Secured:
    """A Kafka with two listeners: one wants TLS with our certificate, the other one a password as well."""

    broker: JvmBroker
    authority: Authority

    @property
    def bootstrap(self) -> str:
        """The listener that wants both."""
        return self.broker.address("SECURED")

    def security(self, **other: object) -> KafkaSecurity:
        given = {
            "protocol": "SASL_SSL",
            "ca_file": self.authority.ca,
            "certificate_file": self.authority.client_certificate,
            "key_file": self.authority.client_key,
            "user": USER,
            "password": SecretStr(PASSWORD),
        }
        return KafkaSecurity.model_validate(given | other)

    def environment(self) -> dict[str, str]:
        """The settings of our commands."""
        return {
            "ENT_KAFKA__BOOTSTRAP": self.bootstrap,
            "ENT_KAFKA__SECURITY__PROTOCOL": "SASL_SSL",
            "ENT_KAFKA__SECURITY__CA_FILE": str(self.authority.ca),
            "ENT_KAFKA__SECURITY__CERTIFICATE_FILE": str(self.authority.client_certificate),
            "ENT_KAFKA__SECURITY__KEY_FILE": str(self.authority.client_key),
            "ENT_KAFKA__SECURITY__USER": USER,
            "ENT_KAFKA__SECURITY__PASSWORD": PASSWORD,
        }


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    need("jvm")
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    store = authority.ca.with_name("keystore.pem")
    store.write_text(authority.key.read_text() + authority.certificate.read_text())
    tls = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.ca),
        "ssl.client.auth": "required",
    }
    sasl = {"sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"}
    sasl["plain.sasl.jaas.config"] = f'{_MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    for mechanism in SCRAM:
        sasl[f"{mechanism.lower()}.sasl.jaas.config"] = f"{_MODULES}.scram.ScramLoginModule required;"
    properties = {f"listener.name.secured.{name}": value for name, value in (tls | sasl).items()}
    properties |= {f"listener.name.mutual.{name}": value for name, value in tls.items()}
    broker = JvmBroker(listeners={"SECURED": "SASL_SSL", "MUTUAL": "SSL"}, properties=properties)
    with broker.administration() as admin:
        for mechanism in SCRAM:
            of = ScramMechanism[mechanism.replace("-", "_")]
            assert admin.alter_user_scram_credentials([UserScramCredentialUpsertion(USER, of, PASSWORD)]) == {
                USER: None
            }
    create_topics(broker.bootstrap, specs(2))
    yield Secured(broker, authority)
    broker.stop()


@pytest.mark.parametrize("way", ["PLAIN", *SCRAM, "certificate"])
async def test_each_way_to_prove_who_we_are_opens(secured: Secured, way: str) -> None:
    """For the producer of the commands and for the one of collector and bridge."""
    if way == "certificate":
        bootstrap, security = secured.broker.address("MUTUAL"), secured.security(protocol="SSL")
    else:
        bootstrap, security = secured.bootstrap, secured.security(mechanism=way)
    with open_producer(bootstrap, security=security) as producer:
        producer.send(APP_VISIT, b"{}")
    async with Outbox(bootstrap, 10, security.options()) as outbox:
        await outbox.send([Outgoing(APP_VISIT, b"school", b"{}")])


def test_the_simulator_speaks_as_the_settings_say(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the broker named on the command line too; without its settings it gets nowhere, and says where it was."""
    monkeypatch.setattr("streams.producer._START_TIMEOUT_S", 2)
    command = ["simulate", "--broker", secured.bootstrap, "--scale", "0.002", "--start", "2026-11-17"]
    refused = CliRunner().invoke(app, command)
    assert (refused.exit_code, secured.bootstrap in refused.stderr) == (2, True)
    for name, value in secured.environment().items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "records in" in done.stderr


def test_every_part_works_through_tls_and_a_password(secured: Secured, tmp_path: Path) -> None:
    """The directory is loaded, a worker consumes and publishes dead letters, with a password and a certificate."""
    bootstrap, security = secured.bootstrap, secured.security()
    assert check_topics(bootstrap, specs(2), security=security) == []
    assert load_directory(EXAMPLE, bootstrap, security=security).changed
    (port,) = free_ports(1)
    with EmbeddedDatabase(tmp_path / "database") as database:
        client = client_of(database)
        migrate(client, "ent")
        settings = secured.environment() | {
            "ENT_DATABASE__PORT": str(database.port),
            "ENT_DATABASE__PASSWORD": database.password.get_secret_value(),
            "ENT_PSEUDONYM_KEY": "a key of the test of security, 0123456789",
            "ENT_EVENT_ID_KEY": "another key of the test of security 0123456789",
            "ENT_METRICS_PORT": str(port),
        }
        worker = Child("worker", ["streams", "worker", "--stop-with-stdin"], settings, tmp_path / "worker.log")
        try:
            worker.wait_ready(f"http://127.0.0.1:{port}/readyz")
            event = {
                "specversion": "1.0",
                "id": "1",
                "source": "urn:ent:test",
                "type": "fr.ent.login.v1",
                "time": datetime.now(UTC).isoformat(),
                "data": {"uai": ["0680001A"], "profile": "parent", "user": "u"},
            }
            with open_producer(bootstrap, security=security) as producer:
                producer.send(LOGIN, json.dumps(event).encode())
                producer.send(LOGIN, b"refused")
            wait_for_rows(client, "v_events WHERE school = '0680001A'")
            wait_for_rows(client, f"v_dead_letters WHERE topic = '{LOGIN}'")
        finally:
            worker.stop()
    assert PASSWORD not in (tmp_path / "worker.log").read_text()


def wait_for_rows(client: Client, where: str) -> None:
    end_s = time.monotonic() + 60
    while client.query_rows(f"SELECT count() FROM ent.{where}") != [(1,)]:
        assert time.monotonic() < end_s, f"the worker did not store what was sent: {where}"
        time.sleep(0.2)


@pytest.mark.parametrize("wrong", ["password", "authority", "protocol", "certificate", "no certificate"])
def test_whoever_is_not_meant_gets_nowhere(secured: Secured, tmp_path: Path, wrong: str) -> None:
    """A wrong password, a broker that somebody else signed, no TLS, no certificate of ours, or a foreign one."""
    bootstrap, other = secured.bootstrap, make_authority(tmp_path / "other")
    if wrong == "password":
        security = secured.security(password=SecretStr("guessed"))
    elif wrong == "authority":
        security = secured.security(ca_file=other.ca)
    elif wrong == "protocol":
        security = KafkaSecurity()
    else:
        bootstrap = secured.broker.address("MUTUAL")
        own = (other.client_certificate, other.client_key) if wrong == "certificate" else (None, None)
        security = secured.security(protocol="SSL", certificate_file=own[0], key_file=own[1])
    with pytest.raises(KafkaError):
        KafkaAdminClient(bootstrap_servers=[bootstrap], bootstrap_timeout_ms=2000, **security.options())
