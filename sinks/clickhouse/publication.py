"""The rule of publication, as SQL. The only statements that read the exact figures and write the published ones.

Persons: no row of fewer than k (nobody and few look alike); else the multiple of 5 below or above, the side drawn by a
keyed hash of the *set* of persons, so that the same persons give the same figure in every table and at every time, and
nothing is gained by averaging. So that subtraction from a total does not show a blank to be a small one, a blank stands
for a few more: the hash leaves out half of the cells of exactly k persons, and no multiple below k is shown. Counts:
the exact mean per person, times the published persons. Totals are no exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sinks.clickhouse.grains import Grain

BASE = 5
"""Published persons are a multiple of this."""
_NAMES = {
    "schools": "uai, name, commune, circonscription, pole, education_prioritaire, nature, academie, zone, "
    "deployed_from, pilot",
    "classes": "class_id, uai, label, levels, cycle, pupils",
    "profiles": "profile, label, dnma, rank",
    "applications": "app, label, kind, service",
}
"""Table of names -> its columns that are published."""


@dataclass(frozen=True)
class Rule:
    """Fewest persons of a row, and the two words of the hash's key; nobody who reads the figures may know these."""

    k: int
    key: tuple[int, int]

    def __repr__(self) -> str:
        return f"Rule(k={self.k})"

    @property
    def parameters(self) -> dict[str, int]:
        """What the statements are given beside their text."""
        return {"k": self.k, "key0": self.key[0], "key1": self.key[1]}


def publish_sql(database: str, grain: Grain, start: date, *, final: bool) -> str:
    """One statement that writes the window of `grain` that begins at `start` anew.

    A cell that was published and no longer reaches k (a correction) is written as blank by the same statement.
    Parameters: `Rule.parameters`.
    """
    place, kind = place_and_kind(grain)
    scaled = {name: _scaled(name) if name in grain.counts else "NULL" for name in ("logins", "visits")}
    counts = ", ".join(f"{value} AS {name}" for name, value in scaled.items())
    sums = "".join(f", {name}" for name in grain.counts)
    zeros = ", 0" * len(grain.counts)
    counted = "".join(f", sum({name}) AS {name}" for name in grain.counts)
    window = f"{grain.window} = toDate('{start}')"
    return f"""INSERT INTO {database}_public.cells (grain, start, place, kind, users, logins, visits, final, version)
SELECT '{grain.name}', toDate('{start}'), place, kind, {_shown("n", "set_key", _rounded("n", "set_key"))} AS shown,
  {counts}, {final}, toUnixTimestamp64Micro(now64(6))
FROM (
  SELECT place, kind, sum(n) AS n, max(set_key) AS set_key{counted}, max(published) AS published
  FROM (
    SELECT {place} AS place, {kind} AS kind, users AS n, {_set_key("persons", "users")} AS set_key{sums}, 0 AS published
    FROM {database}.{grain.view} WHERE {window}
    UNION ALL
    SELECT place, kind, 0, 0{zeros}, 1 FROM {database}_public.cells FINAL
    WHERE grain = '{grain.name}' AND start = toDate('{start}') AND users IS NOT NULL)
  GROUP BY place, kind)
WHERE shown IS NOT NULL OR published"""


def place_and_kind(grain: Grain) -> tuple[str, str]:
    """Expressions over the columns of a grain's view that name a cell: where and what."""
    place = f"toString({grain.place})" if grain.place else "''"
    kinds = ", ".join(f"toString({name})" for name in grain.kinds)
    return place, f"concatWithSeparator(' ', {kinds})" if kinds else "''"


def record_sql(database: str, grain: Grain, start: date, stage: str, tick: int) -> str:
    """Note how far a window was published. Parameters: k."""
    return f"""INSERT INTO {database}_public.publications (grain, start, stage, tick, k, version)
SELECT '{grain.name}', toDate('{start}'), '{stage}', {tick:d}, {{k:UInt8}}, toUnixTimestamp64Micro(now64(6))"""


def progress_sql(database: str) -> str:
    """Copy how far the exact figures are complete. Parameters: k."""
    return f"""INSERT INTO {database}_public.progress (written_at, complete_through, lag, partitions, k)
SELECT now64(6), complete_through, lag, partitions, {{k:UInt8}} FROM {database}.v_complete"""


def names_sql(database: str) -> list[str]:
    """Copy the names of places and things and the sizes of groups as one release, whose number is a parameter.

    The last statement puts it in force. Parameters: release, and `Rule.parameters`.
    """
    copies = [
        f"INSERT INTO {database}_public.{table} (release, {columns}) "
        f"SELECT {{release:UInt64}}, {columns} FROM {database}.v_{table}"
        for table, columns in _NAMES.items()
    ]
    # The side is drawn by the group and its number: the accounts' persons are not known here.
    group = "sipHash64Keyed(({key0:UInt64}, {key1:UInt64}), uai, class_id, profile, activated)"
    multiple = f"least({_rounded('activated', group)}, intDiv(loaded, {BASE}) * {BASE})"
    accounts = f"""INSERT INTO {database}_public.accounts (release, uai, class_id, profile, loaded, activated)
SELECT {{release:UInt64}}, uai, class_id, profile, loaded, {_shown("activated", group, multiple)}
FROM {database}.v_accounts"""
    in_force = f"""INSERT INTO {database}_public.releases (release, revision)
SELECT {{release:UInt64}}, max(revision) FROM {database}.directory_revisions"""
    return [*copies, accounts, in_force]


def _shown(number: str, key: str, multiple: str) -> str:
    # The last digit in base 5 of the key chooses the multiple; what is left of it is independent of that.
    bar = f"{{k:UInt8}} + intDiv({key}, {BASE}) % 2"
    return f"if({number} >= {bar} AND {multiple} >= {{k:UInt8}}, {multiple}, NULL)"


def _rounded(number: str, key: str) -> str:
    return f"toUInt32(intDiv({number} + {key} % {BASE}, {BASE}) * {BASE})"


def _scaled(name: str) -> str:
    return f"toUInt32(round({name} * shown / n))"


def _set_key(persons: str, number: str) -> str:
    """The hash of a set. A state's bytes are a length and then the persons' keys, eight bytes each, in any order."""
    bytes_of = f"CAST({persons} AS String)"
    keys = f"reinterpret(substring({bytes_of}, 1 + length({bytes_of}) - 8 * {number}), 'Array(UInt64)')"
    one = "sipHash64Keyed(({key0:UInt64}, {key1:UInt64}), person)"
    return f"arrayReduce('groupBitXor', arrayMap(person -> {one}, {keys}))"
