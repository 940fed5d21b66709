"""What an event is: CloudEvents 1.0 envelopes around the data of the four ENT events. These models are the law.

Times are RFC 3339 with a zone; a bare number is refused. Field descriptions give unit and source; the JSON Schema and
the AsyncAPI document are made from them. Fields outside the models are dropped unread.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    TypeAdapter,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


class Profile(StrEnum):
    """The national profiles of the SDET, folded to what is counted here."""

    ELEVE = "eleve"
    PARENT = "parent"
    ENSEIGNANT = "enseignant"
    PERSONNEL = "personnel"
    ACADEMIE = "academie"
    COLLECTIVITE = "collectivite"
    AUTRE = "autre"
    INCONNU = "inconnu"


class Channel(StrEnum):
    """By which door the user came."""

    WEB = "web"
    MOBILE_APP = "mobile_app"
    FEDERE = "federe"
    INCONNU = "inconnu"


class Device(StrEnum):
    """The class of device, in DNMA's words."""

    ORDINATEUR = "ordinateur"
    SMARTPHONE = "smartphone"
    TABLETTE = "tablette"
    AUTRE = "autre"
    INCONNU = "inconnu"


class AppKind(StrEnum):
    """Whether the application belongs to the ENT or is reached through it (DNMA's TYPE)."""

    NATIF = "NATIF"
    TIERS = "TIERS"


class Stage(StrEnum):
    """What happened to a notification."""

    SENT = "sent"
    OPENED = "opened"


_DATE_FIRST = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def spelt_as_a_time(value: object) -> object:
    """Let through what begins with a date: a bare number could be seconds or milliseconds, and pydantic would guess."""
    if value is None or isinstance(value, datetime) or (isinstance(value, str) and _DATE_FIRST.match(value)):
        return value
    raise PydanticCustomError("time_spelling", "Input should be a time as in RFC 3339, with a zone")


