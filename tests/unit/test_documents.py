"""The documents say what the code does: names, examples, commands and files in them are the real ones."""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from typer.main import get_command

from schemas.event import MODELS, SHORT_TYPES, ActivationData, AppVisitData, LoginData, NotificationData
from schemas.formats import FORMATS, decode
from schemas.formats.entcore.documents import Access, Activation, Connector, Emission, Login
from schemas.pseudonym import Key
from schemas.reason import Drop, Reason
from streams.commands import app
from streams.pipeline import Limits, check_times
from streams.settings import Settings
from tests.settings_names import variables

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FORMATS_TEXT = (ROOT / "docs/formats.md").read_text()
KEY = Key(b"a key for the tests of documents")
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
FILE = re.compile(
    r"`((?!deploy/secrets/\w)(?:schemas|sinks|streams|grafana|deploy|docs|examples|tests|\.ci)/[\w./-]*|\.env\.example|Makefile|docker-compose\.yml)`"
)


def sections(text: str) -> dict[str, str]:
    """Heading in backticks -> what stands below it."""
    parts = re.split(r"^### `(\w+)`$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(heading: str) -> list[list[str]]:
    """The rows of the table in docs/formats.md whose first column is called `heading`, without its head."""
    lines = FORMATS_TEXT[FORMATS_TEXT.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def outcome(record: bytes) -> str:
    """The reason for which a record is refused when it arrives at NOW, or "accepted"."""
    decoded = decode([record], None, KEY)
    arrived = pl.Series([NOW], dtype=pl.Datetime("ms", "UTC"))
    _, untimely = check_times(decoded.frame, arrived, Limits())
    return next((refusal.reason.value for refusal in [*decoded.refusals, *untimely]), "accepted")


def wire_names(model: type[BaseModel]) -> set[str]:
    return {str(field.validation_alias or name) for name, field in model.model_fields.items()}


def test_every_reason_is_explained() -> None:
    """An operator who meets a reason finds it, and what to do."""
    assert list(sections(FORMATS_TEXT)) == [reason.value for reason in Reason]
    assert [names(row[0]) for row in table("Reason")] == [[drop.value] for drop in Drop]


@pytest.mark.parametrize("reason", [reason for reason, text in sections(FORMATS_TEXT).items() if "```" in text])
def test_examples_of_refusals_are_refused_so(reason: str) -> None:
    """Each example is refused for the reason under which it stands."""
    (example,) = re.findall(r"```json\n(.*?)\n```", sections(FORMATS_TEXT)[reason], re.DOTALL)
    assert outcome(example.encode()) == reason


def test_the_example_of_an_event_is_accepted() -> None:
    """The event that the page shows as a pattern is one."""
    example = FORMATS_TEXT[FORMATS_TEXT.index("```json\n") + 8 :].split("```")[0]
    assert outcome(example.encode()) == "accepted"


def test_every_canonical_field_is_in_the_table() -> None:
    """Field by field, and for each type whether it has it."""
    attributes = {name for model in MODELS for name in model.model_fields}
    assert [name for row in table("Attribute") for name in names(row[0])] == sorted(attributes, key=_order)
    data = (LoginData, ActivationData, AppVisitData, NotificationData)
    login, activation, app_visit, notification = (set(model.model_fields) for model in data)
    assert login == activation
    listed = {name: row[1:4] for row in table("Field of `data`") for name in names(row[0])}
    for column, fields in enumerate((login, app_visit, notification)):
        assert {name for name, cells in listed.items() if cells[column] != "–"} == fields
    assert all(kind in FORMATS_TEXT for kind in SHORT_TYPES)


def _order(name: str) -> int:
    return ("specversion", "id", "source", "type", "time", "data").index(name)


def test_every_entcore_field_is_in_the_table() -> None:
    """What the models of its documents read is listed, and nothing else."""
    read = set().union(*(wire_names(model) for model in (Login, Activation, Access, Connector, Emission)))
    assert {name for row in table("Field") for name in names(row[0])} == read - {"action"}


def test_every_format_is_listed() -> None:
    """With its adapter's place."""
    assert [names(row[0]) for row in table("Format")] == [[name] for name in FORMATS]


def test_every_setting_is_listed() -> None:
    """The tables of variables are written by hand and may not fall behind, their defaults included."""
    text = (ROOT / "docs/settings.md").read_text()
    rows = re.findall(r"^\| `(ENT_[A-Z0-9_]+)` \| ([^|]+) \|", text, re.MULTILINE)
    assert len({name for name, _ in rows}) == len(rows)
    assert {name: default.strip() for name, default in rows} == {
        name: default_of(field) for name, field in variables(Settings).items()
    }


def default_of(field: FieldInfo) -> str:
    """A setting's default as docs/settings.md writes it."""
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    shown = default.get_secret_value() if isinstance(default, SecretStr) else default
    return "–" if shown in (None, "") else f"`{str(shown).lower() if isinstance(shown, bool) else shown}`"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_settings_in_documents_exist(document: Path) -> None:
    """A variable that is named is one; ENT_REQUIRE and ENT_TEST_CLICKHOUSE are the tests' own."""
    assert set(re.findall(r"ENT_[A-Z0-9_]+", document.read_text())) <= {
        *variables(Settings),
        "ENT_REQUIRE",
        "ENT_TEST_CLICKHOUSE",
    }


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every `ent …` in a code block or in backticks of a document, without its arguments' values."""
    for document in DOCUMENTS:
        text = document.read_text()
        blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        told = [line for block in blocks for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", text)
        for line in told:
            words = re.match(r"(?:\$ )?(?:\.venv/bin/)?ent ([a-z].*)", line.split("  #")[0])
            if words:
                yield document.name, shlex.split(words[1])


@pytest.mark.parametrize(("document", "words"), list(commands()))
def test_commands_in_documents_exist(document: str, words: list[str]) -> None:
    """The command, its subcommand and every option are those of `ent`."""
    command: Any = get_command(app)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        word, *words = words
        assert word in command.commands
        command = command.commands[word]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= options


def test_make_targets_in_documents_exist() -> None:
    """`make …` in a document is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"^(?:\$ )?make ([a-z-]+)|`make ([a-z-]+)", document.read_text(), re.MULTILINE)
        for target in target
        if target
    }
    assert told
    assert told <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_and_files_in_documents_exist(document: Path) -> None:
    """A link leads somewhere, and a file that is named is there."""
    text = document.read_text()
    linked = [document.parent / target for target in LINK.findall(text)]
    named = [ROOT / name for name in FILE.findall(text)]
    assert [str(path) for path in [*linked, *named] if not path.exists()] == []
