"""What is on the server and what should be: the difference, and its application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sinks.clickhouse.access import PREFIX, Directory, Wanted
from sinks.clickhouse.client import Client


@dataclass(frozen=True)
class Found:
    """An object of ours that the server has; the filter of a row policy."""

    kind: str
    name: str
    filter: str = ""


@dataclass(frozen=True)
class Step:
    """One change: + makes, ~ makes anew, - takes away."""

    sign: str
    what: str
    statement: str

    def __str__(self) -> str:
        return f"{self.sign} {self.what}"


def read_found(client: Client) -> list[Found]:
    """Everything of ours on the server. Raises the failures of `sinks.clickhouse.errors`."""
    ours = f"startsWith(name, '{PREFIX}')"
    found = [
        Found(kind, name)
        for kind, table in (("role", "roles"), ("user", "users"), ("profile", "settings_profiles"), ("quota", "quotas"))
        for (name,) in client.query_rows(f"SELECT name FROM system.{table} WHERE {ours}")
    ]
    found += [
        Found("policy", f"{short} ON {database}.{table}", condition)
        for short, database, table, condition in client.query_rows(
            "SELECT short_name, database, table, select_filter FROM system.row_policies "
            f"WHERE startsWith(short_name, '{PREFIX}')"
        )
    ]
    found += [
        Found("grant", f"{role} ON {database}.{table or '*'}")
        for role, database, table in client.query_rows(
            "SELECT role_name, database, table FROM system.grants "
            f"WHERE startsWith(role_name, '{PREFIX}') AND access_type = 'SELECT'"
        )
    ]
    return found


def plan(wanted: Sequence[Wanted], found: Sequence[Found], users: set[str]) -> list[Step]:
    """The steps from what was found to what is wanted, in an order that works.

    `users` are the users that should be there; one whose password is not at hand is kept where it exists.
    """
    there = {(each.kind, each.name): each for each in found}
    steps = []
    for each in wanted:
        before = there.pop((each.kind, each.name), None)
        if before is None:
            steps.append(Step("+", f"{each.kind} {each.name}", each.statement))
        elif each.kind == "policy" and _plain(before.filter) != _plain(each.filter):
            steps.append(Step("~", f"{each.kind} {each.name}", each.statement))
    gone = [each for each in there.values() if not (each.kind == "user" and each.name in users)]
    order = ("user", "grant", "policy", "quota", "profile", "role")
    ordered = sorted(gone, key=lambda each: (order.index(each.kind), each.name))
    return [*steps, *(Step("-", f"{left.kind} {left.name}", _drop(left)) for left in ordered)]


def read_schools(client: Client, database: str) -> Directory:
    """Where every school is, from the directory in force."""
    rows = client.query_rows(f"SELECT uai, commune, circonscription FROM {database}.v_schools")
    return Directory({uai: (commune, circonscription) for uai, commune, circonscription in rows})


def _drop(found: Found) -> str:
    if found.kind == "grant":
        role, _, table = found.name.partition(" ON ")
        return f"REVOKE SELECT ON {table} FROM {role}"
    words = {"policy": "ROW POLICY", "profile": "SETTINGS PROFILE"}
    return f"DROP {words.get(found.kind, found.kind.upper())} IF EXISTS {found.name}"


def _plain(condition: str) -> str:
    """A filter without what the server writes otherwise: spaces and brackets."""
    return "".join(letter for letter in condition if letter not in " ()")
