"""TLS and SASL to Kafka, as settings, for every client that we use."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


class SecurityError(ValueError):
    """A certificate, key or password cannot be read; the text names the file."""


class KafkaSecurity(BaseModel):
    """How we speak with the brokers, and as whom."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    protocol: Protocol = Field("PLAINTEXT", description="Kafka's own names; SASL_SSL where others share the network.")
    ca_file: Path | None = Field(None, description="Certificates of who signs the brokers'; by default the system's.")
    certificate_file: Path | None = Field(None, description="Our certificate, where brokers ask for one.")
    key_file: Path | None = Field(None, description="Its key.")
    mechanism: Mechanism = Field("SCRAM-SHA-512", description="How SASL proves the password.")
    user: str | None = Field(None, description="User of SASL.")
    password: SecretStr | None = Field(None, description="Its password.")
    password_file: Path | None = Field(None, description="A file that holds it.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.protocol.startswith("SASL") and (
            not self.user or (self.password is None) == (self.password_file is None)
        ):
            raise ValueError("SASL needs a user, and a password or a file that holds it, not both")
        if self.protocol == "SASL_PLAINTEXT" and self.mechanism == "PLAIN":
            raise ValueError("PLAIN without TLS shows the password to everybody on the way: use SASL_SSL, or SCRAM")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("a certificate and its key belong together")
        return self

    def options(self) -> dict[str, Any]:
        """Keywords of aiokafka's and kafka-python's clients. Raises SecurityError where a file cannot be read."""
        options: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self._context()}
        if self.protocol.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self._secret(),
            }
        return options

    def _context(self) -> ssl.SSLContext | None:
        if not self.protocol.endswith("SSL"):
            return None
        try:
            context = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate_file and self.key_file:
                context.load_cert_chain(self.certificate_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            names = [str(file) for file in (self.ca_file, self.certificate_file, self.key_file) if file]
            raise SecurityError(f"TLS to Kafka: {' or '.join(names)} cannot be used ({error})") from None
        return context

    def _secret(self) -> str:
        if self.password is not None:
            return self.password.get_secret_value()
        assert self.password_file is not None
        try:
            return self.password_file.read_text().strip()
        except OSError as error:
            raise SecurityError(f"{self.password_file} cannot be read ({error.strerror})") from None


OPEN = KafkaSecurity()
"""No TLS and nobody in particular: for brokers on this machine."""
