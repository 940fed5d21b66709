"""Who may read what, as ClickHouse's own roles, users, row policies, quotas and settings profiles. Pure: text out.

Every audience has a role of its own, `ent_<name>`, and a user of that name in it. Names of what is ours begin with
`ent_`; nothing else of the server's is ever touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

PREFIX = "ent_"
_VIEWERS_QUERIES_A_MINUTE, _VIEWERS_SECONDS_A_MINUTE = 1200, 240
_BY_PLACE = {"cells": "place", "accounts": "uai", "classes": "uai", "schools": "uai"}
"""Published tables with rows of schools -> the column that says which."""
_EXACT_BY_SCHOOL = {
    **{f"{family}_by_{level}": "uai" for family in ("usage", "app_usage") for level in ("minute", "hour", "day")},
    "counts": "place",
    "accounts": "uai",
    "classes": "uai",
    "schools": "uai",
}
_EXACT_FOR_ALL = ("profiles", "applications", "progress", "directory_revisions")


class Kind(StrEnum):
    """What an audience is, and so how far it sees."""

    ACADEMIE = "academie"
    VILLE = "ville"
    CIRCONSCRIPTION = "circonscription"
    ECOLE = "ecole"


class Audience(BaseModel):
    """Readers who may see the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="Part of the names of role and user.")
    kind: Kind
    places: tuple[str, ...] = Field((), description="UAIs, communes or circonscriptions, by kind; académie: none.")
    reading: Literal["public", "exact"] = Field("public", description="Which figures; exact: the operators' own.")
    title: str = Field("", description="What Grafana shows, in French.")
    organisation: int | None = Field(None, ge=2, description="Id of its organisation in Grafana; 1 is the operators'.")

    @model_validator(mode="after")
    def _places_fit(self) -> Audience:
        if (self.kind is Kind.ACADEMIE) == bool(self.places):
            raise ValueError(f"{self.name}: an académie names no places, every other audience at least one")
        return self

    @property
    def role(self) -> str:
        """The role, the user, and the prefix of the policies."""
        return PREFIX + self.name

    @property
    def gives_away(self) -> str | None:
        """What opening the exact reading to this audience means; None where it reads the published figures."""
        if self.reading == "public":
            return None
        return (
            f"{self.name} reads exact figures: how many of the 1 to 4 persons of a group were there and, since windows "
            "hold their persons' pseudonyms, whether the same one was there on other days"
        )


@dataclass(frozen=True)
class Directory:
    """Which schools there are, and where: UAI -> (commune, circonscription)."""

    schools: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def of(self, audience: Audience) -> list[str]:
        """The schools that an audience sees."""
        column = {Kind.VILLE: 0, Kind.CIRCONSCRIPTION: 1}.get(audience.kind)
        if audience.kind is Kind.ACADEMIE:
            return sorted(self.schools)
        if column is None:
            return sorted(set(audience.places))
        return sorted(uai for uai, places in self.schools.items() if places[column] in audience.places)


@dataclass(frozen=True)
class Wanted:
    """One object of the server: its kind and name, the statement that makes it, the one that takes it away, and, of a
    row policy, its filter."""

    kind: Literal["role", "user", "profile", "quota", "policy", "grant"]
    name: str
    statement: str
    drop: str
    filter: str = ""


def wanted(
    audiences: Sequence[Audience], directory: Directory, passwords: Mapping[str, SecretStr], database: str
) -> list[Wanted]:
    """Everything that the audiences need, in the order in which it is made. `passwords` by audience, for new users."""
    return [
        each
        for audience in audiences
        for each in _of_audience(audience, directory.of(audience), passwords.get(audience.name), database)
    ]


def row_filter(audience: Audience, column: str, schools: Sequence[str]) -> str:
    """The rows of a table that an audience sees, as an expression; `column` says of which place a row is."""
    if audience.kind is Kind.ACADEMIE:
        return "1"
    seen = [*schools, *(audience.places if audience.kind is Kind.CIRCONSCRIPTION else ())]
    if column == "place":
        seen.append("")  # the territory as a whole is shown to everybody
    return f"{column} IN ({', '.join(_quoted(place) for place in sorted(seen))})" if seen else "0"


def _of_audience(audience: Audience, schools: Sequence[str], password: SecretStr | None, database: str) -> list[Wanted]:
    role = audience.role
    made = [
        Wanted("role", role, f"CREATE ROLE IF NOT EXISTS {role}", f"DROP ROLE IF EXISTS {role}"),
        Wanted("profile", role, _profile(role), f"DROP SETTINGS PROFILE IF EXISTS {role}"),
        Wanted("quota", role, _quota(role), f"DROP QUOTA IF EXISTS {role}"),
    ]
    source = f"{database}_public" if audience.reading == "public" else database
    by_place = _BY_PLACE if audience.reading == "public" else _EXACT_BY_SCHOOL
    # A view asks for its tables in the reader's name, so v_* opens no table that is not named here.
    tables = ["*"] if audience.reading == "public" else [*by_place, *_EXACT_FOR_ALL, "v_*"]
    for table, column in by_place.items():
        where = row_filter(audience, column, schools)
        on = f"{role} ON {source}.{table}"
        made.append(
            Wanted(
                "policy",
                f"{role} ON {source}.{table}",
                f"CREATE ROW POLICY OR REPLACE {on} FOR SELECT USING {where} AS PERMISSIVE TO {role}",
                f"DROP ROW POLICY IF EXISTS {on}",
                where,
            )
        )
    made += [
        Wanted(
            "grant",
            f"{role} ON {source}.{table}",
            f"GRANT SELECT ON {source}.{table} TO {role}",
            f"REVOKE SELECT ON {source}.{table} FROM {role}",
        )
        for table in tables
    ]
    if password is not None:
        made.append(Wanted("user", role, _user(role, password), f"DROP USER IF EXISTS {role}"))
    return made


def _profile(role: str) -> str:
    return (
        f"CREATE SETTINGS PROFILE OR REPLACE {role} SETTINGS readonly = 2 CONST, "
        "max_execution_time = 30 MIN 1 MAX 60 CHANGEABLE_IN_READONLY, max_memory_usage = 1000000000 CONST, "
        f"max_rows_to_read = 500000000 CONST, max_result_rows = 100000 CONST, max_threads = 2 CONST TO {role}"
    )


def _quota(role: str) -> str:
    return (
        f"CREATE QUOTA OR REPLACE {role} KEYED BY user_name FOR INTERVAL 1 minute "
        f"MAX queries = {_VIEWERS_QUERIES_A_MINUTE}, execution_time = {_VIEWERS_SECONDS_A_MINUTE} TO {role}"
    )


def _user(role: str, password: SecretStr) -> str:
    """With the hash of the password: the server's logs hold statements."""
    salt = hashlib.sha256(role.encode()).hexdigest()[:16]
    digest = hashlib.sha256((password.get_secret_value() + salt).encode()).hexdigest()
    return (
        f"CREATE USER IF NOT EXISTS {role} IDENTIFIED WITH sha256_hash BY '{digest}' SALT '{salt}' "
        f"DEFAULT ROLE {role} SETTINGS PROFILE '{role}'"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
