"""Answers of the database as Grafana's data frames in JSON, and long tables turned wide for time series.

Follows grafana-clickhouse-datasource 4.14 and the wide conversion of grafana-plugin-sdk-go (`data.LongToWide`), so that
the same dashboard gives the same frames here and there.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from grafana.viewer.failure import QueryError

_EPOCH = date(1970, 1, 1)
_NUMBERS = {f"{sign}Int{bits}": f"{sign.lower()}int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
_NUMBERS |= {"Float32": "float32", "Float64": "float64"}
_DATE_TIME = re.compile(r"DateTime(?:64\((?P<digits>\d)(?:, *'[^']*')?\)|(?:32)?(?:\('[^']*'\))?)")
_COMPOUND = re.compile(r"Array|Tuple|Map|Nested|JSON|Variant|Dynamic|Point")
_UNSORTED = (
    "unable to process the data because it is not sorted in ascending order by time, please updated your query to sort "
    "the data by time if possible: Could not process SQL results"
)


@dataclass(frozen=True, slots=True)
class Table:
    """An answer of the database: Date as days, DateTime as ticks (seconds, or by its scale) since the epoch."""

    names: Sequence[str]
    types: Sequence[str]
    columns: Sequence[Sequence[Any]]

    @property
    def rows(self) -> int:
        return len(self.columns[0]) if self.columns else 0


@dataclass(slots=True)
class Field:
    """One column of a frame. `kind` is the type in JSON, `go_type` the one Grafana names beside it."""

    name: str
    kind: str
    go_type: str
    nullable: bool
    values: list[Any]
    labels: dict[str, str] | None = None


def fields_of(table: Table, zone: ZoneInfo) -> list[Field]:
    """The columns of `table`; a day begins at midnight in `zone`."""
    columns = zip(table.names, table.types, table.columns, strict=True)
    return [_field(name, kind, list(values), zone) for name, kind, values in columns]


def _field(name: str, kind: str, values: list[Any], zone: ZoneInfo) -> Field:
    nullable = False
    for wrapper in ("LowCardinality", "Nullable"):
        if kind.startswith(f"{wrapper}("):
            kind, nullable = kind[len(wrapper) + 1 : -1], nullable or wrapper == "Nullable"
    if kind == "Nothing":
        return Field(name, "string", "string", True, [None] * len(values))
    if kind in _NUMBERS:
        return Field(name, "number", _NUMBERS[kind], nullable, values)
    if kind.startswith("Decimal"):
        return Field(name, "number", "float64", nullable, [None if v is None else float(v) for v in values])
    if kind == "Bool":
        return Field(name, "boolean", "bool", nullable, [None if v is None else bool(v) for v in values])
    if kind in ("Date", "Date32"):
        midnight = {days: _midnight_ms(days, zone) for days in set(values) - {None}}
        return Field(name, "time", "time.Time", nullable, [midnight.get(days) for days in values])
    if scale := _DATE_TIME.fullmatch(kind):
        ticks = 10 ** int(scale["digits"] or 0)
        return Field(name, "time", "time.Time", nullable, [None if v is None else v * 1000 // ticks for v in values])
    if _COMPOUND.match(kind):
        return Field(name, "other", "json.RawMessage", False, _compound(kind, values))
    return Field(name, "string", "string", nullable or kind == "UUID", [_text(value) for value in values])


def _midnight_ms(days: int, zone: ZoneInfo) -> int:
    day = _EPOCH + timedelta(days)
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def _compound(kind: str, values: list[Any]) -> list[Any]:
    if kind == "Array(UInt8)":  # the data source shows these as null
        return [None] * len(values)
    return [json.loads(json.dumps(value, default=str)) for value in values]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").rstrip("\0")
    return str(value)


def long_to_wide(fields: list[Field]) -> tuple[list[Field], bool]:
    """One column for each number and combination of texts; whether anything was turned. Rows must be in order of time.

    Raises `QueryError` for times that are null or out of order.
    """
    time = next((at for at, field in enumerate(fields) if field.kind == "time"), None)
    factors = [field for field in fields if field.kind in ("string", "boolean")]
    numbers = [field for at, field in enumerate(fields) if at != time and field.kind not in ("string", "boolean")]
    if time is None or not factors or not numbers:
        return fields, False
    times, row_at = _distinct_times(fields[time].values)
    combinations = [tuple(_label(value) for value in row) for row in zip(*(f.values for f in factors), strict=True)]
    columns: dict[tuple[int, tuple[str, ...]], list[Any]] = {}
    for at, combination in enumerate(combinations):
        for number, field in enumerate(numbers):
            column = columns.setdefault((number, combination), [None] * len(times))
            column[row_at[at]] = field.values[at]
    wide = [Field(fields[time].name, "time", "time.Time", False, times)]
    # Grafana sorts by name and then by labels, both by their bytes.
    for number, combination in sorted(columns, key=lambda key: (numbers[key[0]].name, [t.encode() for t in key[1]])):
        field = numbers[number]
        labels = {factor.name: text for factor, text in zip(factors, combination, strict=True)}
        wide.append(Field(field.name, field.kind, field.go_type, True, columns[number, combination], labels))
    return wide, True


def _distinct_times(values: list[int | None]) -> tuple[list[int], list[int]]:
    """The times once each, and for each row which of them it has."""
    times: list[int] = []
    row_at = []
    for time in values:
        if time is None:
            raise QueryError(
                "unable to process the data to wide series because input has null time values, make sure all time "
                "values are non-null"
            )
        if not times or time > times[-1]:
            times.append(time)
        elif time < times[-1]:
            raise QueryError(_UNSORTED, source="plugin")
        row_at.append(len(times) - 1)
    return times, row_at


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value or ""


def frame(ref_id: str, fields: list[Field], sql: str, *, wide: bool, visual: str | None) -> dict[str, Any]:
    """A frame in Grafana's JSON. `visual` is what Explore would draw: `table` or `graph`."""
    kind: dict[str, Any] = {"type": "timeseries-wide", "typeVersion": [0, 1]} if wide else {"typeVersion": [0, 0]}
    meta = kind | ({"preferredVisualisationType": visual} if visual else {}) | {"executedQueryString": sql}
    values, entities = zip(*(_values(field) for field in fields), strict=True) if fields else ((), ())
    data: dict[str, Any] = {"values": list(values)}
    if any(entities):
        data["entities"] = list(entities)
    schema = {"name": ref_id, "refId": ref_id, "meta": meta, "fields": [_schema(field) for field in fields]}
    return {"schema": schema, "data": data}


def _schema(field: Field) -> dict[str, Any]:
    info = {"frame": field.go_type} | ({"nullable": True} if field.nullable else {})
    schema = {"name": field.name, "type": field.kind, "typeInfo": info}
    return schema | ({"labels": field.labels} if field.labels else {})


def _values(field: Field) -> tuple[list[Any], dict[str, list[int]] | None]:
    """The values as JSON has them, and where those stand that it has not (NaN and the infinities)."""
    if field.go_type not in ("float32", "float64"):
        return field.values, None
    odd: dict[str, list[int]] = {}
    for at, value in enumerate(field.values):
        if value is not None and not math.isfinite(value):
            name = "NaN" if math.isnan(value) else "Inf" if value > 0 else "NegInf"
            odd.setdefault(name, []).append(at)
    if not odd:
        return field.values, None
    hidden = {at for positions in odd.values() for at in positions}
    return [None if at in hidden else value for at, value in enumerate(field.values)], odd
