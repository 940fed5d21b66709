"""What happens on a day, in columns: the numbers that stand for things, and the columns themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.reason import Drop, Reason

LOGIN, ACTIVATION, APP_VISIT, NOTIFICATION, IGNORED, MALFORMED, TOMBSTONE = range(7)
"""What a row is; the last three are no events."""
TYPES: Final = ("login", "activation", "app_visit", "notification")
STRUCTURED, BINARY, ENTCORE = range(3)
"""How a row is written."""
OUTCOMES: Final = ("accepted", *Reason, *Drop)
"""What must become of a row."""
ACCEPTED: Final = 0
NOBODY: Final = -1

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Parallel columns."""

    kind: npt.NDArray[np.uint8]
    outcome: npt.NDArray[np.uint8]
    """Position in OUTCOMES."""
    form: npt.NDArray[np.uint8]
    profile: npt.NDArray[np.uint8]
    """Position in PROFILES, as it is counted."""
    number: Ints
    """What the user's id is made of, or NOBODY."""
    place: npt.NDArray[np.int32]
    app: npt.NDArray[np.int8]
    """Position in APPLICATIONS, of a malformed record in VARIETIES; -1: none."""
    moment_ms: Ints
    """When it happened, in milliseconds since 1970 UTC."""
    class_: npt.NDArray[np.int32]
    """Whose parents are notified; -1: none."""
    recipients: npt.NDArray[np.int32]
    session: npt.NDArray[np.uint32]
    phone: npt.NDArray[np.bool_]
    id_high: npt.NDArray[np.uint64]
    id_low: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, rows: Ints) -> Rows:
        """Some rows, in any order."""
        return Rows(**{name: column[rows] for name, column in vars(self).items()})

    @classmethod
    def together(cls, first: Rows, second: Rows) -> Rows:
        """One after the other."""
        return cls(**{name: np.concatenate([column, getattr(second, name)]) for name, column in vars(first).items()})
