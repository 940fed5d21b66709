"""A folder of CSV files: what is read, and what is said of mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from schemas.directory import ProfileRecord, School, SchoolClass
from schemas.directory_reader import read_directory_records
from streams.directory.folder import DirectoryFolderError, read_directory_folder, read_folder

SCHOOLS = """\
uai;nom;commune;education_prioritaire;nature;academie;zone;feries;deploye_depuis;identifiants;valide_du;valide_au
0689901T;École A;Villefictive;REP+;elementaire;Strasbourg;B;6AE;2025-09-01;str-1|ext-1;2025-09-01;
0689902U;École B;Villefictive;;maternelle;Strasbourg;B;6AE;;str-2;2025-09-01;2026-09-01
0689902U;École B;Villefictive;REP;maternelle;Strasbourg;B;6AE;;str-2;2026-09-01;
"""
CLASSES = """classe;uai;libelle;niveaux;eleves;videoprojecteur;enseignant_forme;noms;valide_du
a;0689901T;CE2-CM1 A;CE2-CM1;21;oui;non;CE2-CM1 A|cls-1;2025-09-01
b;0689901T;ULIS;ULIS;12;non;oui;;2025-09-01
"""
PROFILES = "profil;libelle;dnma;rang\neleve;Élèves;eleve;1\n"
ACCOUNTS = "uai;classe;profil;charges;actives\n0689901T;a;eleve;21;20\n0689901T;;personnel;3;2\n"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the four files, some of them changed, and returns their folder."""

    def write(**changed: str | bytes) -> Path:
        texts = {"schools": SCHOOLS, "classes": CLASSES, "profiles": PROFILES, "accounts": ACCOUNTS} | changed
        for name, text in texts.items():
            (tmp_path / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write


def told(folder: Path) -> list[str]:
    return [str(problem) for problem in read_folder(folder).problems]


def test_records_hold_what_the_files_say(write: Write) -> None:
    """Cells become fields, empty ones their defaults, and accounts go to their class or school."""
    found = read_folder(write(), revision=7)
    assert found.problems == []
    schools = [School.model_validate_json(value) for _, value in found.records[School.topic]]
    assert [(s.uai, s.valid_from, s.education_prioritaire.value) for s in schools] == [
        ("0689901T", date(2025, 9, 1), "REP+"),
        ("0689902U", date(2025, 9, 1), ""),
        ("0689902U", date(2026, 9, 1), "REP"),
    ]
    assert schools[0].structure_ids == ["str-1", "ext-1"]
    assert schools[0].deployed_from == date(2025, 9, 1)
    assert [(a.profile.value, a.loaded, a.activated) for a in schools[0].accounts] == [("personnel", 3, 2)]
    classes = [SchoolClass.model_validate_json(value) for _, value in found.records[SchoolClass.topic]]
    assert [(c.class_id, c.cycle, c.projector, c.teacher_trained, c.names) for c in classes] == [
        ("a", "2-3", True, False, ["CE2-CM1 A", "cls-1"]),
        ("b", "", False, True, []),
    ]
    assert [(a.profile.value, a.loaded) for a in classes[0].accounts] == [("eleve", 21)]
    assert {record.revision for record in (*schools, *classes)} == {7}


def test_commas_marks_and_order_of_columns_do_not_matter(write: Write) -> None:
    """What a spreadsheet saves is read: a byte order mark, commas, CRLF, quotes, capitals, other columns first."""
    text = '\ufeffRang,Libelle,PROFIL,dnma\r\n1,"Élèves, tous",eleve,eleve\r\n'
    found = read_folder(write(profiles=text))
    assert found.problems == []
    (profile,) = [ProfileRecord.model_validate_json(value) for _, value in found.records[ProfileRecord.topic]]
    assert (profile.label, profile.rank) == ("Élèves, tous", 1)


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "schools",
            "0689901T;École",
            "0689901A;École",
            "line 2, column uai: 0689901A: the check letter of 0689901 is T",
        ),
        ("schools", "0689901T;École A", "0689901T;", "line 2, column nom: is empty"),
        ("schools", ";B;6AE;2025-09-01", ";D;6AE;2025-09-01", "line 2, column zone: D: "),
        ("schools", "2025-09-01;str-1", "01/09/2025;str-1", "line 2, column deploye_depuis: 01/09/2025: "),
        ("schools", "str-1|ext-1", "str-1|str-1", "line 2, column identifiants: str-1|str-1: given twice: str-1"),
        ("schools", "ext-1", "str-2", "line 3, column identifiants: str-2 is described by line 2 on the same days"),
        (
            "schools",
            "2025-09-01;2026-09-01",
            "2025-09-01;2026-10-01",
            "line 4, column uai: 0689902U is described by line 3",
        ),
        (
            "schools",
            "2025-09-01;2026-09-01",
            "2025-09-01;2025-09-01",
            "line 3, column valide_au: 2025-09-01: valid_to must lie",
        ),
        ("schools", ";REP;", ";", "line 4: has 11 cells and the heading 12"),
        ("schools", "zone;", "zones;", "line 1: the heading 'zones' is not known"),
        ("schools", "commune;", "nom;", "line 1: the column 'commune' is missing"),
        ("schools", "commune;", "nom;", "line 1: the heading 'nom' stands there twice"),
        ("classes", "a;0689901T", "a;0689903V", "line 2, column uai: 0689903V is not in schools.csv"),
        ("classes", "CE2-CM1;21", "CE2-CM9;21", "line 2, column niveaux: CE2|CM9: "),
        ("classes", ";21;", ";beaucoup;", "line 2, column eleves: beaucoup: "),
        ("classes", "oui;non", "oui;peut-être", "line 2, column enseignant_forme: peut-être: "),
        ("classes", "b;0689901T", "a;0689901T", "line 3, column classe: a is described by line 2"),
        ("classes", "oui;;2025", "oui;cls-1;2025", "line 3, column noms: cls-1 in 0689901T is described by line 2"),
        ("classes", "b;0689901T", "unmapped;0689901T", "line 3, column classe: unmapped: a class cannot be called"),
        (
            "profiles",
            "eleve;1\n",
            "eleve;1\neleve;Enfants;;2\n",
            "line 3, column profil: eleve stands in line 2 already",
        ),
        ("profiles", "eleve;Élèves", "enfant;Élèves", "line 2, column profil: enfant: "),
        ("accounts", "21;20", "21;22", "line 2, column actives: 22: 22 accounts are activated, but only 21 exist"),
        ("accounts", ";a;", ";c;", "line 2, column classe: class c of 0689901T is not in classes.csv"),
        ("accounts", "0689901T;;", "0689909B;;", "line 3, column uai: 0689909B is not in schools.csv"),
        ("accounts", "0689901T;;personnel", ";;personnel", "line 3, column uai: is empty"),
        (
            "accounts",
            "0689901T;;personnel;3",
            "0689901T;a;eleve;3",
            "line 3, column profil: eleve of 0689901T a stands there twice",
        ),
        ("schools", "École A", '"École A', "line "),
    ],
)
def test_a_mistake_is_told_with_its_place(write: Write, name: str, old: str, new: str, expected: str) -> None:
    """File, line and column of the mistake, and what is wrong there."""
    text = {"schools": SCHOOLS, "classes": CLASSES, "profiles": PROFILES, "accounts": ACCOUNTS}[name]
    assert old in text
    lines = told(write(**{name: text.replace(old, new)}))
    assert any(line.startswith(f"{name}.csv, {expected}") for line in lines), lines


