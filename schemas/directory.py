"""The directory: which schools, classes and profiles there are, as records of three compacted topics.

A school or class is described by versions that hold from one day of Paris to another; a record's key is
`uai@valid_from` or `class_id@valid_from`, so that all versions survive compaction. Every record carries the revision
that it belongs to. A manifest, sent last, says what a revision consists of: receivers that each see a part of it put it
in force when all of it is there. A null value withdraws a key; it serves compaction only, since every revision is sent
whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from schemas.event import Identifier, Label, Profile, Uai
from schemas.uai import check_letter

FIRST_DAY: Final = date(1970, 1, 1)
OPEN_END: Final = date(2149, 6, 6)
"""`valid_to` of what has no end in sight: the last day that the database's Date can hold."""
UNMAPPED: Final = "unmapped"
"""What stands for a school or class that the directory does not know; no class may be called so."""


class Level(StrEnum):
    """Levels of primary school, in their order, and the two kinds of classes beside them."""

    TPS = "TPS"
    PS = "PS"
    MS = "MS"
    GS = "GS"
    CP = "CP"
    CE1 = "CE1"
    CE2 = "CE2"
    CM1 = "CM1"
    CM2 = "CM2"
    ULIS = "ULIS"
    UPE2A = "UPE2A"


CYCLE_OF: Final = {
    **dict.fromkeys((Level.TPS, Level.PS, Level.MS, Level.GS), "1"),
    **dict.fromkeys((Level.CP, Level.CE1, Level.CE2), "2"),
    **dict.fromkeys((Level.CM1, Level.CM2), "3"),
}
"""Cycle of each level (Code de l'éducation, D311-10); ULIS and UPE2A have none of their own."""


class PriorityEducation(StrEnum):
    """Éducation prioritaire."""

    REP = "REP"
    REP_PLUS = "REP+"
    NONE = ""


class Nature(StrEnum):
    """What kind of primary school it is."""

    MATERNELLE = "maternelle"
    ELEMENTAIRE = "elementaire"
    PRIMAIRE = "primaire"


class DnmaProfile(StrEnum):
    """The DNMA's categories of visitors."""

    ELEVE = "eleve"
    PARENT = "parent"
    ENSEIGNANT = "enseignant"
    ADMIN = "admin_vie_scol_tech"
    NONE = ""


def _checked(uai: str) -> str:
    letter = check_letter(uai[:7])
    if uai[7] != letter:
        raise PydanticCustomError(
            "uai_letter", "the check letter of {digits} is {letter}", {"digits": uai[:7], "letter": letter}
        )
    return uai


def _known(class_id: str) -> str:
    if class_id == UNMAPPED:
        raise PydanticCustomError("reserved", "a class cannot be called {name}", {"name": UNMAPPED})
    return class_id


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        repeated = sorted({value for value in values if values.count(value) > 1})
        raise PydanticCustomError("repeated", "given twice: {values}", {"values": ", ".join(repeated)})
    return values


CheckedUai = Annotated[Uai, AfterValidator(_checked)]
ClassId = Annotated[Label, AfterValidator(_known)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]
OptionalText = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{0,200}$")]
Day = Annotated[date, Field(ge=FIRST_DAY, le=OPEN_END)]
Revision = Annotated[int, Field(ge=1, lt=2**63)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Accounts(_Model):
    """How many accounts of one profile there are: the denominators of rates."""

    profile: Profile = Field(description="Profile of the account holders.")
    loaded: int = Field(ge=0, lt=2**32, description="Accounts that exist. Source: the platform's monthly count.")
    activated: int = Field(ge=0, lt=2**32, description="Accounts among them that were activated. Source: the same.")

    @model_validator(mode="after")
    def _activated_exist(self) -> Self:
        if self.activated > self.loaded:
            raise PydanticCustomError(
                "activated",
                "{activated} accounts are activated, but only {loaded} exist",
                {"activated": self.activated, "loaded": self.loaded},
            )
        return self


class _Record(_Model):
    revision: Revision = Field(description="Revision of the directory that it belongs to: a number that only grows.")

    @property
    def key(self) -> str:
        """The key under which it stands on its compacted topic."""
        raise NotImplementedError

    def digest(self) -> bytes:
        """SHA-256 over the content, the revision left out."""
        return digest_of(self.model_dump_json().encode())


class _Version(_Record):
    valid_from: Day = Field(description="First day in Paris on which this description holds.")
    valid_to: Day = Field(OPEN_END, description="First day on which it no longer holds; 2149-06-06: no end in sight.")
    accounts: list[Accounts] = Field(
        default_factory=list, max_length=len(Profile), description="Accounts by profile, each profile once."
    )

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_to <= self.valid_from:
            raise PydanticCustomError("valid_to", "valid_to must lie after valid_from")
        _distinct([accounts.profile for accounts in self.accounts])
        return self


class School(_Version):
    """A school, as it is described for some time."""

    topic: ClassVar[str] = "ent.school.v1"
    uai: CheckedUai = Field(description="National number. Source: annuaire de l'éducation.")
    name: Text = Field(description="Name as people say it. Source: annuaire de l'éducation.")
    commune: Text = Field(description="Commune. Source: annuaire de l'éducation.")
    circonscription: OptionalText = Field("", description="Circonscription of the inspection. Source: annuaire.")
    pole: OptionalText = Field("", description="Pôle scolaire. Source: the city; in no national data set.")
    education_prioritaire: PriorityEducation = Field(PriorityEducation.NONE, description="REP, REP+ or empty.")
    nature: Nature = Field(description="maternelle, elementaire or primaire. Source: annuaire de l'éducation.")
    academie: Text = Field(description="Académie. Source: annuaire de l'éducation.")
    zone: Literal["A", "B", "C", ""] = Field(description="Zone of the school holidays; empty where none applies.")
    holidays: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{0,4}$")] = Field(
        "", description="Subdivision for public holidays, for example 6AE for Alsace; empty: those of all France."
    )
    deployed_from: Day | None = Field(None, description="First day of the ENT in this school; null: not deployed.")
    pilot: bool = Field(default=False, description="Belongs to the pilot group. Source: the city.")
    mobile_classes: int = Field(0, ge=0, le=1000, description="Mobile classes, of 16 tablets each. Source: the city.")
    structure_ids: Annotated[list[Identifier], Field(max_length=16), AfterValidator(_distinct)] = Field(
        default_factory=list, description="Ids under which platforms that send no UAI know the school."
    )
    pupils: int = Field(0, ge=0, le=5000, description="Pupils, in persons; 0: not known. Source: effectifs.")
    ips: float | None = Field(None, ge=0, le=250, description="Social index; null: not known. Source: IPS des écoles.")

    @property
    def key(self) -> str:
        """`uai@valid_from`."""
        return f"{self.uai}@{self.valid_from}"


