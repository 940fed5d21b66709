"""The example's README lists every heading that the files may have, and marks those that they must have."""

from __future__ import annotations

import re
from pathlib import Path

from streams.directory.columns import ACCOUNTS, CLASSES, PROFILES, SCHOOLS

README = Path(__file__).parents[4] / "examples" / "mulhouse" / "README.md"


def test_headings_and_what_is_required_are_documented() -> None:
    """A column that is added or renamed is told to those who write the files."""
    sections = dict(re.findall(r"### (\w+\.csv)\n(.*?)(?=\n### |\Z)", README.read_text(), re.DOTALL))
    for table in (SCHOOLS, CLASSES, PROFILES, ACCOUNTS):
        lines = [line for line in sections[table.file].splitlines() if line.startswith("| ")]
        told = {name.strip() for line in lines for name in line.split("|")[1].split(",")} - {"heading"}
        assert told == {f"{column.heading} *" if column.required else column.heading for column in table.columns}
