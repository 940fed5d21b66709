"""The fixed list of grains in which figures are published. There is no other grouping: see docs/adr/0033.

Each is defined once, as the view `v_<name>` of the exact reading; this says what of it is published how often.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MINUTE_S, QUARTER_S, HOUR_S = 60, 900, 3600


class Window(StrEnum):
    """Over which time a figure counts, by days of Paris; a week begins on Monday, a month on its first day."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Grain:
    """One published table."""

    name: str
    window: Window
    tick_s: int
    """While its window is open, it is rewritten at most once in so many seconds."""
    place: str = ""
    """The column that says where; empty: the whole territory."""
    kinds: tuple[str, ...] = ()
    """The columns that say what: profile, application, hour, class."""
    counts: tuple[str, ...] = ()
    """What is counted beside the persons: logins, visits."""

    @property
    def view(self) -> str:
        """The view's name, the same in both readings."""
        return f"v_{self.name}"


_BOTH = ("logins", "visits")
GRAINS = (
    Grain("territory_day", Window.DAY, MINUTE_S, counts=_BOTH),
    Grain("territory_profile_day", Window.DAY, HOUR_S, "", ("profile",), _BOTH),
    Grain("territory_profile_hour", Window.DAY, HOUR_S, "", ("profile", "hour"), ("logins",)),
    Grain("circonscription_profile_day", Window.DAY, HOUR_S, "circonscription", ("profile",), _BOTH),
    Grain("pole_profile_day", Window.DAY, HOUR_S, "pole", ("profile",), _BOTH),
    Grain("school_day", Window.DAY, QUARTER_S, "uai", (), _BOTH),
    Grain("school_profile_day", Window.DAY, HOUR_S, "uai", ("profile",), _BOTH),
    Grain("school_app_day", Window.DAY, HOUR_S, "uai", ("app",), ("visits",)),
    Grain("school_hour", Window.DAY, HOUR_S, "uai", ("hour",), ("logins",)),
    Grain("class_day", Window.DAY, HOUR_S, "uai", ("class_id",)),
    Grain("school_week", Window.WEEK, HOUR_S, "uai", (), _BOTH),
    Grain("school_profile_week", Window.WEEK, HOUR_S, "uai", ("profile",), _BOTH),
    Grain("school_app_week", Window.WEEK, HOUR_S, "uai", ("app",), ("visits",)),
    Grain("class_week", Window.WEEK, HOUR_S, "uai", ("class_id",)),
)

KEPT = (
    *GRAINS,
    Grain("territory_month", Window.MONTH, HOUR_S, counts=_BOTH),
    Grain("territory_profile_month", Window.MONTH, HOUR_S, "", ("profile",), _BOTH),
    Grain("school_month", Window.MONTH, HOUR_S, "uai", (), _BOTH),
    Grain("school_profile_month", Window.MONTH, HOUR_S, "uai", ("profile",), _BOTH),
    Grain("school_app_month", Window.MONTH, HOUR_S, "uai", ("app",), ("visits",)),
)
"""The grains whose exact counts outlive the states: those that are published, and months."""
