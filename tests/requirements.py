"""What some tests need from the machine, and what to say where it is missing."""

import os
import shutil
import subprocess

import pytest

HOW_TO_GET = {
    "jvm": "a Java runtime (17 or later) and Maven: install the packages default-jre-headless and maven",
    "browser": "Chromium: install the package chromium",
    "docker": "a container engine that answers `docker info`",
    "compose": "docker-compose: install the package docker-compose",
    "prometheus": "Prometheus and Alertmanager: install the packages prometheus and prometheus-alertmanager",
}


def need(name: str) -> None:
    """Skip the test, with the way to make it run, where `name` is missing; fail instead where ENT_REQUIRE lists it."""
    if _has(name):
        return
    reason = f"needs {HOW_TO_GET[name]}"
    if name in os.environ.get("ENT_REQUIRE", "").split(","):
        pytest.fail(f"ENT_REQUIRE lists {name}: {reason}")
    pytest.skip(reason)


def chromium() -> str | None:
    """The path of a Chromium on this machine, if there is one."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


def alertmanager() -> str | None:
    """The path of Alertmanager's program, which Debian calls by another name."""
    return shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


def _has(name: str) -> bool:
    if name == "jvm":
        return shutil.which("java") is not None and shutil.which("mvn") is not None
    if name == "browser":
        return chromium() is not None
    if name == "compose":
        return shutil.which("docker-compose") is not None
    if name == "prometheus":
        return alertmanager() is not None and all(shutil.which(tool) for tool in ("prometheus", "promtool", "amtool"))
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False).returncode == 0
