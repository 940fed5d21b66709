"""Who is meant by an erasure: the pseudonyms of a person in every school year of which there can be events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from schemas.keyring import Keyring, end_of_school_year


def persons_of(keyring: Keyring, ids: Iterable[str], now: datetime, kept: timedelta) -> dict[int, datetime]:
    """Number of each pseudonym of `ids` -> until when it is kept out: its year's end, and as long as events are `kept`.

    An event of July that is read in again in August would otherwise bring the person back.
    """
    years = keyring.years(now - kept, now + timedelta(days=1))
    return {
        pseudonyms.number(each): (end_of_school_year(year) + kept).astimezone(UTC)
        for year, pseudonyms in years.items()
        for each in ids
    }
