"""docs/guarantees.md and docs/security.md: every promise has a test, and the test is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for section in re.split(r"^## ", (ROOT / "docs/guarantees.md").read_text(), flags=re.MULTILINE)
    for line in section.splitlines()
    if line.startswith("| ") and not line.startswith("| Promise") and not section.startswith("What was seen")
]
OF_SECURITY = re.findall(r"^\| .+ \| `(tests/\S+::\w+)` \|$", (ROOT / "docs/security.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_a_promise_names_a_test_that_is_there(row: list[str]) -> None:
    _promise, _mechanism, test = row
    assert_there(test.strip(" |`"))


@pytest.mark.parametrize("test", OF_SECURITY)
def test_a_promise_of_doors_and_trust_names_a_test_that_is_there(test: str) -> None:
    assert_there(test)


def assert_there(test: str) -> None:
    file, name = test.split("::")
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_there_are_promises() -> None:
    assert len(ROWS) > 20
    assert len(OF_SECURITY) > 40
