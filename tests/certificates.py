"""A certificate authority for tests, and a server's certificate for the loopback interface."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]


@dataclass(frozen=True)
class Authority:
    """PEM files: who signs, and a server's certificate with its key, for 127.0.0.1 and localhost."""

    ca: Path
    certificate: Path
    key: Path


def make_authority(folder: Path, name: str = "test") -> Authority:
    """Draw one with the command openssl; the test is skipped where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    made = Authority(ca, folder / "server.pem", folder / "server.key")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    _openssl("req", "-x509", *_CURVE, "-subj", f"/CN={name} CA", "-keyout", str(ca_key), "-out", str(ca))
    request = [
        "req",
        "-x509",
        *_CURVE,
        "-subj",
        f"/CN={name}",
        "-addext",
        names,
        "-addext",
        "basicConstraints=CA:FALSE",
    ]
    signed = ["-CA", str(ca), "-CAkey", str(ca_key), "-keyout", str(made.key), "-out", str(made.certificate)]
    _openssl(*request, *signed)
    return made


def _openssl(*arguments: str) -> None:
    try:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs the command openssl: install the package openssl")
