"""`ent directory import`: take over the ministry's files and AAF exports into a folder."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from schemas.directory import School, SchoolClass
from schemas.directory_reader import read_directory_records
from streams.commands.as_json import AsJson
from streams.directory.columns import PROFILES
from streams.directory.difference import MAX_LOSS_SHARE, Difference, TooManyLostError, compare
from streams.directory.folder import Folder, read_folder
from streams.directory.merging import merge, write
from streams.directory.sources.aaf import read_aaf
from streams.directory.sources.described import Described, SourceError
from streams.directory.sources.opendata import plain, read_accounts, read_annuaire, read_effectifs, read_ips

PARIS: Final = ZoneInfo("Europe/Paris")
_SHOWN: Final = 20
MaxLoss = Annotated[
    float, typer.Option("--max-loss", min=0, max=1, help="Share of today's schools that may be lost, from 0 to 1.")
]
_File = Annotated[Path | None, typer.Option(exists=True, dir_okay=False)]


def import_sources(
    folder: Annotated[Path, typer.Argument(help="The directory's folder; made where it is not there.")],
    annuaire: _File = None,
    effectifs: _File = None,
    ips: _File = None,
    accounts: _File = None,
    aaf: Annotated[Path | None, typer.Option(exists=True, file_okay=False, help="Folder of a complete export.")] = None,
    commune: Annotated[
        list[str] | None, typer.Option(help="Take in every school of this commune. May be repeated.")
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From which day it holds; today by default.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="End the schools and classes that these files do not have.")
    ] = False,
    max_loss: MaxLoss = MAX_LOSS_SHARE,
    do_write: Annotated[bool, typer.Option("--write", help="Change the folder; without it only the preview.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take over fr-en-annuaire-education, …-effectifs-nb_classes, …-ips-ecoles, the vendor's accounts, AAF 1D exports.

    Schools that are in the folder are brought up to date; others come in by --commune or by an AAF export. Lines that
    change are ended and new ones begin, so the history stays. Exit 1 where the result would not be right.
    """
    on = as_of.date() if as_of else datetime.now(PARIS).date()
    try:
        before = _current(folder)
        described = _described(
            [(annuaire, read_annuaire), (effectifs, read_effectifs), (ips, read_ips), (accounts, read_accounts)],
            known={school.uai for school in before if isinstance(school, School)},
            communes={plain(name) for name in commune or ()},
            aaf=aaf,
        )
        merged = merge(folder, described, on, whole=whole)
        with tempfile.TemporaryDirectory() as trial:
            if (folder / PROFILES.file).exists():
                copyfile(folder / PROFILES.file, Path(trial) / PROFILES.file)
            write(Path(trial), merged)
            found = read_folder(Path(trial))
        difference = compare(before, _records(found), on)
        difference.check(max_loss)
    except (SourceError, TooManyLostError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for line in [*described.notes, *map(str, found.problems)]:
        typer.echo(line, err=True)
    typer.echo(json.dumps(asdict(difference), indent=2) if as_json else told(difference))
    if found.problems:
        raise typer.Exit(1)
    if do_write:
        write(folder, merged)


def told(difference: Difference) -> str:
    """A difference in some lines."""
    lines = [f"+ {uai}" for uai in difference.added] + [f"- {uai}" for uai in difference.lost]
    lines += [f"~ {one.uai}: {', '.join(one.fields)}" for one in difference.changed]
    if len(lines) > _SHOWN:
        lines = [*lines[:_SHOWN], f"… and {len(lines) - _SHOWN} more"]
    added, lost, changed = len(difference.added), len(difference.lost), len(difference.changed)
    summary = f"schools: {added} added, {lost} lost ({difference.loss_share:.1%}), {changed} changed; "
    return "\n".join([*lines, f"{summary}classes: {difference.classes_added} added, {difference.classes_lost} lost"])


def _described(
    files: Iterable[tuple[Path | None, Callable[[Path], Described]]],
    known: set[str],
    communes: set[str],
    aaf: Path | None,
) -> Described:
    """What all sources say together; schools outside the folder only where they are wanted."""
    everything = Described()
    wanted = set(known)
    if aaf is not None:
        everything.add(read_aaf(aaf))
        wanted |= everything.schools.keys()
    for path, read in files:
        if path is None:
            continue
        described = read(path)
        wanted |= {uai for uai, cells in described.schools.items() if plain(cells.get("commune", "")) in communes}
        described.schools = {uai: cells for uai, cells in described.schools.items() if uai in wanted}
        described.accounts = {place: cells for place, cells in described.accounts.items() if place[0] in wanted}
        everything.add(described)
    return everything


def _current(folder: Path) -> list[School | SchoolClass]:
    """The folder as it is; a folder that is not there yet describes nothing. SourceError where it is not right."""
    if not folder.exists():
        return []
    found = read_folder(folder)
    if found.problems:
        raise SourceError("\n".join(["mend the folder first:", *map(str, found.problems)]))
    return _records(found)


def _records(found: Folder) -> list[School | SchoolClass]:
    read = [
        read_directory_records(topic, [key for key, _ in pairs], [value for _, value in pairs]).records
        for topic, pairs in found.records.items()
    ]
    return [record for records in read for record in records if isinstance(record, School | SchoolClass)]
