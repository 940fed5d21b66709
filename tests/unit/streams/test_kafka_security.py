"""The settings of TLS and SASL: what makes no sense is refused, and no password is shown."""

from __future__ import annotations

import ssl
from pathlib import Path

import faust
import pytest
from pydantic import ValidationError

from streams.kafka_security import KafkaSecurity, SecurityError
from streams.transport.credentials import credentials
from tests.certificates import make_authority

PASSWORD = "a-password-that-is-never-shown"


@pytest.mark.parametrize(
    "given",
    [
        {"protocol": "SASL_SSL"},
        {"protocol": "SASL_SSL", "user": "u"},
        {"protocol": "SASL_SSL", "user": "u", "password": PASSWORD, "password_file": "also"},
        {"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "user": "u", "password": PASSWORD},
        {"protocol": "SSL", "key_file": "key"},
        {"protocol": "TLS"},
    ],
)
def test_half_a_setting_is_refused_without_its_secret(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        KafkaSecurity.model_validate(given)
    assert PASSWORD not in str(caught.value)


def test_a_plain_connection_is_the_default() -> None:
    assert KafkaSecurity().options() == {"security_protocol": "PLAINTEXT", "ssl_context": None}
    assert credentials(KafkaSecurity().options()) is None


def test_the_brokers_certificate_and_name_are_always_checked(tmp_path: Path) -> None:
    """From TLS 1.2 on; there is no setting that turns it off."""
    authority = make_authority(tmp_path)
    context = KafkaSecurity(protocol="SSL", ca_file=authority.ca).options()["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_faust_gets_the_same(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    security = KafkaSecurity(protocol="SASL_SSL", user="u", password_file=file, mechanism="SCRAM-SHA-256")
    made = credentials(security.options())
    assert isinstance(made, faust.SASLCredentials)
    assert (made.username, made.password, made.mechanism.value) == ("u", PASSWORD, "SCRAM-SHA-256")
    assert made.protocol.value == "SASL_SSL"
    assert PASSWORD not in repr(made) + repr(security)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecurityError, match="absent"):
        KafkaSecurity(protocol="SSL", ca_file=tmp_path / "absent").options()
    with pytest.raises(SecurityError, match="absent"):
        KafkaSecurity(
            protocol="SASL_SSL", user="u", password_file=tmp_path / "absent", mechanism="SCRAM-SHA-512"
        ).options()
