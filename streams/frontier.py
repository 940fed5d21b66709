"""Through which moment each partition is complete: everything that arrived before it is in all windows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from streams.batch import Batch

Partition = tuple[str, int]


@dataclass
class _State:
    in_flight: deque[tuple[int, int]] = field(default_factory=deque)
    """End offset and first arrival (ms) of each batch with records that is not in the windows yet, in order."""
    arrived_ms: int | None = None
    """First arrival of the last batch that is in the windows."""


class Frontier:
    """Follows the arrival times of each partition's batches from delivery to acknowledgement."""

    def __init__(self) -> None:
        self._states: dict[Partition, _State] = {}

    def begin(self, batch: Batch) -> None:
        """A batch was delivered."""
        if batch.timestamps_ms:
            state = self._states.setdefault((batch.topic, batch.partition), _State())
            state.in_flight.append((batch.next_offset, min(batch.timestamps_ms)))

    def finish(self, batch: Batch) -> None:
        """A batch is in all windows."""
        state = self._states.get((batch.topic, batch.partition), _State())
        while state.in_flight and state.in_flight[0][0] <= batch.next_offset:
            _, state.arrived_ms = state.in_flight.popleft()

    def keep_only(self, partitions: set[Partition]) -> None:
        """Forget the partitions that were given to another worker."""
        self._states = {partition: state for partition, state in self._states.items() if partition in partitions}

    def complete_through(self, partition: Partition, lag: int, now: datetime) -> datetime | None:
        """Everything that arrived in `partition` before the answer is in the windows; None where nothing is known yet.

        `lag` is the number of records not in the windows at `now`.
        """
        if lag == 0:
            return now
        state = self._states.get(partition, _State())
        oldest_ms = state.in_flight[0][1] if state.in_flight else state.arrived_ms
        return None if oldest_ms is None else min(datetime.fromtimestamp(oldest_ms / 1000, UTC), now)
