"""What can be set about the batch transport, and the versions it was verified with."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

PINNED = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}


class TransportVersionError(RuntimeError):
    """A library whose private names the transport stands on has another version than the one it was verified with."""


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """The defaults suit thousands of events per second per partition at a tenth of a second of delay."""

    fetch_min_bytes: int = 64 * 1024
    """The broker gathers this much before it answers a fetch, or waits `fetch_max_wait_ms`: fewer, larger batches."""
    fetch_max_wait_ms: int = 100
    """Stock Faust waits 1500 ms, which stalls busy partitions behind idle ones of the same broker."""
    max_batch_records: int = 20_000
    """A batch ends with the producer batch that reaches this many: a compressed fetch can hold far more."""
    read_committed: bool = True
    """Whether records of aborted transactions are left out; they are holes of the batch then."""
    drain_timeout_s: float = 20.0
    """How long a rebalance or a stop waits for the agents; keep it below Faust's `broker_rebalance_timeout`."""
    stop_deadline_s: float = 30.0
    """A stop that takes longer (the broker is away) ends the process at once; keep it above `drain_timeout_s`."""

    def __post_init__(self) -> None:
        if self.stop_deadline_s <= self.drain_timeout_s:
            raise ValueError(
                f"stop_deadline_s={self.stop_deadline_s} must be above drain_timeout_s={self.drain_timeout_s}, "
                "or every slow stop would lose its last commit"
            )


def check_versions() -> None:
    """Raise TransportVersionError unless Faust, mode and aiokafka are the versions that were verified."""
    for name, verified in PINNED.items():
        if (installed := version(name)) != verified:
            raise TransportVersionError(
                f"{name} {installed} is installed, but streams.transport stands on private names of {name} and was "
                f"verified with {verified} only: install {name}=={verified} (make install), or run tests/unit/streams/"
                "transport and tests/integration/transport with the new version and then move the pin in "
                "streams/transport/settings.py"
            )
