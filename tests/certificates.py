"""A certificate authority for tests, a server's certificate for the loopback interface, and a client's."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]


@dataclass(frozen=True)
class Authority:
    """PEM files: who signs, a server's certificate for 127.0.0.1 and localhost, a client's, and their keys."""

    ca: Path
    certificate: Path
    key: Path
    client_certificate: Path
    client_key: Path


def make_authority(folder: Path, name: str = "test") -> Authority:
    """Draw one with the command openssl; the test is skipped where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    _openssl("req", "-x509", *_CURVE, "-subj", f"/CN={name} CA", "-keyout", str(ca_key), "-out", str(ca))
    files = [folder / f"{of}.{end}" for of in ("server", "client") for end in ("pem", "key")]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    for certificate, key, more in ((files[0], files[1], names), (files[2], files[3], [])):
        request = ["req", "-x509", *_CURVE, "-subj", f"/CN={name}", "-addext", "basicConstraints=CA:FALSE", *more]
        _openssl(*request, "-CA", str(ca), "-CAkey", str(ca_key), "-keyout", str(key), "-out", str(certificate))
    return Authority(ca, *files)


def _openssl(*arguments: str) -> None:
    try:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs the command openssl: install the package openssl")
