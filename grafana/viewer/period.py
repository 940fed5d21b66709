"""The period of a request: what Grafana sends as `from` and `to`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_628_000, "y": 31_536_000}
_RELATIVE = re.compile(r"now(?:-(\d{1,6})([smhdwMy]))?")
_EPOCH_MS = re.compile(r"-?\d{1,14}")


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, both aware."""

    start: datetime
    end: datetime

    @classmethod
    def read(cls, start: str, end: str, now: datetime) -> "Period":
        """Epoch milliseconds, `now` or `now-6h`, as the page and Grafana's alerting send them. Raises ValueError."""
        return cls(_instant(str(start), now), _instant(str(end), now))


def _instant(text: str, now: datetime) -> datetime:
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return now - timedelta(seconds=int(relative[1] or 0) * _SECONDS[relative[2] or "s"])
    if _EPOCH_MS.fullmatch(text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
    raise ValueError(f"time {text!r} is neither epoch milliseconds nor now-<number><unit>")