def test_advice_says_what_to_write(write: Write) -> None:
    """A mistake in a cell ends with what a right cell looks like."""
    lines = told(write(schools=SCHOOLS.replace("elementaire", "collège")))
    assert lines == [line for line in lines if line.endswith("write maternelle, elementaire, primaire")]
    assert len(lines) == 1


def test_all_mistakes_are_told_at_once(write: Write) -> None:
    """An operator mends the files in one go."""
    lines = told(
        write(
            schools=SCHOOLS.replace("0689901T", "0689901A").replace(";maternelle;", ";crèche;"),
            classes=CLASSES.replace("ULIS;12", "ULIS;"),
            profiles=PROFILES.replace(";1", ";mille"),
        )
    )
    assert len(lines) == 8
    assert [line.split(",")[0] for line in lines] == sorted(line.split(",")[0] for line in lines)


def test_a_wrong_school_is_not_told_again_for_each_of_its_classes(write: Write) -> None:
    """A school that is named in a line with a mistake is not missing."""
    lines = told(write(schools=SCHOOLS.replace("École A;Villefictive", "École A;")))
    assert lines == [line for line in lines if "column commune" in line]
    assert len(lines) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SCHOOLS.encode("latin-1"), "schools.csv: is not UTF-8 at byte"),
        (b"", "schools.csv, line 1: the column 'uai' is missing: add it"),
        (b"\x00\x01\x02", "schools.csv, line 1: the heading"),
    ],
)
def test_what_is_no_csv_in_utf8_is_told(write: Write, text: bytes, expected: str) -> None:
    """A file in another encoding, an empty one, and bytes that are no text at all."""
    assert any(line.startswith(expected) for line in told(write(schools=text))), told(write(schools=text))


