"""How long the calendar still lasts: it complains before it ends, and after that nothing is concluded from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

WARNED_BEFORE: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Horizon:
    """The end of what is known, as seen from a day."""

    after: date
    """The first day that is not known for every school."""
    today: date

    @property
    def left_days(self) -> int:
        """Days that are still known, today included; 0 once it has ended."""
        return max((self.after - self.today).days, 0)

    @property
    def expired(self) -> bool:
        """Whether today is beyond it."""
        return self.today >= self.after

    @property
    def near(self) -> bool:
        """Whether it is time to load the next years, or too late."""
        return self.after - self.today < WARNED_BEFORE
