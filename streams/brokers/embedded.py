"""A broker inside this process: librdkafka's own test broker, which speaks the Kafka protocol over TCP on loopback.

It comes with confluent-kafka and is ready at once. Its log is in memory: about 5 MB and 100 000 messages a partition,
older ones are trimmed, and every start begins empty. It has groups, commits, transactions and headers, but no
CreateTopics: topics are made here, through librdkafka. A fetch returns one stored producer batch per partition.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from streams.brokers.broker import BrokerError

_PRODUCER = 0
_ONLY_NODE = 1
_ERROR_SIZE = 512


class EmbeddedBroker:
    """One node, ready when constructed; stop it, or use it as a context manager.

    kafka-python cannot ask it for its version and must be told: `api_version`.

    `identity` names this log: it starts over with every broker, so each has an identity of its own.
    """

    api_version = (2, 3)

    def __init__(self, *, rebalance_delay_ms: int = 200) -> None:
        """`rebalance_delay_ms` is how long the first join of a group waits for more members.

        Raises BrokerError where confluent-kafka is not installed or its librdkafka has no test broker.
        """
        self.identity = uuid.uuid4().hex
        self._lib = _load(_library_path())
        error = ctypes.create_string_buffer(_ERROR_SIZE)
        conf = self._lib.rd_kafka_conf_new()
        self._lib.rd_kafka_conf_set(conf, b"log_level", b"0", error, _ERROR_SIZE)
        self._client = self._lib.rd_kafka_new(_PRODUCER, conf, error, _ERROR_SIZE)
        if not self._client:
            raise BrokerError(f"librdkafka did not start: {error.value.decode(errors='replace')}")
        self._cluster = self._lib.rd_kafka_mock_cluster_new(self._client, _ONLY_NODE)
        if not self._cluster:
            self._lib.rd_kafka_destroy(self._client)
            raise BrokerError("librdkafka's broker found no free port on 127.0.0.1")
        self._lib.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, rebalance_delay_ms)
        self._bootstrap: str = self._lib.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    @property
    def bootstrap(self) -> str:
        return self._bootstrap

    def create_topic(self, name: str, partitions: int) -> None:
        self._check(
            "create the topic", name, self._lib.rd_kafka_mock_topic_create(self._open(), name.encode(), partitions, 1)
        )

    def delete_topic(self, name: str) -> None:
        self._check("delete the topic", name, self._lib.rd_kafka_mock_topic_delete(self._open(), name.encode()))

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Forget the records below the offset `before`, as retention does."""
        error = self._lib.rd_kafka_mock_partition_delete_records(self._open(), topic.encode(), partition, before)
        self._check("delete records of", f"{topic}[{partition}]", error)

    def set_down(self) -> None:
        """Close every connection and refuse new ones; the log stays."""
        self._check("take down", "the broker", self._lib.rd_kafka_mock_broker_set_down(self._open(), _ONLY_NODE))

    def set_up(self) -> None:
        """Listen again after `set_down`."""
        self._check("bring up", "the broker", self._lib.rd_kafka_mock_broker_set_up(self._open(), _ONLY_NODE))

    def stop(self) -> None:
        if self._cluster:
            self._lib.rd_kafka_mock_cluster_destroy(self._cluster)
            self._lib.rd_kafka_destroy(self._client)
            self._cluster = self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _open(self) -> Any:
        if not self._cluster:
            raise BrokerError("the embedded broker was stopped: start a new one")
        return self._cluster

    def _check(self, what: str, name: str, error: int) -> None:
        if error:
            reason = self._lib.rd_kafka_err2str(error).decode(errors="replace")
            raise BrokerError(f"the embedded broker could not {what} {name}: {reason}")


def _library_path() -> str:
    """The librdkafka that confluent-kafka brought along, or else the system's."""
    spec = find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        raise BrokerError("the embedded broker needs confluent-kafka: pip install 'ent-telemetry[embedded]'")
    package = Path(spec.origin).parent
    bundled = [
        *package.parent.glob("confluent_kafka.libs/librdkafka*.so*"),  # wheels for Linux
        *package.glob(".dylibs/librdkafka*.dylib"),  # wheels for macOS
    ]
    found = str(bundled[0]) if bundled else ctypes.util.find_library("rdkafka")
    if found is None:
        raise BrokerError(
            "confluent-kafka is installed without its librdkafka (not from a wheel?): "
            "install its wheel, or librdkafka 2.16 or later as a system package, or run a real Kafka (--broker jvm)"
        )
    return found


def _load(path: str) -> ctypes.CDLL:
    lib = ctypes.CDLL(path)
    handle, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    functions: dict[str, tuple[Any, list[Any]]] = {
        "rd_kafka_conf_new": (handle, []),
        "rd_kafka_conf_set": (number, [handle, text, text, text, ctypes.c_size_t]),
        "rd_kafka_new": (handle, [number, handle, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [handle]),
        "rd_kafka_err2str": (text, [number]),
        "rd_kafka_mock_cluster_new": (handle, [handle, number]),
        "rd_kafka_mock_cluster_destroy": (None, [handle]),
        "rd_kafka_mock_cluster_bootstraps": (text, [handle]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [handle, ctypes.c_int32]),
        "rd_kafka_mock_topic_create": (number, [handle, text, number, number]),
        "rd_kafka_mock_topic_delete": (number, [handle, text]),
        "rd_kafka_mock_partition_delete_records": (number, [handle, text, ctypes.c_int32, ctypes.c_int64]),
        "rd_kafka_mock_broker_set_down": (number, [handle, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_up": (number, [handle, ctypes.c_int32]),
    }
    for name, (result, arguments) in functions.items():
        try:
            function = getattr(lib, name)
        except AttributeError:
            raise BrokerError(f"{path} has no {name}: install confluent-kafka 2.16 or later") from None
        function.restype, function.argtypes = result, arguments
    return lib
