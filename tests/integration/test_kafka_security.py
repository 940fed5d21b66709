"""TLS and SASL by settings, on a real Kafka with a certificate authority of the test."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from pydantic import SecretStr

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.store import ClickHouseStore
from streams.brokers import JvmBroker
from streams.brokers.jvm import free_ports
from streams.demo.scene import Child
from streams.directory.loading import load_directory
from streams.kafka_security import KafkaSecurity
from streams.producer import open_producer
from streams.topics import LOGIN, create_topics, specs
from tests.certificates import Authority, make_authority
from tests.database import client_of
from tests.requirements import need

USER, PASSWORD = "worker", "the-password-of-the-worker"
_LOGIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"
EXAMPLE = Path(__file__).parents[2] / "examples/mulhouse"
pytestmark = [pytest.mark.jvm, pytest.mark.timeout(180)]


@dataclass
class Secured:
    """A Kafka whose listener wants TLS and a password."""

    broker: JvmBroker
    authority: Authority

    def security(self, **other: object) -> KafkaSecurity:
        given = {
            "protocol": "SASL_SSL",
            "mechanism": "PLAIN",
            "ca_file": self.authority.ca,
            "user": USER,
            "password": SecretStr(PASSWORD),
        }
        return KafkaSecurity.model_validate(given | other)

    def environment(self) -> dict[str, str]:
        """The settings of our commands."""
        return {
            "ENT_KAFKA__BOOTSTRAP": self.broker.secured_bootstrap,
            "ENT_KAFKA__SECURITY__PROTOCOL": "SASL_SSL",
            "ENT_KAFKA__SECURITY__MECHANISM": "PLAIN",
            "ENT_KAFKA__SECURITY__CA_FILE": str(self.authority.ca),
            "ENT_KAFKA__SECURITY__USER": USER,
            "ENT_KAFKA__SECURITY__PASSWORD": PASSWORD,
        }


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    need("jvm")
    authority = make_authority(tmp_path_factory.mktemp("authority"))
    store = authority.ca.with_name("keystore.pem")
    store.write_text(authority.key.read_text() + authority.certificate.read_text())
    listener = "listener.name.secured"
    broker = JvmBroker(
        secured={
            f"{listener}.sasl.enabled.mechanisms": "PLAIN",
            f"{listener}.plain.sasl.jaas.config": f'{_LOGIN_MODULE} required user_{USER}="{PASSWORD}";',
            f"{listener}.ssl.keystore.type": "PEM",
            f"{listener}.ssl.keystore.location": str(store),
        }
    )
    yield Secured(broker, authority)
    broker.stop()


def test_every_part_works_through_tls_and_a_password(secured: Secured, tmp_path: Path) -> None:
    """Topics are made, the directory is loaded, a worker consumes and publishes dead letters, all over SASL_SSL."""
    bootstrap, security = secured.broker.secured_bootstrap, secured.security()
    create_topics(bootstrap, specs(2), security=security)
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
            wait_for(ClickHouseStore(client, "ent"), 2)
        finally:
            worker.stop()
        assert client.query_rows("SELECT count() FROM ent.v_events") == [(1,)]
        assert client.query_rows("SELECT count() FROM ent.v_dead_letters") == [(1,)]
    assert PASSWORD not in (tmp_path / "worker.log").read_text()


def wait_for(store: ClickHouseStore, consumed: int) -> None:
    end_s = time.monotonic() + 60
    while sum(line.consumed for line in store.ledger()) < consumed:
        assert time.monotonic() < end_s, "the worker did not take what was sent"
        time.sleep(0.2)


@pytest.mark.parametrize("wrong", ["password", "authority", "protocol"])
def test_whoever_is_not_meant_gets_nowhere(secured: Secured, tmp_path: Path, wrong: str) -> None:
    """A wrong password, a broker whose certificate somebody else signed, no TLS at all."""
    if wrong == "password":
        security = secured.security(password=SecretStr("guessed"))
    elif wrong == "authority":
        security = secured.security(ca_file=make_authority(tmp_path / "other").ca)
    else:
        security = KafkaSecurity()
    with pytest.raises(KafkaError):
        KafkaAdminClient(
            bootstrap_servers=[secured.broker.secured_bootstrap], bootstrap_timeout_ms=3000, **security.options()
        )
