"""All settings: read from the environment once, checked, and passed down. Nothing else reads the environment.

`ENT_KAFKA__BOOTSTRAP=host:9092` sets `kafka.bootstrap`. Secrets come from a variable or a file and have no defaults.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.formats import Places
from schemas.keyring import Keyring, is_by_year
from schemas.pseudonym import Key
from sinks.clickhouse.client import DatabaseSettings
from sinks.clickhouse.retention import RetentionSettings
from sinks.delivery import Patience
from streams.alerting.settings import AlertSettings
from streams.bridge.settings import BridgeSettings
from streams.collector.settings import CollectorSettings
from streams.kafka_security import KafkaSecurity
from streams.storm import StormLimits
from streams.topics import Lane

Seconds = Annotated[float, Field(gt=0)]
KeyName = Literal["pseudonym_key", "event_id_key"]


class SettingsError(Exception):
    """The environment does not hold what is needed; the message says which variable to set."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(_Section):
    """Where the events are read."""

    bootstrap: str = Field(description="Brokers as host:port, separated by commas.")
    group: str = Field("ent-telemetry", description="Consumer group; all workers of one deployment share it.")
    lane: Lane = Field(
        Lane.LIVE, description="live: what platforms send. backfill: history and replays, in a group of its own."
    )
    instance: str | None = Field(
        None, description="Stable name of this worker (static membership): a restart then does not stop the others."
    )
    session_timeout_s: Seconds = Field(10.0, description="After so long without a heartbeat a worker counts as dead.")
    commit_interval_s: Seconds = Field(0.5, description="Pause between commits.")
    event_partitions: int = Field(4, ge=1, description="Partitions of an event topic where we create it.")
    replication: int = Field(1, ge=1, description="Replicas of a topic where we create it.")
    api_version: tuple[int, int] | None = Field(
        None,
        description="Protocol version for kafka-python where the broker cannot tell it (the embedded one: [2, 3]).",
    )
    log_identity: str | None = Field(
        None, description="Names the logs where the broker gives topics no id (the embedded one)."
    )
    security: KafkaSecurity = Field(default_factory=KafkaSecurity)


class PaceSettings(_Section):
    """How the worker paces itself. The defaults were measured: docs/benchmarks.md."""

    max_rows: int = Field(20_000, ge=1, description="Records taken together at most.")
    max_insert_rows: int = Field(100_000, ge=1, description="Rows of one insert at most, where many records wait.")
    linger_s: float = Field(0.15, ge=0, description="Wait for more records at most.")
    max_held_rows: int = Field(2_000_000, ge=1, description="Stored rows that may wait for their windows.")
    pass_share: float = Field(0.3, gt=0, le=1, description="Share of the time that passes over windows may take.")
    roll_interval_s: Seconds = Field(3.0, description="Pause between passes over hours and days, at least.")
    patience_s: Seconds = Field(1800.0, description="How long the database may be away before the worker stops.")

    def patience(self) -> Patience:
        """The same for the delivery."""
        return Patience(total_s=self.patience_s)


class StormSettings(_Section):
    """When a partition sends so much that is refused that it is paused (`ent pauses`)."""

    ratio: float = Field(0.5, gt=0, le=1, description="Share of refused records above which it is.")
    window: int = Field(2_000, ge=1, description="Records, at least, over which the share is taken.")
    run: int = Field(1_000, ge=1, description="Refused records in a row.")

    def limits(self) -> StormLimits:
        """The same for the watch."""
        return StormLimits(self.ratio, self.window, self.run)


class PublicationSettings(_Section):
    """What viewers may see of small groups."""

    k: int = Field(5, ge=5, le=100, description="Fewest persons of whom a figure is published.")


class _FromEnvironment(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="ENT_", env_nested_delimiter="__", frozen=True, extra="ignore", hide_input_in_errors=True
    )


class DatabaseOnly(_FromEnvironment):
    """What the commands need that only speak with the database."""

    database: DatabaseSettings = Field(default_factory=DatabaseSettings)


class LaneSettings(DatabaseOnly):
    """What the commands need that speak with Kafka and the database, and hold no secret."""

    kafka: KafkaSettings


