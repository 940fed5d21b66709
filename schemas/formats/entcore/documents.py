"""The documents of entcore's event store and of its timeline: these models are their law."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Self

import msgspec
import polars as pl
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    TypeAdapter,
    model_validator,
)
from pydantic_core import PydanticCustomError

from schemas.decode.form import Form, names_a_school
from schemas.decode.plain import INSTANT, Plain, Reading, instants
from schemas.event import EARLIEST, LATEST, MAX_COUNT, Identifier, Label, spelt_as_a_time

NAME: Final = "entcore"
EMISSION: Final = "emission"
IGNORED: Final = "ignored"
FOREIGN: Final = ("specversion", "eventTime", "verb", "actor")
"""Fields that make a document one of another format: CloudEvents, Caliper, xAPI."""
_SECONDS_BELOW = 100_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_EARLIEST_MS, _LATEST_MS = (EARLIEST - _EPOCH) // _MS, (LATEST - _EPOCH) // _MS


class _MongoDate(msgspec.Struct, gc=False, rename={"date": "$date"}):
    date: Annotated[int, msgspec.Meta(ge=_EARLIEST_MS, lt=_LATEST_MS)] | str


def _moment(value: object) -> object:
    """Milliseconds since 1970, bare or as Mongo's `{"$date": …}`; the latter may hold RFC 3339 instead."""
    if isinstance(value, dict):
        value = value.get("$date")
        if isinstance(value, str):
            return spelt_as_a_time(value)
    if isinstance(value, datetime):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise PydanticCustomError("date_type", "Input should be milliseconds since 1970, or a $date")
    if 0 <= value < _SECONDS_BELOW:
        raise PydanticCustomError(
            "seconds_for_milliseconds", "Input should be milliseconds since 1970; it looks like seconds"
        )
    if value < _EARLIEST_MS:
        raise PydanticCustomError("too_early", f"Input should not lie before {EARLIEST.isoformat()}")
    if value >= _LATEST_MS:
        raise PydanticCustomError("too_late", f"Input should lie before {LATEST.isoformat()}")
    return _EPOCH + value * _MS


def _read_moments(values: list[Any]) -> Reading:
    if not any(isinstance(value, _MongoDate) for value in values):
        return pl.Series("", values, pl.Int64).cast(pl.Datetime("ms", "UTC")).cast(INSTANT), None
    inner = [value.date if isinstance(value, _MongoDate) else value for value in values]
    numbers = pl.Series("", [value if type(value) is int else None for value in inner], pl.Int64)
    spelt = instants(pl.Series("", [value if type(value) is str else None for value in inner], pl.String))
    column = numbers.cast(pl.Datetime("ms", "UTC")).cast(INSTANT).fill_null(spelt)
    return column, column.is_not_null() | pl.Series("", [value is None for value in values])


def _how_many(value: object) -> object:
    if value is None:
        return None
    if not isinstance(value, list):
        raise PydanticCustomError("list_type", "Input should be a list of recipients")
    return len(value)


def _read_how_many(values: list[Any]) -> Reading:
    return pl.Series("", [None if value is None else len(value) for value in values], pl.UInt32), None


def _is_given(value: object) -> object:
    return None if value is None else value is not False


def _read_is_given(values: list[Any]) -> Reading:
    return pl.Series("", [None if value is None else value is not False for value in values], pl.Boolean), None


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    Plain(Annotated[int, msgspec.Meta(ge=_EARLIEST_MS, lt=_LATEST_MS)] | _MongoDate, INSTANT, _read_moments),
    Field(ge=EARLIEST, lt=LATEST),
]
HowMany = Annotated[int, BeforeValidator(_how_many), Plain(list[Any], pl.UInt32(), _read_how_many), Field(le=MAX_COUNT)]
Given = Annotated[bool, BeforeValidator(_is_given), Plain(Any, pl.Boolean(), _read_is_given)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,64}$")]


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    event_type: str | None = Field(None, validation_alias="event-type")
    action: str | None = None
    notification_name: Text | None = Field(None, validation_alias="notificationName")


