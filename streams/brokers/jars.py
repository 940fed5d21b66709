"""Apache Kafka's jars, fetched once by Maven and kept in a cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import mkdtemp

from streams.brokers.broker import BrokerError

KAFKA_VERSION = "4.4.0"
_LOG4J_VERSION = "2.25.3"

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>ent-telemetry</groupId><artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA_VERSION}</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>{_LOG4J_VERSION}</version></dependency>
</dependencies></project>
"""


def kafka_jars() -> Path:
    """The folder with Kafka's jars; Maven fetches them the first time.

    They are kept in ENT_KAFKA_CACHE, or else in ent-telemetry/kafka/<version> of the user's cache folder. Raises
    BrokerError where java or mvn is missing or Maven fails.
    """
    missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
    if missing:
        raise BrokerError(
            f"a real Kafka needs {' and '.join(missing)}: install the packages default-jre-headless and maven"
        )
    home = _cache()
    jars = home / "jars"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        flock(lock, LOCK_EX)  # two that fetch at once would meet in Maven's own cache
        if not jars.is_dir():
            _fetch(home, jars)
    return jars


def _cache() -> Path:
    if named := os.environ.get("ENT_KAFKA_CACHE"):
        return Path(named)
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "ent-telemetry" / "kafka" / KAFKA_VERSION


def _fetch(home: Path, jars: Path) -> None:
    part = Path(mkdtemp(prefix="jars-", dir=home))
    try:
        (part / "pom.xml").write_text(_POM)
        command = ["mvn", "-q", "-B", "-f", str(part / "pom.xml"), "dependency:copy-dependencies"]
        done = subprocess.run(
            [*command, f"-DoutputDirectory={part / 'jars'}"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BrokerError(
                f"Maven could not fetch Kafka {KAFKA_VERSION}; is its repository reachable?\n{done.stdout[-2000:]}"
            )
        (part / "jars").rename(jars)
    finally:
        shutil.rmtree(part, ignore_errors=True)