class _KafkaAsWhom(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    security: KafkaSecurity = Field(default_factory=KafkaSecurity)


class KafkaSecurityOnly(_FromEnvironment):
    """What the commands need that are told the broker on the command line."""

    kafka: _KafkaAsWhom = Field(default_factory=_KafkaAsWhom)


class DatabaseAndAlerts(DatabaseOnly):
    """What the commands need that look after alerts."""

    alerts: AlertSettings = Field(default_factory=AlertSettings)


class Secrets(_FromEnvironment):
    """The keys; each from a variable or from a file."""

    pseudonym_key: SecretStr | None = Field(
        None, description="Secrets of pseudonyms, `2026-2027: secret` a line; or one from which each year's is drawn."
    )
    pseudonym_key_file: Path | None = Field(None, description="A file that holds it.")
    event_id_key: SecretStr | None = Field(
        None, description="Long-lived secret for the ids of events whose platform gives none, 32 bytes or more."
    )
    event_id_key_file: Path | None = Field(None, description="A file that holds it.")

    @model_validator(mode="after")
    def _secrets_are_given_once(self) -> Self:
        for name in ("pseudonym_key", "event_id_key"):
            if getattr(self, name) is not None and getattr(self, f"{name}_file") is not None:
                raise ValueError(f"set ENT_{name.upper()} or ENT_{name.upper()}_FILE, not both")
        return self

    def key(self, name: KeyName) -> Key:
        """One of the secrets; SettingsError where it is missing or weak."""
        key = self.optional_key(name)
        if key is None:
            raise _absent(name)
        return key

    def optional_key(self, name: KeyName) -> Key | None:
        """The same, or None where it is not set."""
        secret = self._secret(name)
        if secret is None:
            return None
        if is_by_year(secret):
            raise SettingsError(f"ENT_{name.upper()} holds a key for each school year where one key is asked for")
        try:
            return Key(secret)
        except ValueError as error:
            raise SettingsError(f"ENT_{name.upper()}: {error}") from None

    def keyring(self) -> Keyring:
        """The pseudonym keys of all school years; SettingsError where there is none, or a weak one."""
        keyring = self.optional_keyring()
        if keyring is None:
            raise _absent("pseudonym_key")
        return keyring

    def optional_keyring(self) -> Keyring | None:
        """The same, or None where it is not set."""
        secret = self._secret("pseudonym_key")
        if secret is None:
            return None
        try:
            return Keyring.read(secret)
        except ValueError as error:
            raise SettingsError(f"ENT_PSEUDONYM_KEY: {error}") from None

    def _secret(self, name: KeyName) -> SecretStr | None:
        secret: SecretStr | None = getattr(self, name)
        file: Path | None = getattr(self, f"{name}_file")
        if secret is not None or file is None:
            return secret
        try:
            return SecretStr(file.read_text().strip())
        except OSError as error:
            raise SettingsError(f"ENT_{name.upper()}_FILE: {file} cannot be read ({error.strerror})") from None


def _absent(name: KeyName) -> SettingsError:
    variable = f"ENT_{name.upper()}"
    return SettingsError(
        f"{variable} is not set: give it 32 random bytes or more (`openssl rand -hex 32`), "
        f"or name a file that holds them in {variable}_FILE. The service does not start without it."
    )


class FormatsOnly(_FromEnvironment):
    """What the commands need that only decode."""

    formats: Places = Field(default_factory=Places)


class ForRetention(DatabaseOnly):
    """What the commands need that see to what is kept how long."""

    retention: RetentionSettings = Field(default_factory=RetentionSettings)


class ForPublication(ForRetention, Secrets):
    """What `ent publish` and `ent privacy erase` need."""

    publication: PublicationSettings = Field(default_factory=PublicationSettings)
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")


class Settings(ForPublication, FormatsOnly, DatabaseAndAlerts):
    """Everything that a worker can be told, from variables that begin with ENT_."""

    kafka: KafkaSettings
    pace: PaceSettings = Field(default_factory=PaceSettings)
    storm: StormSettings = Field(default_factory=StormSettings)
    collector: CollectorSettings = Field(default_factory=CollectorSettings)
    bridge: BridgeSettings = Field(default_factory=BridgeSettings)
    metrics_host: str = Field("127.0.0.1", description="Where /metrics, /healthz and /readyz listen.")
    metrics_port: int = Field(9464, ge=0, le=65535, description="0: any free port.")
    clock_offset_s: float = Field(0.0, description="Moves the worker's clock; for demonstrations and tests.")

    @property
    def clock_offset(self) -> timedelta:
        """The same as a duration."""
        return timedelta(seconds=self.clock_offset_s)


_S = TypeVar("_S", bound=BaseSettings)


def read_settings() -> Settings:
    """The settings of this environment; SettingsError says which variables to set or to mend."""
    return _read(Settings)


def read_database_settings() -> DatabaseSettings:
    """The database's settings alone, for commands that need no Kafka and no secret; SettingsError likewise."""
    return _read(DatabaseOnly).database


def read_places() -> Places:
    """Where documents of Caliper and xAPI name school and profile; SettingsError likewise."""
    return _read(FormatsOnly).formats


def read_lane_settings() -> LaneSettings:
    """Kafka's and the database's settings, for commands that need no secret; SettingsError likewise."""
    return _read(LaneSettings)


def read_kafka_security() -> KafkaSecurity:
    """TLS and SASL to Kafka, for commands that are told the broker; SettingsError likewise."""
    return _read(KafkaSecurityOnly).kafka.security


def read_retention_settings() -> ForRetention:
    """The database's settings, and how long its tables keep their rows; SettingsError likewise."""
    return _read(ForRetention)


def read_publication_settings() -> ForPublication:
    """The settings of `ent publish`; SettingsError likewise."""
    return _read(ForPublication)


def read_alert_settings() -> DatabaseAndAlerts:
    """The database's settings and those of alerting; SettingsError likewise."""
    return _read(DatabaseAndAlerts)


def read_keys() -> tuple[Keyring | None, Key | None]:
    """The pseudonym keys and the event id key, each None where it is not set; SettingsError where one is weak."""
    secrets = _read(Secrets)
    return secrets.optional_keyring(), secrets.optional_key("event_id_key")


def _read(model: type[_S]) -> _S:
    try:
        return model()
    except ValidationError as error:
        lines = [
            _advice(e["loc"], None if e["type"] == "missing" else e["msg"])
            for e in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("\n     ".join(lines)) from None


def _advice(place: tuple[int | str, ...], invalid: str | None) -> str:
    if place == ("kafka",):
        place = ("kafka", "bootstrap")  # a section that is missing as a whole lacks the one thing it has no default for
    variable = "ENT_" + "__".join(str(part).upper() for part in place)
    return f"{variable} is not set" if invalid is None else f"{variable} is not valid: {invalid}"
