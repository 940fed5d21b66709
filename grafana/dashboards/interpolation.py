"""Variables in a statement, filled in as Grafana's front end does before the data source sees it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_CONDITIONAL = "$__conditionalAll("
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a variable is set to; `everything`: All, with its options spelt out in `values`."""

    values: Sequence[str]
    everything: bool = False


class UnknownVariableError(KeyError):
    """A statement names a variable, or a format, that is not there."""


def fill_in(sql: str, choices: Mapping[str, Choice]) -> str:
    """`sql` with conditions and variables filled in; macros of time stay. Raises `UnknownVariableError`."""
    return _VARIABLE.sub(lambda match: _formatted(match, choices), _without_conditions(sql, choices))


def _without_conditions(sql: str, choices: Mapping[str, Choice]) -> str:
    """`$__conditionalAll(condition, $variable)` is 1=1 where the variable is at All, and else the condition."""
    while (at := sql.rfind(_CONDITIONAL)) >= 0:
        start = at + len(_CONDITIONAL)
        depth, comma, end = 1, -1, start
        while depth and end < len(sql):
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            comma = end if sql[end] == "," and depth == 1 else comma
            end += 1
        name = re.search(r"\w+", sql[comma + 1 : end - 1])
        if depth or comma < 0 or name is None:
            raise UnknownVariableError(f"$__conditionalAll without a condition and a variable: {sql[at : at + 80]}")
        met = _choice(name.group(), choices).everything
        sql = sql[:at] + ("1=1" if met else sql[start:comma]) + sql[end:]
    return sql


def _formatted(match: re.Match[str], choices: Mapping[str, Choice]) -> str:
    values = _choice(match[1] or match[3], choices).values
    if match[2] == "sqlstring":
        return ",".join("'" + value.replace("'", "''") + "'" for value in values)
    if match[2] is None:
        return values[0] if len(values) == 1 else "'" + "','".join(values) + "'"
    raise UnknownVariableError(f"${{{match[1]}:{match[2]}}}: the dashboards use the format sqlstring only")


def _choice(name: str, choices: Mapping[str, Choice]) -> Choice:
    if name not in choices:
        raise UnknownVariableError(f"no variable is called {name}")
    return choices[name]
