"""Answers of the database as data frames: types, days, and long tables turned wide."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grafana.viewer.failure import QueryError
from grafana.viewer.frames import Field, Table, fields_of, frame, long_to_wide

PARIS = ZoneInfo("Europe/Paris")
DAY = (datetime(2026, 11, 20) - datetime(1970, 1, 1)).days
MIDNIGHT_MS = int(datetime(2026, 11, 20, tzinfo=PARIS).timestamp() * 1000)

TYPES: list[tuple[str, Any, str, str, bool, Any]] = [
    ("UInt8", 1, "number", "uint8", False, 1),
    ("Int64", -1, "number", "int64", False, -1),
    ("UInt64", 2**63, "number", "uint64", False, 2**63),
    ("Nullable(Float64)", None, "number", "float64", True, None),
    ("Float32", 1.5, "number", "float32", False, 1.5),
    ("Decimal(9, 2)", "12.50", "number", "float64", False, 12.5),
    ("Bool", 1, "boolean", "bool", False, True),
    ("String", "é", "string", "string", False, "é"),
    ("LowCardinality(String)", "x", "string", "string", False, "x"),
    ("LowCardinality(Nullable(String))", None, "string", "string", True, None),
    ("FixedString(4)", b"ab\0\0", "string", "string", False, "ab"),
    ("UUID", "u", "string", "string", True, "u"),
    ("Enum8('a' = 1)", "a", "string", "string", False, "a"),
    ("Nullable(Nothing)", None, "string", "string", True, None),
    ("Date", DAY, "time", "time.Time", False, MIDNIGHT_MS),
    ("Nullable(Date)", None, "time", "time.Time", True, None),
    ("Date32", DAY, "time", "time.Time", False, MIDNIGHT_MS),
    ("DateTime", 1_795_181_850, "time", "time.Time", False, 1_795_181_850_000),
    ("DateTime('Europe/Paris')", 1_795_181_850, "time", "time.Time", False, 1_795_181_850_000),
    ("DateTime64(3, 'UTC')", 1_795_181_850_123, "time", "time.Time", False, 1_795_181_850_123),
    ("DateTime64(6)", 1_795_181_850_123_456, "time", "time.Time", False, 1_795_181_850_123),
    ("Array(String)", ["a"], "other", "json.RawMessage", False, ["a"]),
    ("Array(UInt8)", [1], "other", "json.RawMessage", False, None),
]


@pytest.mark.parametrize(
    ("kind", "value", "json_kind", "go_type", "nullable", "shown"), TYPES, ids=[t[0] for t in TYPES]
)
def test_a_type_becomes_the_field_that_grafana_gives(
    kind: str, value: Any, json_kind: str, go_type: str, nullable: bool, shown: Any
) -> None:
    (field,) = fields_of(Table(["x"], [kind], [[value]]), PARIS)
    assert (field.kind, field.go_type, field.nullable, field.values) == (json_kind, go_type, nullable, [shown])


def test_a_day_begins_at_midnight_of_the_zone_on_both_sides_of_a_clock_change() -> None:
    days = [(datetime(2026, 10, day) - datetime(1970, 1, 1)).days for day in (25, 26)]
    (field,) = fields_of(Table(["x"], ["Date"], [days]), PARIS)
    hours = (field.values[1] - field.values[0]) / 3_600_000
    assert hours == 25


def _time(*values: int | None) -> Field:
    return Field("time", "time", "time.Time", False, list(values))


def _text(name: str, *values: str) -> Field:
    return Field(name, "string", "string", False, list(values))


def _number(name: str, *values: float) -> Field:
    return Field(name, "number", "float64", False, list(values))


def test_a_long_table_becomes_one_series_for_each_label_with_gaps_where_there_was_no_row() -> None:
    fields, turned = long_to_wide([_time(1, 1, 2), _text("profil", "b", "a", "b"), _number("n", 1, 2, 3)])
    assert turned
    assert [(f.labels, f.values) for f in fields[1:]] == [({"profil": "a"}, [2, None]), ({"profil": "b"}, [1, 3])]
    assert fields[0].values == [1, 2]


def test_series_are_ordered_by_name_and_then_by_the_bytes_of_their_labels() -> None:
    labels = ["é", "z", "Z", ""]
    fields, _ = long_to_wide(
        [_time(1, 1, 1, 1), _text("l", *labels), _number("y", 1, 2, 3, 4), _number("x", 5, 6, 7, 8)]
    )
    ordered = [(name, label) for name in "xy" for label in ["", "Z", "z", "é"]]
    assert [(f.name, (f.labels or {})["l"]) for f in fields[1:]] == ordered


@pytest.mark.parametrize(
    "fields",
    [
        [_time(1), _number("n", 1)],
        [_text("a", "x"), _number("n", 1)],
        [_time(1), _text("a", "x")],
    ],
    ids=["no label", "no time", "no number"],
)
def test_what_is_not_long_is_left_as_it_is(fields: list[Field]) -> None:
    assert long_to_wide(fields) == (fields, False)


@pytest.mark.parametrize(("times", "message"), [((2, 1), "not sorted"), ((1, None), "null time values")])
def test_times_out_of_order_or_null_are_an_error(times: tuple[int | None, ...], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        long_to_wide([_time(*times), _text("a", "x", "x"), _number("n", 1, 2)])


@given(st.dictionaries(st.tuples(st.integers(0, 20), st.sampled_from("abc")), st.integers(), min_size=1))
def test_turning_wide_loses_and_invents_nothing(cells: dict[tuple[int, str], int]) -> None:
    rows = sorted(cells.items())
    fields, _ = long_to_wide(
        [
            _time(*(t for (t, _), _ in rows)),
            _text("l", *(label for (_, label), _ in rows)),
            _number("n", *(v for _, v in rows)),
        ]
    )
    times = fields[0].values
    wide = {
        (time, (field.labels or {})["l"]): value
        for field in fields[1:]
        for time, value in zip(times, field.values, strict=True)
        if value is not None
    }
    assert wide == cells


def test_numbers_that_json_has_not_are_null_and_listed_as_entities() -> None:
    made = frame(
        "A", [_number("n", 1.0, float("nan"), float("inf"), float("-inf"))], "SELECT", wide=False, visual="table"
    )
    assert made["data"]["values"] == [[1.0, None, None, None]]
    assert made["data"]["entities"] == [{"NaN": [1], "Inf": [2], "NegInf": [3]}]


def test_a_frame_says_what_was_executed_and_how_it_may_be_drawn() -> None:
    wide, _ = long_to_wide([_time(1), _text("l", "a"), _number("n", 1)])
    made = frame("B", wide, "SELECT 1", wide=True, visual="graph")
    assert made["schema"]["meta"] == {
        "type": "timeseries-wide",
        "typeVersion": [0, 1],
        "preferredVisualisationType": "graph",
        "executedQueryString": "SELECT 1",
    }
    assert made["schema"]["fields"][1] == {
        "name": "n",
        "type": "number",
        "typeInfo": {"frame": "float64", "nullable": True},
        "labels": {"l": "a"},
    }
    assert datetime.fromtimestamp(made["data"]["values"][0][0] / 1000, UTC).year == 1970
