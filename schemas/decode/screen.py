"""What msgspec skips over and pydantic does not: faults inside fields that are ignored.

pydantic's JSON parser looks inside ignored fields too. What msgspec may wrongly skip is one of: a number of more than
4 300 digits, nesting deeper than 200 (at least 400 brackets), bytes that are not UTF-8.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

LONGEST_BYTES = 4096
DEEPEST = 200
_PIECE = 256


def texts(records: Sequence[bytes | None]) -> pl.Series:
    """The records as text, null where they are none or not UTF-8."""
    raw = pl.Series("text", records, pl.Binary)
    try:
        return raw.cast(pl.String)
    except pl.exceptions.ComputeError:  # says that some are not UTF-8, and not which
        return pl.concat([_texts(raw.slice(at, _PIECE)) for at in range(0, len(raw), _PIECE)], rechunk=True)


def _texts(raw: pl.Series) -> pl.Series:
    try:
        return raw.cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series("text", [_text(record) for record in raw.to_list()], pl.String)


def _text(record: bytes | None) -> str | None:
    try:
        return None if record is None else record.decode()
    except UnicodeDecodeError:
        return None


def doubtful(text: pl.Series) -> list[int]:
    """Places of the records in which an ignored field could hide what pydantic refuses."""
    suspect = (text.str.len_bytes() >= 2 * DEEPEST).fill_null(value=True)
    places = suspect.arg_true()
    if places.is_empty():
        return []
    some = pl.col("text")
    hiding = (some.str.len_bytes() > LONGEST_BYTES) | (some.str.count_matches(r"[\[{]") >= DEEPEST)
    found = text.gather(places).alias("text").to_frame().select(hiding.fill_null(value=True)).to_series()
    return places.filter(found).to_list()
