"""The UAI, the national number of a school: seven digits and a check letter.

The letter is the one that stands at (digits mod 23) in an alphabet without I, O and Q; checked against the numbers of
the national school directory. A wrong letter is common in test data of platforms and does no harm to an event, so
events keep it and are flagged; a directory must be right.
"""

from typing import Final

import polars as pl

CHECK_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"


def check_letter(digits: str) -> str:
    """The letter that belongs to seven ASCII `digits`."""
    return CHECK_LETTERS[int(digits) % len(CHECK_LETTERS)]


def has_wrong_letter(uais: pl.Series) -> pl.Series:
    """Whether each of `uais` (strings of the right format, or null) ends in another letter than its digits ask for."""
    digits = uais.str.head(7).cast(pl.UInt32)
    right = pl.Series(list(CHECK_LETTERS)).gather(digits % len(CHECK_LETTERS))
    return (uais.str.tail(1) != right).fill_null(value=False)
