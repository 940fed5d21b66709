"""What the collector can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(gt=0)]


class CollectorSettings(BaseModel):
    """The section `collector` of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Where the collector listens for platforms.")
    port: int = Field(8090, ge=0, le=65535, description="Its port; 0: any free one.")
    tokens_file: Path | None = Field(None, description="TOML file of the platforms' tokens; `ent token` makes entries.")
    tls_certificate: Path | None = Field(None, description="PEM chain; without it TLS is a proxy's affair.")
    tls_key: Path | None = Field(None, description="PEM key of the certificate.")
    max_body_bytes: int = Field(4 * 2**20, ge=1024, description="A request's body as sent, at most.")
    max_decoded_bytes: int = Field(32 * 2**20, ge=1024, description="The same after decompression.")
    max_records: int = Field(5_000, ge=1, description="Records of one request, at most.")
    max_waiting_bytes: int = Field(256 * 2**20, ge=1024, description="Bodies that may be in work at once; else 503.")
    max_connections: int = Field(1_000, ge=1, description="Open connections; more are closed at once.")
    rate_records_s: Seconds = Field(20_000.0, description="Records per second and platform over time; else 429.")
    header_timeout_s: Seconds = Field(10.0, description="For the whole head of a request.")
    body_timeout_s: Seconds = Field(30.0, description="For the whole body of a request.")
    kafka_timeout_s: Seconds = Field(10.0, description="For Kafka's acknowledgement; else 503.")

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("TLS needs both tls_certificate and tls_key")
        return self
