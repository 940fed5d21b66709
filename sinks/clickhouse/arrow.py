"""Polars frames as the Arrow tables that ClickHouse takes. Pure."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa

EVENT_ID_BYTES = 16


def to_arrow(frame: pl.DataFrame) -> pa.Table:
    """The same table in Arrow; binary columns of 16 bytes become FixedString(16)."""
    table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    for position, column in enumerate(table.schema):
        if pa.types.is_large_binary(column.type) or pa.types.is_binary(column.type):
            table = table.set_column(position, column.name, _fixed(table.column(position)))
    return table


def _fixed(column: Any) -> Any:
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    return array.cast(pa.binary()).cast(pa.binary(EVENT_ID_BYTES))