def test_missing_files_are_told_one_by_one(tmp_path: Path) -> None:
    """An empty folder, or none."""
    expected = ["accounts.csv", "classes.csv", "profiles.csv", "schools.csv"]
    assert [line.split(":")[0] for line in told(tmp_path / "nowhere")] == expected


def test_blank_lines_and_quoted_line_ends_keep_the_count_of_lines(write: Write) -> None:
    """The line that is told is the line of the file."""
    text = SCHOOLS.replace("0689901T;École A;", '\n0689901T;"École\nA";').replace(";maternelle;", ";crèche;")
    lines = told(write(schools=text))
    assert [line.split(":")[0] for line in lines] == [
        "schools.csv, line 3, column nom",
        "schools.csv, line 5, column nature",
        "schools.csv, line 6, column nature",
    ]


def test_the_digest_is_of_the_content_alone(write: Write) -> None:
    """Another revision or order of lines has the same digest, another cell has another."""
    first = read_folder(write(), revision=1).manifest().content
    head, *lines = CLASSES.splitlines(keepends=True)
    assert read_folder(write(classes=head + "".join(reversed(lines))), revision=9).manifest().content == first
    assert read_folder(write(accounts=ACCOUNTS.replace("21;20", "21;19"))).manifest().content != first


def test_another_number_changes_nothing_else(write: Write) -> None:
    """Numbering afterwards is the same as reading with that number."""
    assert read_folder(write()).numbered(1_794_901_272_345) == read_folder(write(), revision=1_794_901_272_345)


def test_records_of_a_folder_are_read_back_from_topics(write: Write) -> None:
    """What is sent passes the receivers' own checks, key included."""
    found = read_folder(write())
    for topic, records in found.records.items():
        batch = read_directory_records(topic, [key for key, _ in records], [value for _, value in records])
        assert batch.refusals == []
        assert [json.loads(record.model_dump_json()) for record in batch.records] == [
            json.loads(value) for _, value in records
        ]


def test_a_folder_becomes_a_snapshot_or_an_error(write: Write) -> None:
    """The way for those who need no Kafka."""
    assert len(read_directory_folder(write()).rows.schools) == 3
    with pytest.raises(DirectoryFolderError, match=r"schools\.csv, line 2, column nom: is empty"):
        read_directory_folder(write(schools=SCHOOLS.replace("École A", "")))
