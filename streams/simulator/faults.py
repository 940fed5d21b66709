"""What goes wrong on the way from platforms to Kafka, each by its rate."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True)
class Faults:
    """Rates from 0 to 1, each per event that happens."""

    duplicates: float = 0.0
    """Events that are sent a second time, some of them to another partition."""
    late: float = 0.0
    """Events that arrive minutes to a day after they happened."""
    disorder: float = 0.0
    """Events that later ones overtake."""
    malformed: float = 0.0
    """Records beside the events that cannot be read."""
    unknown_class: float = 0.0
    """Events of classes that the directory does not have."""
    unknown_school: float = 0.0
    """Events of schools that the directory does not have."""
    tombstones: float = 0.0
    """Records without a value; on a broker only, for a file has no line for them."""
    ignored: float = 0.0
    """Valid documents of a platform of types that are not counted."""

    def __post_init__(self) -> None:
        """Raise ValueError for what is no rate."""
        for rate in fields(self):
            value = getattr(self, rate.name)
            if not 0 <= value <= 1:
                raise ValueError(f"the rate of {rate.name} is {value}: give a number from 0 to 1")

    @classmethod
    def lively(cls) -> Self:
        """Some of everything, more than a healthy platform would send."""
        return cls(
            duplicates=0.01,
            late=0.01,
            disorder=0.02,
            malformed=0.003,
            unknown_class=0.004,
            unknown_school=0.001,
            tombstones=0.0005,
            ignored=0.01,
        )
