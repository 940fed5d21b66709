"""What an event named and the directory did not know, kept so that a corrected directory can be asked again. Pure.

A class's name may hold its teacher's: it is kept as a keyed hash, under the key that is never changed, and the names of
a directory are hashed likewise to find it again. Schools are UAIs or ids of platforms, which the events hold anyhow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from schemas.directory import UNMAPPED
from schemas.pseudonym import Key

_BYTES: Final = 16
_SENT: Final = ("uai", "structures", "classes")
_JSON: Final = pl.Struct(dict.fromkeys(_SENT, pl.List(pl.String())))


def hashes(names: Iterable[str], key: Key) -> dict[str, str]:
    """Each name of a class and its keyed hash, 32 hex digits."""
    distinct = list(dict.fromkeys(names))
    macs = key.macs(b"class\0" + name.encode() for name in distinct)
    return {name: mac[:_BYTES].hex() for name, mac in zip(distinct, macs, strict=True)}


def write_names(sent: pl.DataFrame, enriched: pl.DataFrame, key: Key) -> pl.Series:
    """What to keep of each event: JSON of the lists `uai`, `structures` and `classes`; empty where all was found.

    `sent` is the decoded frame, `enriched` the same events by `streams.enrichment.enrich`.
    """
    blank = pl.Series("named", [""], pl.String).new_from_index(0, len(sent))
    incomplete = _incomplete(sent, enriched).arg_true()
    if not len(incomplete):
        return blank
    names = sent[incomplete].select(_SENT)
    hashed = hashes(names["classes"].explode().drop_nulls(), key)
    classes = pl.col("classes").list.eval(pl.element().replace_strict(hashed, return_dtype=pl.String))
    kept = names.with_columns(classes).select(pl.struct(_SENT).struct.json_encode()).to_series()
    return blank.scatter(incomplete, kept)


def read_names(named: pl.Series, known: Iterable[str], key: Key) -> pl.DataFrame:
    """`uai`, `structures` and `classes` again; a class that is not among the `known` names stays a hash."""
    found = {hashed: name for name, hashed in hashes(known, key).items()}
    frame = named.str.json_decode(_JSON).struct.unnest()
    return frame.with_columns(
        pl.col("classes").list.eval(pl.element().replace_strict(found, default=pl.element(), return_dtype=pl.String))
    )


def _incomplete(sent: pl.DataFrame, enriched: pl.DataFrame) -> pl.Series:
    """Whether the directory did not know some school or class of an event."""
    schools = sent["uai"].list.len().fill_null(0) + sent["structures"].list.len().fill_null(0)
    others = enriched["other_uai"].list.len() + 1
    return (
        (enriched["uai"] == UNMAPPED)
        | (enriched["class_id"] == UNMAPPED)
        | (others < schools)
        | enriched["other_class_id"].list.contains(UNMAPPED)
    )
