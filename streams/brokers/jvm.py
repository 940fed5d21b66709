"""A real Apache Kafka on this machine: KRaft nodes as child processes, no container, loopback only.

One node is ready in 3 to 8 seconds. It needs Java 17 and, the first time, Maven.
"""

from __future__ import annotations

import base64
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streams.brokers.broker import BrokerError
from streams.brokers.jars import kafka_jars

_HOST = "127.0.0.1"
_READY_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 15.0

_LOG4J = """<Configuration status="WARN"><Appenders><Console name="c"><PatternLayout pattern="%d %p %c - %m%n"/>
</Console></Appenders><Loggers><Root level="WARN"><AppenderRef ref="c"/></Root></Loggers></Configuration>
"""

_QUICK: Mapping[str, str] = {
    "group.initial.rebalance.delay.ms": "0",  # stock: the first join waits 3 s for more members
    "group.min.session.timeout.ms": "1000",  # stock refuses sessions below 6 s
    "offsets.topic.num.partitions": "4",  # stock: 50 of each are slow to create
    "transaction.state.log.num.partitions": "4",
    "broker.session.timeout.ms": "2000",  # stock: a killed node may come back after 9 s
    "broker.heartbeat.interval.ms": "500",
    "auto.create.topics.enable": "false",
    "log.retention.check.interval.ms": "1000",
    "log.cleaner.backoff.ms": "500",
    "log.segment.delete.delay.ms": "500",
}
"""Small and quick, where Kafka's defaults suit a cluster; `properties` of JvmBroker overrides them."""


