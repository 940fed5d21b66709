"""The command line explains itself: examples are right, and what reports speaks JSON."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from streams.commands import app
from streams.commands.examples import EXAMPLES

WITHOUT_JSON = {
    "worker": "runs until it is stopped; its log is JSON",
    "collect": "likewise",
    "database": "likewise",
    "bridge entcore": "likewise",
    "demo": "its report is JSON",
    "chaos": "its report is JSON",
    "decode": "prints events, one JSON document a line",
    "dead-letters show": "prints one JSON document",
    "privacy erase": "its receipt is JSON",
    "access grafana": "prints the files that Grafana reads, as JSON",
    "simulate": "writes events, one JSON document a line, and the truth as JSON",
    "token": "prints the entry for a file, in TOML",
}
"""The commands without the option, and why."""


def walk(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from walk(inner, (*words, name))
    else:
        yield " ".join(words), command


COMMANDS = dict(walk(get_command(app)))


@pytest.mark.parametrize("words", EXAMPLES)
def test_every_example_is_a_call_of_its_command(words: str) -> None:
    """Its options are those of the command, and its help ends with it."""
    command = COMMANDS[words]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    for example in EXAMPLES[words]:
        _, called, rest = example.partition(f"ent {words}")
        assert called, example
        told = [word for word in shlex.split(rest.partition(">>")[0]) if word.startswith("--")]
        assert set(told) <= options, example
    shown = CliRunner().invoke(app, [*words.split(), "--help"]).output
    assert re.sub(r"\W", "", EXAMPLES[words][0]) in re.sub(r"\W", "", shown)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_answer_can_be_had_as_json(words: str) -> None:
    """By the same option everywhere; a command without it is one of those that are listed with the reason."""
    offered = "--json" in {option for parameter in COMMANDS[words].params for option in parameter.opts}
    assert offered == (words not in WITHOUT_JSON)


def test_every_command_has_an_example() -> None:
    assert set(EXAMPLES) >= set(COMMANDS)


def test_the_commands_without_the_option_are_commands() -> None:
    assert set(WITHOUT_JSON) <= set(COMMANDS)
