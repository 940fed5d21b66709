"""`ent directory check` and `load`, as far as no Kafka is needed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.commands.directory import directory_app
from streams.settings import SettingsError

MULHOUSE = Path(__file__).parents[4] / "examples" / "mulhouse"


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """The example with two mistakes."""
    folder = Path(shutil.copytree(MULHOUSE, tmp_path / "wrong"))
    schools = folder / "schools.csv"
    schools.write_text(schools.read_text().replace("0689901T;", "0689901A;", 1).replace(";maternelle;", ";crèche;", 1))
    return folder


def test_check_passes_files_without_mistakes() -> None:
    """Exit 0, and how much there is."""
    result = CliRunner().invoke(directory_app, ["check", str(MULHOUSE)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "55 descriptions of schools, 450 of classes" in result.stdout


@pytest.mark.parametrize("command", [["check"], ["load", "--bootstrap", "unreachable.invalid:9092"]])
def test_mistakes_are_listed_on_standard_error(wrong: Path, command: list[str]) -> None:
    """Exit 1, one line for each; loading says so before it looks for Kafka."""
    result = CliRunner().invoke(directory_app, [*command, str(wrong)])
    assert result.exit_code == 1
    assert "schools.csv, line 2, column uai: 0689901A: the check letter of 0689901 is T" in result.stderr
    assert "column nature: crèche" in result.stderr


def test_check_can_answer_in_json(wrong: Path) -> None:
    """For programs: file, line, column and message of each mistake."""
    result = CliRunner().invoke(directory_app, ["check", "--json", str(wrong)])
    assert result.exit_code == 1
    problems = json.loads(result.stdout)["problems"]
    assert {(problem["file"], problem["line"], problem["column"]) for problem in problems} >= {
        ("schools.csv", 2, "uai")
    }


def test_loading_without_a_broker_says_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither --bootstrap nor ENT_KAFKA__BOOTSTRAP."""
    monkeypatch.delenv("ENT_KAFKA__BOOTSTRAP", raising=False)
    result = CliRunner().invoke(directory_app, ["load", str(MULHOUSE)])
    assert isinstance(result.exception, SettingsError)
    assert "ENT_KAFKA__BOOTSTRAP" in str(result.exception)