class JvmBroker:
    """Apache Kafka with `nodes` combined broker and controller nodes; started when constructed.

    The data is kept in `folder` and found again by the next broker on the same folder; without one it goes when the
    broker stops. Raises BrokerError where Java or Maven is missing or a node does not become ready.
    """

    api_version = None

    def __init__(
        self,
        nodes: int = 1,
        *,
        folder: Path | None = None,
        heap_mb: int = 512,
        properties: Mapping[str, str] | None = None,
        listeners: Mapping[str, str] | None = None,
    ) -> None:
        """`listeners`: name -> protocol of more of them, whose `properties` begin with `listener.name.`; one node only.

        Each is at `address` of its name.
        """
        self._jars = kafka_jars()
        self._folder = folder or Path(tempfile.mkdtemp(prefix="ent-kafka-"))
        self._keep = folder is not None
        self._heap_mb = heap_mb
        self._nodes = range(1, nodes + 1)
        self._listeners = listeners or {}
        ports = free_ports(2 * nodes + len(self._listeners))
        self._addresses = dict(zip(self._listeners, (f"{_HOST}:{port}" for port in ports[2 * nodes :]), strict=True))
        self._broker_port = dict(zip(self._nodes, ports[:nodes], strict=True))
        self._controller_port = dict(zip(self._nodes, ports[nodes : 2 * nodes], strict=True))
        self._properties = {**_QUICK, **_replication(nodes), **(properties or {})}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        try:
            cluster_id = self._cluster_id()
            for node in self._nodes:
                self._prepare(node, cluster_id)
            for node in self._nodes:
                self._launch(node)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    @property
    def bootstrap(self) -> str:
        return ",".join(f"{_HOST}:{port}" for port in self._broker_port.values())

    def address(self, listener: str) -> str:
        """Where one of the further listeners is, as host:port."""
        return self._addresses[listener]

    def create_topic(self, name: str, partitions: int, configs: Mapping[str, str] | None = None) -> None:
        """`configs` are Kafka's settings of a topic, such as cleanup.policy."""
        topic = {"num_partitions": partitions, "replication_factor": min(3, len(self._nodes)), "configs": configs or {}}
        with self.administration() as admin:
            admin.create_topics({name: topic}, wait_for_metadata=True)

    def administration(self) -> Any:
        """A kafka-python KafkaAdminClient; the caller closes it."""
        return KafkaAdminClient(bootstrap_servers=self.bootstrap.split(","), bootstrap_timeout_ms=5000)

    def kill(self, node: int = 1) -> None:
        """End a node at once, as a power cut of its process; its data stays."""
        process = self._processes.pop(node)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def start_node(self, node: int = 1) -> None:
        """Start a node that was killed, on its data; returns when it serves."""
        self._launch(node)
        self._wait_until_ready()

    def stop(self) -> None:
        processes = list(self._processes.values())
        self._processes.clear()
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if not self._keep:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _home(self, node: int) -> Path:
        return self._folder / f"node{node}"

    def _log(self, node: int) -> Path:
        return self._home(node) / "log"

    def _cluster_id(self) -> str:
        """The one the folder was formatted with, or a new one."""
        kept = self._home(1) / "data" / "meta.properties"
        if kept.exists():
            lines = dict(line.split("=", 1) for line in kept.read_text().splitlines() if "=" in line)
            return lines["cluster.id"]
        return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")

    def _prepare(self, node: int, cluster_id: str) -> None:
        home = self._home(node)
        home.mkdir(parents=True, exist_ok=True)
        (home / "log4j2.xml").write_text(_LOG4J)
        broker, controller = (f"{_HOST}:{ports[node]}" for ports in (self._broker_port, self._controller_port))
        properties = {
            "process.roles": "broker,controller",
            "node.id": str(node),
            "controller.quorum.voters": ",".join(f"{i}@{_HOST}:{port}" for i, port in self._controller_port.items()),
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": str(home / "data"),
            **self._properties,
        }
        for listener, protocol in self._listeners.items():
            for name in ("listeners", "advertised.listeners"):
                properties[name] += f",{listener}://{self.address(listener)}"
            properties["listener.security.protocol.map"] += f",{listener}:{protocol}"
        settings = home / "server.properties"
        settings.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        if (home / "data" / "meta.properties").exists():
            return
        # An id may begin with a dash, which only the form with an equals sign takes for a value.
        arguments = ("format", f"--cluster-id={cluster_id}", "-c", str(settings))
        format_ = self._java(node, "kafka.tools.StorageTool", *arguments)
        done = subprocess.run(format_, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BrokerError(f"Kafka could not format {home}: {done.stdout[-1000:]}{done.stderr[-1000:]}")

    def _java(self, node: int, main: str, *arguments: str) -> list[str]:
        options = [f"-Xmx{self._heap_mb}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        log4j = f"-Dlog4j2.configurationFile={self._home(node) / 'log4j2.xml'}"
        return ["java", *options, log4j, "-cp", f"{self._jars}/*", main, *arguments]

    def _launch(self, node: int) -> None:
        command = self._java(node, "kafka.Kafka", str(self._home(node) / "server.properties"))
        with self._log(node).open("ab") as log:
            # A session of its own: Ctrl-C reaches us alone, and the broker outlives the workers that must still commit.
            self._processes[node] = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while time.monotonic() < deadline:
            for node, process in self._processes.items():
                if process.poll() is not None:
                    raise BrokerError(f"Kafka's node {node} ended by itself: {self._last_words(node)}")
            if all(_accepts(self._broker_port[node]) for node in self._processes) and self._registered():
                return
            time.sleep(0.1)
        words = "\n".join(self._last_words(node) for node in self._processes)
        raise BrokerError(f"Kafka was not ready after {_READY_TIMEOUT_S:.0f} s: {words}")

    def _registered(self) -> bool:
        try:
            with self.administration() as admin:
                brokers = admin.describe_cluster()["brokers"]
        except KafkaError:
            return False
        return set(self._processes) <= {broker["broker_id"] for broker in brokers if not broker.get("is_fenced")}

    def _last_words(self, node: int) -> str:
        return self._log(node).read_text(errors="replace")[-2000:]


def _replication(nodes: int) -> dict[str, str]:
    copies = min(3, nodes)
    return {
        "offsets.topic.replication.factor": str(copies),
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": str(max(1, copies - 1)),
        "default.replication.factor": str(copies),
    }


def free_ports(count: int) -> list[int]:
    """TCP ports on loopback that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((_HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((_HOST, port)) == 0