class SchoolClass(_Version):
    """A class of a school, as it is described for some time."""

    topic: ClassVar[str] = "ent.class.v1"
    class_id: ClassId = Field(description="Our id of the class, unique in the directory.")
    uai: CheckedUai = Field(description="Its school.")
    label: Label = Field(description="What people call it, for example CE1 A.")
    levels: Annotated[list[Level], Field(min_length=1, max_length=len(Level)), AfterValidator(_distinct)] = Field(
        description="Levels that are taught in it, TPS to CM2, ULIS, UPE2A."
    )
    cycle: Annotated[str, StringConstraints(pattern=r"^([123](-[123])*)?$")] = Field(
        "", description="Cycles of these levels, joined by -; empty for a class that belongs to none."
    )
    pupils: int = Field(ge=0, le=200, description="Pupils, in persons. Source: the school.")
    projector: bool = Field(default=False, description="Projector and PC in the room. Source: the city.")
    teacher_trained: bool = Field(default=False, description="Its teacher was trained for the ENT.")
    pilot: bool = Field(default=False, description="Its teacher belongs to the pilot group.")
    names: Annotated[list[Label], Field(max_length=16), AfterValidator(_distinct)] = Field(
        default_factory=list, description="Ids and labels under which platforms send it, beside class_id."
    )

    @property
    def key(self) -> str:
        """`class_id@valid_from`."""
        return f"{self.class_id}@{self.valid_from}"


class ProfileRecord(_Record):
    """How a canonical profile is shown."""

    topic: ClassVar[str] = "ent.profile.v1"
    profile: Profile = Field(description="The canonical profile.")
    label: Text = Field(description="What French readers see, in the plural: Élèves.")
    dnma: DnmaProfile = Field(DnmaProfile.NONE, description="The DNMA's category; empty if it has none.")
    rank: int = Field(ge=0, le=255, description="Place in the order of display.")

    @property
    def key(self) -> str:
        """The profile."""
        return self.profile.value


class Manifest(_Record):
    """What a revision consists of; the last record of each."""

    topic: ClassVar[str] = School.topic
    KEY: ClassVar[str] = "manifest"
    schools: int = Field(ge=0, description="Number of school records.")
    classes: int = Field(ge=0, description="Number of class records.")
    profiles: int = Field(ge=0, description="Number of profile records.")
    content: Digest = Field(
        description="SHA-256 over the SHA-256 of all records, the latter in ascending order; in hex."
    )

    @property
    def key(self) -> str:
        """`manifest`, for all revisions: compaction keeps the last one."""
        return self.KEY


DirectoryRecord = School | SchoolClass | ProfileRecord | Manifest
TOPICS: Final = (School.topic, SchoolClass.topic, ProfileRecord.topic)


def cycle_of(levels: Iterable[Level]) -> str:
    """The cycles of `levels`, joined by -: `2-3` for a CE2-CM1."""
    return "-".join(sorted({CYCLE_OF[level] for level in levels if level in CYCLE_OF}))


def digest_of(encoded: bytes) -> bytes:
    """The digest of a record as `model_dump_json` writes it, with the revision as its first field."""
    return sha256(encoded[encoded.index(b",") :]).digest()


def content_digest(digests: Iterable[bytes]) -> str:
    """The digest of a directory from the digests of its records, in any order."""
    return sha256(b"".join(sorted(digests))).hexdigest()
