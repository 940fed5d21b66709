"""What is compared: how each system is started, and the environments that the peers live in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).resolve().parent
_CACHE = HERE / ".cache"
_JVM = (
    "-Xmx1500m",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
)


@dataclass(frozen=True)
class System:
    """One thing that does the job."""

    name: str
    kind: Literal["ours", "framework", "hand-written", "ceiling"]
    script: str
    """A file of bench/peers, or a Java class."""
    package: str
    """Whose version is told."""
    mode: str = ""
    jobs: tuple[str, ...] = ("J1", "J2")
    slow: bool = False
    """It reads a fifth of the records."""
    rounds: int = 99
    java: bool = False
    arguments: tuple[str, ...] = ()

    def command(self) -> list[str]:
        """How it is started."""
        if self.java:
            return ["java", *_JVM, "-cp", classpath(), f"peers.{self.script}"]
        own = self.kind in ("ours", "ceiling")
        python = sys.executable if own else environment_python()
        return [python, str(HERE / "peers" / self.script), *self.arguments]

    def version(self) -> str:
        """Of the package that it stands for; of ours, the project's."""
        if self.kind in ("ours", "ceiling"):
            return _project_version()
        if self.java:
            return _jar_version(self.package)
        pinned = dict(line.split("==") for line in _requirements())
        return pinned[self.package]


_FAUST = ("worker", "-l", "error", "--without-web")
_OURS = ("worker", "-l", "error")


def _peer(name: str, script: str, package: str, mode: str = "", **given: Any) -> System:
    return System(name, "framework", script, package, mode, **given)


SYSTEMS = (
    System("ent-telemetry", "ours", "ours.py", "", arguments=_OURS),
    System("confluent-kafka + msgspec", "hand-written", "confluent_loop.py", "confluent-kafka"),
    System("aiokafka + msgspec", "hand-written", "aiokafka_loop.py", "aiokafka"),
    System("kafka-python + msgspec", "hand-written", "kafka_python_loop.py", "kafka-python", slow=True),
    _peer("Bytewax, windows", "bytewax_windows.py", "bytewax", "windows"),
    _peer("Bytewax, counted in a step", "bytewax_windows.py", "bytewax", "batch"),
    _peer("Quix, windows by group_by", "quix_windows.py", "quixstreams", "group_by", slow=True, rounds=1),
    _peer("Quix, windows by Kafka's key", "quix_windows.py", "quixstreams", "local", slow=True, rounds=1),
    _peer("Faust, agent", "faust_stock.py", "faust-streaming", "agent", slow=True, rounds=1, arguments=_FAUST),
    _peer("Faust, take", "faust_stock.py", "faust-streaming", "take", slow=True, rounds=1, arguments=_FAUST),
    _peer(
        "Faust, tumbling table", "faust_stock.py", "faust-streaming", "table",
        jobs=("J1",), slow=True, rounds=1, arguments=_FAUST,
    ),
    _peer("Kafka Streams, DSL", "StreamsPeer", "kafka-streams", "dsl", java=True),
    _peer("Kafka Streams, Processor API", "StreamsPeer", "kafka-streams", "papi", java=True),
    _peer("Flink", "FlinkPeer", "flink-streaming-java", java=True),
)  # fmt: skip
CEILINGS = tuple(
    System(f"{mode} alone", "ceiling", "ceilings.py", "", mode, ("J2" if mode in ("insert", "serialise") else "J1",),
           arguments=_OURS if mode == "fetch" else ())
    for mode in ("fetch", "decode", "enrich", "serialise", "insert")
)  # fmt: skip


@cache
def environment_python() -> str:
    """The interpreter of the Python peers' own environment, which is made the first time."""
    python = _CACHE / "peers/bin/python"
    stamp = _CACHE / "peers/installed"
    wanted = (HERE / "peers/requirements.txt").read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", _CACHE / "peers"], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", HERE / "peers/requirements.txt"], check=True)
        stamp.write_text(wanted)
    return str(python)


@cache
def classpath() -> str:
    """The classes and jars of the Java peers, which Maven fetches the first time."""
    source, made = HERE / "peers/java", _CACHE / "java"
    missing = [tool for tool in ("java", "javac", "mvn") if shutil.which(tool) is None]
    if missing:
        raise SystemExit(f"the Java peers need {', '.join(missing)}: install a JDK and Maven, or use --only")
    if not (made / "lib").is_dir():
        fetch = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={made / 'lib'}"]
        subprocess.run(fetch, cwd=source, check=True)
    files = sorted(str(path) for path in source.rglob("*.java"))
    subprocess.run(
        ["javac", "--release", "17", "-nowarn", "-cp", f"{made}/lib/*", "-d", made / "classes", *files], check=True
    )
    return f"{made}/classes:{made}/lib/*"


def _requirements() -> list[str]:
    lines = (HERE / "peers/requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _jar_version(artifact: str) -> str:
    jar = next((_CACHE / "java/lib").glob(f"{artifact}-[0-9]*.jar"))
    return jar.stem.removeprefix(f"{artifact}-")


def _project_version() -> str:
    return version("ent-telemetry")
