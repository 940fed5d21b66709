"""Pydantic's reasons as ours."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.decode.outcome import UNKNOWN, Refusal
from schemas.reason import Reason

_TIME_FIELDS = frozenset({"time", "date"})
_BY_TYPE = {
    "json_invalid": Reason.BAD_JSON,
    "missing": Reason.MISSING_FIELD,
    "missing_school": Reason.MISSING_FIELD,
    "missing_event_type": Reason.MISSING_FIELD,
    "too_short": Reason.MISSING_FIELD,
    "union_tag_not_found": Reason.MISSING_FIELD,
    "union_tag_invalid": Reason.UNKNOWN_FORMAT,
    "time_spelling": Reason.BAD_TYPE,
    "timezone_aware": Reason.BAD_TYPE,
    "timezone_naive": Reason.BAD_TYPE,
    "int_from_float": Reason.BAD_TYPE,
    "datetime_from_date_parsing": Reason.BAD_TYPE,
    "datetime_object_invalid": Reason.BAD_TYPE,
    "too_early": Reason.TOO_OLD,
    "too_late": Reason.FUTURE,
    "seconds_for_milliseconds": Reason.SECONDS_FOR_MILLISECONDS,
}
_BY_TYPE_OF_A_TIME = {"greater_than_equal": Reason.TOO_OLD, "less_than": Reason.FUTURE}
_TAG_MESSAGE = "the type is none of those that the model knows: {expected_tags}"


def refusal_of(index: int, error: ValidationError, format_name: str) -> Refusal:
    """The first reason that pydantic gives, in its own words and without the input."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    text = _text(first)
    reason = _reason(first)
    judged_as = UNKNOWN if reason is Reason.BAD_JSON else format_name
    return Refusal(index, reason, f"{where}: {text}" if where else text, judged_as)


def _text(error: ErrorDetails) -> str:
    if error["type"] == "union_tag_invalid":  # the only message of pydantic's own that quotes its input
        return _TAG_MESSAGE.format(expected_tags=error["ctx"]["expected_tags"])
    return error["msg"]


def _reason(error: ErrorDetails) -> Reason:
    kind, where = error["type"], [part for part in error["loc"] if isinstance(part, str)]
    field = where[-1] if where else ""
    if field in _TIME_FIELDS and kind in _BY_TYPE_OF_A_TIME:
        return _BY_TYPE_OF_A_TIME[kind]
    if field == "uai" and kind == "string_pattern_mismatch":
        return Reason.BAD_UAI_FORMAT
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    return Reason.BAD_TYPE if kind.endswith(("_type", "_parsing", "_unicode")) else Reason.BAD_VALUE
