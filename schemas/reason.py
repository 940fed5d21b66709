"""Why a record does not become an event: the closed lists of reasons."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a record was rejected. Each rejected record becomes one dead letter."""

    EMPTY = "empty"
    """A tombstone or a record of no bytes."""
    BAD_JSON = "bad_json"
    """Not one JSON document in UTF-8."""
    UNKNOWN_FORMAT = "unknown_format"
    """JSON, but of no format that is known here, or a CloudEvents type that is not ours."""
    MISSING_FIELD = "missing_field"
    """A field that the model requires is absent, or no school is named."""
    BAD_TYPE = "bad_type"
    """A value of the wrong type, or that cannot be read as its type."""
    BAD_VALUE = "bad_value"
    """A value of the right type that the model does not allow: length, range, pattern, list of names."""
    BAD_UAI_FORMAT = "bad_uai_format"
    """A UAI that is not seven digits and a capital letter."""
    SECONDS_FOR_MILLISECONDS = "seconds_for_milliseconds"
    """An epoch in seconds where the format says milliseconds."""
    FUTURE = "future"
    """The event's time lies after its arrival by more than the allowance."""
    TOO_OLD = "too_old"
    """The event's time lies before its arrival by more than what is kept."""
    PERSONAL_DATA = "personal_data"
    """The record names a person in clear where the format asks for an identifier."""
    REFUSED_BY_DATABASE = "refused_by_database"
    """The database refuses this one row, whatever stands beside it."""


class Drop(StrEnum):
    """Why an offset holds no event for us and yet is no error."""

    IGNORED_TYPE = "ignored_type"
    """A valid platform document of a type that is not counted here (CREATE, SHARE…)."""
    NO_RECORD = "no_record"
    """The log has no record at this offset: compaction, transaction markers, aborted transactions."""
    EXPIRED_BEFORE_READ = "expired_before_read"
    """Retention deleted the record before it was read."""
    ERASED = "erased"
    """It named a person who was erased."""
