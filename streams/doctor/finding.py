"""What a look at one thing came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it stands."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One line of the answer."""

    check: str
    verdict: Verdict
    told: str
    remedy: str = ""
    """What to do; of what is ok nothing."""

    def __str__(self) -> str:
        line = f"{self.verdict.value.upper():<8}{self.check:<12}{self.told}"
        return f"{line}\n{'':20}-> {self.remedy}" if self.remedy else line


def ok(check: str, told: str) -> Finding:
    """It is as it should be."""
    return Finding(check, Verdict.OK, told)


def warning(check: str, told: str, remedy: str) -> Finding:
    """It works, and will not for long or not well."""
    return Finding(check, Verdict.WARNING, told, remedy)


def wrong(check: str, told: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check, Verdict.WRONG, told, remedy)


def skipped(check: str, why: str) -> Finding:
    """It could not be looked at, or need not be."""
    return Finding(check, Verdict.SKIPPED, why)


Look = Callable[[], Iterable[Finding]]


def all_of(looks: Iterable[tuple[str, Look]], mendable: tuple[type[Exception], ...]) -> Iterator[Finding]:
    """Each look's findings; one that fails in a way that an operator can mend is a finding itself."""
    for check, look in looks:
        try:
            yield from look()
        except mendable as error:
            yield wrong(check, str(error).splitlines()[0] if str(error) else type(error).__name__, "do what it says")
