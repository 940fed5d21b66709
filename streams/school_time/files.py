"""The ministry's files as the portal exports them: CSV with `;` or `,`, or JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Final

from schemas.school_time import Calendar
from schemas.school_time.ministry import MinistryFileError, Timetables, read_calendar, read_timetables

CALENDAR: Final = "fr-en-calendrier-scolaire"
TIMETABLES: Final = "fr-en-organisation-du-temps-scolaire"
_OWN_COLUMN: Final = {CALENDAR: "annee_scolaire", TIMETABLES: "code_uai"}


def read_calendar_file(path: Path) -> Calendar:
    """A file of fr-en-calendrier-scolaire. Raises MinistryFileError where it cannot be used."""
    return read_calendar(_rows(path, CALENDAR), path.name)


def read_timetable_file(path: Path) -> Timetables:
    """A file of fr-en-organisation-du-temps-scolaire. Raises MinistryFileError where it cannot be used."""
    return read_timetables(_rows(path, TIMETABLES))


def _rows(path: Path, data_set: str) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = _of_json(text) if text.lstrip()[:1] == "[" else _of_csv(text)
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise MinistryFileError([f"{path} cannot be read: {error}"]) from None
    if rows and _OWN_COLUMN[data_set] not in rows[0]:
        raise MinistryFileError([f"{path} has no column {_OWN_COLUMN[data_set]}: this is no {data_set}"])
    return rows


def _of_json(text: str) -> list[dict[str, str]]:
    """An array of flat objects; a null is an empty cell."""
    rows = json.loads(text)
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is no array of objects")
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


def _of_csv(text: str) -> list[dict[str, str]]:
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") >= head.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    return [{str(name): value for name, value in row.items()} for row in reader]