class _Event(_Document):
    time: Moment = Field(validation_alias="date")
    module: Label
    user: Identifier | None = Field(None, validation_alias="userId")
    profile: Text | None = Field(None, validation_alias="profil")
    structures: list[Identifier] | None = None
    classes: list[Label] | None = None
    platform: Text | None = Field(None, validation_alias="platformName")
    device: Text | None = Field(None, validation_alias="deviceType")
    agent: str | None = Field(None, validation_alias="ua")

    @model_validator(mode="after")
    def _names_a_school(self) -> Self:
        if not self.structures:
            raise PydanticCustomError("missing_school", "a document of a user names its school: structures")
        return self


class Login(_Event):
    """A password, a federated login or a token grant, a telephone's refresh among them: `module` tells."""


class Activation(_Event):
    """An account's first activation."""


class Access(_Event):
    """The opening of one of the platform's applications."""

    session: Identifier | None = Field(None, validation_alias="sessionId")


class Connector(_Event):
    """The opening of a third party's application through CAS, OAuth2 or SAML."""

    connector_type: Text | None = Field(None, validation_alias="connector-type")
    cas_type: Text | None = Field(None, validation_alias="cas-type")
    saml_type: Text | None = Field(None, validation_alias="saml-type")
    service: str | None = None


class Emission(_Document):
    """A message of the timeline: one notification to any number of recipients."""

    time: Moment = Field(validation_alias="date")
    application: Label = Field(validation_alias="type")
    sender: Identifier | None = None
    structures: list[Identifier] | None = None
    platform: Text | None = Field(None, validation_alias="platformName")
    recipients: HowMany | None = None
    recipient_ids: HowMany | None = Field(None, validation_alias="recipientsIds")
    push: Given | None = Field(None, validation_alias="pushNotif")
    without_mail: bool | None = Field(None, validation_alias="disableMailNotification")


class Ignored(_Document):
    """A document of another type: SHARE, CREATE, GET_RESOURCE…, or another action of the timeline."""


_MODELS: Final[dict[str, type[_Document]]] = {
    "LOGIN": Login,
    "ACTIVATION": Activation,
    "ACCESS": Access,
    "CONNECTOR": Connector,
    EMISSION: Emission,
    IGNORED: Ignored,
}
_STORED = ("LOGIN", "ACTIVATION", "ACCESS", "CONNECTOR")
EVENT_TYPES: Final = (
    *_STORED,
    "CREATE",
    "GET_RESOURCE",
    "RESOURCE_ACCESS",
    "ACCESS_ADAPTER",
    "SHARE",
    "SMS",
    "IMPORT",
    "CREATE_USER",
    "DELETE_USER",
    "MERGE_USER",
    "EXPORT_OK",
    "EXPORT_ERROR",
    "IMPORT_OK",
    "IMPORT_ERROR",
    "OAUTH",
)
"""Of the event store, in version 6.15."""


def _kind(document: object) -> str | None:
    if not isinstance(document, Mapping):
        return None
    action = document.get("action")
    if action is not None or document.get("notificationName") is not None:
        return IGNORED if isinstance(action, str) and action != "add" else EMISSION
    kind = document.get("event-type")
    if kind is None:
        return None
    return kind if isinstance(kind, str) and kind in _STORED else IGNORED


_TIMELINE = pl.col("action").is_not_null() | pl.col("notification_name").is_not_null()
_OTHER_ACTION = pl.col("action").ne_missing("add") & pl.col("action").is_not_null()
_KIND: Final = (
    pl.when(_TIMELINE & _OTHER_ACTION)
    .then(pl.lit(IGNORED))
    .when(_TIMELINE)
    .then(pl.lit(EMISSION))
    .when(pl.col("event_type").is_in(_STORED))
    .then("event_type")
    .when(pl.col("event_type").is_not_null())
    .then(pl.lit(IGNORED))
)
"""`_kind` over columns."""


LAW: Final[TypeAdapter[Any]] = TypeAdapter(
    Annotated[
        Annotated[Login, Tag("LOGIN")]
        | Annotated[Activation, Tag("ACTIVATION")]
        | Annotated[Access, Tag("ACCESS")]
        | Annotated[Connector, Tag("CONNECTOR")]
        | Annotated[Emission, Tag(EMISSION)]
        | Annotated[Ignored, Tag(IGNORED)],
        Discriminator(
            _kind,
            custom_error_type="missing_event_type",
            custom_error_message="a document of entcore has an event-type, or is a timeline notification",
        ),
    ]
)


FORM: Final = Form(
    NAME,
    LAW,
    _MODELS,
    tag=_KIND,
    rules={"_names_a_school": names_a_school("structures")},
    absent=FOREIGN,
)
