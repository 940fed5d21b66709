"""A key for each school year: which pseudonym an id has is decided by when its event happened.

A school year begins on 1 August in Paris, and with it everybody gets another pseudonym, so that nobody can be followed
from one year into the next. An event of July that arrives in August is still of July.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import polars as pl
from pydantic import SecretStr

from schemas.pseudonym import Key, Pseudonyms

_PARIS: Final = ZoneInfo("Europe/Paris")
_FIRST_MONTH: Final = 8
_LINE: Final = re.compile(r"(\d{4})-(\d{4})\s*[:=]\s*(\S+)")


class MissingKeyError(ValueError):
    """There is no key for a school year that has begun; the text says which."""


class MalformedKeysError(ValueError):
    """Lines of keys that cannot be read; the text names the line and never its content."""


class PseudonymsByTime(Protocol):
    """Whoever makes pseudonyms of events."""

    def of(self, at: datetime, /) -> Pseudonyms:
        """The pseudonyms of the school year of `at` (aware)."""

    def keys_at(self, raw: pl.Series, times: pl.Series, /) -> pl.Series:
        """`Pseudonyms.keys`, each id under the key of its event's time (UTC)."""

    def texts_at(self, raw: pl.Series, times: pl.Series, /) -> pl.Series:
        """`Pseudonyms.texts`, likewise."""


def school_year(at: datetime) -> int:
    """The calendar year in which the school year of `at` (aware) began."""
    local = at.astimezone(_PARIS)
    return local.year if local.month >= _FIRST_MONTH else local.year - 1


def end_of_school_year(year: int) -> datetime:
    """When the school year that began in `year` is over: the first moment of the next one."""
    return datetime(year + 1, _FIRST_MONTH, 1, tzinfo=_PARIS)


class Keyring:
    """The keys of school years, by the calendar year in which each began."""

    def __init__(self, keys: Mapping[int, Key] | Key) -> None:
        """`keys` by year; or one secret, from which every year's key is drawn."""
        self._master = keys if isinstance(keys, Key) else None
        self._by_year: dict[int, Pseudonyms] = (
            {} if isinstance(keys, Key) else {year: Pseudonyms(key) for year, key in keys.items()}
        )

    def __repr__(self) -> str:
        return "Keyring(drawn)" if self._master else f"Keyring({sorted(self._by_year)})"

    @classmethod
    def read(cls, secret: SecretStr) -> Keyring:
        """Lines of `2026-2027: secret`, or one secret alone.

        Raises:
            WeakKeyError: a secret is too short or too regular.
            MalformedKeysError: a line is none, or a year comes twice.
        """
        lines = [line.strip() for line in secret.get_secret_value().splitlines() if line.strip()]
        if not is_by_year(secret):
            return cls(Key(secret))
        keys: dict[int, Key] = {}
        for number, line in enumerate(lines, 1):
            found = _LINE.fullmatch(line)
            if found is None or int(found[2]) != int(found[1]) + 1:
                raise MalformedKeysError(f"line {number} is not of the form `2026-2027: secret`")
            if int(found[1]) in keys:
                raise MalformedKeysError(f"line {number}: the school year {found[1]}-{found[2]} comes twice")
            keys[int(found[1])] = Key(SecretStr(found[3]))
        return cls(keys)

    def of(self, at: datetime) -> Pseudonyms:
        """The pseudonyms of the school year of `at` (aware); where its key was destroyed, those of the first year left.

        Raises MissingKeyError for a year after all those that there are keys for: its key was forgotten.
        """
        found = self._held(school_year(at))
        return found if found is not None else self._by_year[min(self._by_year)]

    def years(self, first: datetime, last: datetime) -> dict[int, Pseudonyms]:
        """The pseudonyms of every school year from `first` to `last` (aware) whose key is held."""
        found = {year: self._of_year(year) for year in range(school_year(first), school_year(last) + 1)}
        return {year: pseudonyms for year, pseudonyms in found.items() if pseudonyms is not None}

    def keys_at(self, raw: pl.Series, times: pl.Series) -> pl.Series:
        """Numbers of `raw` by the time of each event; of a year whose key was destroyed: 0, nobody.

        Raises MissingKeyError as `of` does.
        """
        return self._by_time(raw, times, Pseudonyms.keys, pl.Series([0], dtype=pl.UInt64))

    def texts_at(self, raw: pl.Series, times: pl.Series) -> pl.Series:
        """Texts of `raw` likewise; null where the key was destroyed."""
        return self._by_time(raw, times, Pseudonyms.texts, pl.Series([None], dtype=pl.String))

    def _by_time(
        self, raw: pl.Series, times: pl.Series, make: Callable[[Pseudonyms, pl.Series], pl.Series], gone: pl.Series
    ) -> pl.Series:
        first, last = times.min(), times.max()
        if isinstance(first, datetime) and isinstance(last, datetime) and school_year(first) == school_year(last):
            only = self._held(school_year(first))  # nearly always: nothing need be told apart
            if only is not None:
                return make(only, raw)
        made = gone.new_from_index(0, len(raw)).alias(raw.name)
        for year, places in _places_by_year(times):
            pseudonyms = self._held(year)
            if pseudonyms is not None:
                made = made.scatter(places, make(pseudonyms, raw[places]))
        return made

    def _held(self, year: int) -> Pseudonyms | None:
        found = self._of_year(year)
        if found is None and year > max(self._by_year):
            raise MissingKeyError(
                f"there is no pseudonym key for the school year {year}-{year + 1}: add the line "
                f"`{year}-{year + 1}: secret` to what ENT_PSEUDONYM_KEY_FILE names"
            )
        return found

    def _of_year(self, year: int) -> Pseudonyms | None:
        if self._master is not None and year not in self._by_year:
            self._by_year[year] = Pseudonyms(Key(self._master.mac(f"ent: pseudonyms of {year}-{year + 1}".encode())))
        return self._by_year.get(year)


def _places_by_year(times: pl.Series) -> Iterator[tuple[int, pl.Series]]:
    """The school years of `times` (UTC), and where each of them is."""
    local = times.dt.convert_time_zone("Europe/Paris")
    years = local.dt.year() - (local.dt.month() < _FIRST_MONTH).cast(pl.Int32)
    for year in years.unique():
        yield year, (years == year).arg_true()


def is_by_year(secret: SecretStr) -> bool:
    """Whether a secret is written as lines of school years."""
    return any(_LINE.match(line.strip()) for line in secret.get_secret_value().splitlines())