Uai = Annotated[str, StringConstraints(pattern=r"^[0-9]{7}[A-Z]$")]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Label = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
MAX_COUNT = 10_000_000
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Instant = Annotated[AwareDatetime, BeforeValidator(spelt_as_a_time), Field(ge=EARLIEST, lt=LATEST)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Data(_Model):
    uai: Annotated[list[Uai], Field(max_length=16)] | None = Field(
        None, description="Schools that the event belongs to, as UAI, the one in use first. Source: platform."
    )
    structures: Annotated[list[Identifier], Field(max_length=16)] | None = Field(
        None, description="The same schools under the platform's own ids, where it has no UAI. Source: platform."
    )
    classes: Annotated[list[Label], Field(max_length=40)] | None = Field(
        None, description="Classes of the user, by the platform's id or label, the one in use first. Source: platform."
    )
    channel: Channel | None = Field(None, description="Door of entry. Source: platform or adapter.")
    device: Device | None = Field(None, description="Class of device. Source: platform or adapter, from the agent.")


_SCHOOL_LISTS = ("uai", "structures")


class _UserData(_Data):
    profile: Profile = Field(description="Profile of the user. Source: platform.")
    user: Identifier | None = Field(
        None, description="The user's id, raw or as hmac:…; replaced by its pseudonym before anything is written."
    )
    session: Identifier | None = Field(None, description="The session's id, raw or as hmac:…; likewise replaced.")

    @model_validator(mode="after")
    def _names_a_school(self) -> Self:
        if not self.uai and not self.structures:
            raise PydanticCustomError("missing_school", "an event names its school: uai or structures")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        made = handler(schema)
        named = [{"required": [name], "properties": {name: {"type": "array", "minItems": 1}}} for name in _SCHOOL_LISTS]
        handler.resolve_ref_schema(made)["anyOf"] = named
        return made


class LoginData(_UserData):
    """A connection."""


class ActivationData(_UserData):
    """An account's first activation."""


class AppVisitData(_UserData):
    """The opening of an application."""

    app: Label = Field(description="The application, by our key or by the platform's name of it.")
    app_raw: Label | None = Field(None, description="The platform's own name of the application, as sent.")
    app_kind: AppKind | None = Field(None, description="Whether the application is the ENT's own or a third party's.")


class Recipients(_Model):
    """Recipients of a notification by profile, in persons."""

    eleve: Count = Field(0, description="Pupils, in persons. Source: platform.")
    parent: Count = Field(0, description="Parents, in persons. Source: platform.")
    enseignant: Count = Field(0, description="Teachers, in persons. Source: platform.")
    personnel: Count = Field(0, description="Staff, in persons. Source: platform.")


class NotificationData(_Data):
    """One emission of a notification to any number of recipients, or the opening of one.

    It may name no school, for a timeline does not know its readers' school; it then counts as unmapped.
    """

    app: Label = Field(description="The application that notifies, by our key or by the platform's name of it.")
    app_raw: Label | None = Field(None, description="The platform's own name of the application, as sent.")
    kind: Code | None = Field(None, description="The platform's kind of notification, for example SHARE.")
    stage: Stage | None = Field(None, description="sent (default) or opened.")
    sender_profile: Profile | None = Field(None, description="Profile of who caused it. Source: platform.")
    user: Identifier | None = Field(None, description="Id of who caused it (sent) or opened it; pseudonymised.")
    recipient_count: Count | None = Field(None, description="Recipients of this emission, in persons.")
    recipients_by_profile: Recipients | None = Field(None, description="The same by profile.")
    push: bool | None = Field(None, description="Whether it was pushed to telephones.")
    mail: bool | None = Field(None, description="Whether it was sent by e-mail.")


class _Envelope(_Model):
    specversion: Literal["1.0"] = Field(description="Version of CloudEvents.")
    id: Identifier = Field(description="The producer's id of the event; with source it identifies the event for ever.")
    source: Annotated[str, StringConstraints(min_length=1, max_length=256)] = Field(
        description="The platform that emits, as a URI reference, for example urn:ent:one:villefictive."
    )
    time: Instant = Field(description="When it happened, RFC 3339 with a zone, to the microsecond at most.")


class Login(_Envelope):
    """Someone connected."""

    topic: ClassVar[str] = "ent.login.v1"
    type: Literal["fr.ent.login.v1"] = Field(description="What happened, as a CloudEvents type.")
    data: LoginData = Field(description="What is known of it.")


class Activation(_Envelope):
    """Someone activated an account; travels with the logins."""

    topic: ClassVar[str] = "ent.login.v1"
    type: Literal["fr.ent.activation.v1"] = Field(description="What happened, as a CloudEvents type.")
    data: ActivationData = Field(description="What is known of it.")


class AppVisit(_Envelope):
    """Someone opened an application."""

    topic: ClassVar[str] = "ent.app_visit.v1"
    type: Literal["fr.ent.app_visit.v1"] = Field(description="What happened, as a CloudEvents type.")
    data: AppVisitData = Field(description="What is known of it.")


class Notification(_Envelope):
    """The platform notified people, or one of them opened it."""

    topic: ClassVar[str] = "ent.notification.v1"
    type: Literal["fr.ent.notification.v1"] = Field(description="What happened, as a CloudEvents type.")
    data: NotificationData = Field(description="What is known of it.")


Event = Annotated[Login | Activation | AppVisit | Notification, Field(discriminator="type")]
MODELS: tuple[type[_Envelope], ...] = (Login, Activation, AppVisit, Notification)
LAW: TypeAdapter[Login | Activation | AppVisit | Notification] = TypeAdapter(Event)

SHORT_TYPES = {
    "fr.ent.login.v1": "login",
    "fr.ent.activation.v1": "activation",
    "fr.ent.app_visit.v1": "app_visit",
    "fr.ent.notification.v1": "notification",
}
"""CloudEvents type -> what the tables call it."""
