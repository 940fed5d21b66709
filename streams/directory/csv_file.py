"""CSV files as people save them: UTF-8 with or without a mark, `;` or `,`, columns in any order."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.directory.columns import Table


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to mend in a file."""

    file: str
    line: int
    """Line of the file, the heading being 1; 0: the file as a whole."""
    column: str
    """The column's heading; empty: the line as a whole."""
    message: str

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f", line {self.line}"
        if self.column:
            place += f", column {self.column}"
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a file: its cells that are not empty, by field."""

    line: int
    cells: dict[str, object]


def read_rows(folder: Path, table: Table, problems: list[Problem]) -> Iterator[Row]:
    """The lines of a table's file, one by one; what cannot be read is added to `problems` and left out."""
    path = folder / table.file
    try:
        # csv counts lines itself, and quoted cells may hold line ends.
        with path.open(encoding="utf-8-sig", newline="") as stream:
            head = stream.readline()
            delimiter = ";" if head.count(";") >= head.count(",") else ","
            stream.seek(0)
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            headings = [cell.strip().lower() for cell in next(reader, [])]
            if not _headings_fit(table, headings, problems):
                return
            columns = [next(c for c in table.columns if c.heading == heading) for heading in headings]
            fields = [column.field for column in columns]
            readers = [(column.field, column.read) for column in columns if column.read]
            before = reader.line_num
            for cells in reader:
                line, before = before + 1, reader.line_num
                stripped = [cell.strip() for cell in cells]
                if not any(stripped):
                    continue
                if len(cells) != len(fields):
                    told = f"has {len(cells)} cells and the heading {len(fields)}: add or remove a {delimiter}"
                    problems.append(Problem(table.file, line, "", told))
                    continue
                filled: dict[str, object] = {name: cell for name, cell in zip(fields, stripped, strict=True) if cell}
                for name, read in readers:
                    if name in filled:
                        filled[name] = read(str(filled[name]))
                yield Row(line, filled)
    except FileNotFoundError:
        problems.append(Problem(table.file, 0, "", f"is missing in {folder}: see examples/mulhouse for one"))
    except UnicodeDecodeError as error:
        problems.append(Problem(table.file, 0, "", f"is not UTF-8 at byte {error.start}: save it as CSV UTF-8"))
    except csv.Error as error:
        problems.append(
            Problem(table.file, reader.line_num, "", f"is no CSV: {error}; check the quotes before this line")
        )


def _headings_fit(table: Table, headings: list[str], problems: list[Problem]) -> bool:
    known = {column.heading for column in table.columns}
    told = [
        f"the heading {heading!r} is not known: use {', '.join(sorted(known))}"
        for heading in headings
        if heading not in known
    ]
    told += [f"the heading {heading!r} stands there twice" for heading in sorted(known) if headings.count(heading) > 1]
    told += [
        f"the column {column.heading!r} is missing: add it"
        for column in table.columns
        if column.required and column.heading not in headings
    ]
    problems.extend(Problem(table.file, 1, "", message) for message in told)
    return not told
