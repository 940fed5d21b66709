"""The ministry's files, the vendor's counts and AAF exports become a folder that loads, with its history."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas.directory import School, SchoolClass
from streams.commands import app
from streams.directory.folder import read_folder
from streams.directory.sources.aaf import read_aaf
from streams.directory.sources.described import SourceError
from streams.directory.sources.opendata import read_accounts, read_annuaire, read_effectifs, read_ips

ANNUAIRE = """\
identifiant_de_l_etablissement;nom_etablissement;nom_commune;code_departement;libelle_academie;nom_circonscription;\
ecole_maternelle;ecole_elementaire;appartenance_education_prioritaire;etat
0689901T;École A;Villefictive;068;Strasbourg;Villefictive 1;0;1;REP+;OUVERT
0689901T;École A bis;Villefictive;068;Strasbourg;Villefictive 1;0;1;;OUVERT
0689902U;École B;Villefictive;068;Strasbourg;Villefictive 1;1;1;;OUVERT
0689903V;École close;Villefictive;068;Strasbourg;Villefictive 1;1;0;;A FERMER
0449901Y;École C;Ailleurs;044;Nantes;;1;0;REP;OUVERT
0689904W;Collège;Villefictive;068;Strasbourg;;0;0;;OUVERT
"""
EFFECTIFS = """\
"Rentrée scolaire","Numéro Ecole","Nombre total d'élèves","Nombre total élèves",REP,REP +
2024,0689901T,x,190,1,0
2025,0689901T,x,204,0,1
2025,0689902U,x,88,0,0
"""
IPS = "rentree_scolaire;uai;ips\n2023-2024;0689901T;80,1\n2024-2025;0689901T;81,5\n"
ACCOUNTS = """\
établissement;UAI;date;profil;connexions;visiteurs uniques;comptes chargés;comptes activés
"École A";0689901T;01/10/2026;Student;9;8;200;150
"École A";0689901T;01/11/2026;Student;9;8;204;180
"École A";0689901T;01/11/2026;Relative;9;8;300;210
"""
RUNNER = CliRunner()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Paths of the sources."""
    found = {}
    effectifs = EFFECTIFS.replace("Nombre total élèves", "nombre_total_eleves")
    for name, text in (("annuaire", ANNUAIRE), ("effectifs", effectifs), ("ips", IPS), ("accounts", ACCOUNTS)):
        path = tmp_path / f"{name}.csv"
        path.write_text("\ufeff" + text)
        found[name] = str(path)
    return found


def run(folder: Path, *words: str) -> Any:
    return RUNNER.invoke(app, ["directory", "import", str(folder), *words])


def schools_of(folder: Path) -> list[School]:
    found = read_folder(folder)
    assert found.problems == []
    return [School.model_validate_json(value) for _, value in found.records[School.topic]]


def test_the_files_of_a_commune_become_a_folder(files: dict[str, str], tmp_path: Path) -> None:
    """Names, REP, zone, holidays, pupils, social index and accounts, of open primary schools, each once."""
    folder = tmp_path / "mine"
    words = [word for name, path in files.items() for word in (f"--{name}", path)]
    told = run(folder, *words, "--commune", "VILLEFICTIVE", "--as-of", "2026-09-01", "--write", "--json")
    assert told.exit_code == 0, told.output
    assert "1 lines of a UAI that stands there already" in told.stderr
    a, b = schools_of(folder)
    assert (a.uai, a.name, a.nature, a.zone, a.holidays) == ("0689901T", "École A", "elementaire", "B", "6AE")
    assert (a.education_prioritaire, a.pupils, a.ips, a.valid_from) == ("REP+", 204, 81.5, date(2026, 9, 1))
    assert {one.profile: (one.loaded, one.activated) for one in a.accounts} == {
        "eleve": (204, 180),
        "parent": (300, 210),
    }
    assert (b.nature, b.education_prioritaire, b.pupils, b.ips) == ("primaire", "", 88, None)
    difference = json.loads(told.stdout)
    assert (difference["added"], difference["lost"], difference["changed"]) == (["0689901T", "0689902U"], [], [])


def test_a_change_ends_a_line_and_begins_another(files: dict[str, str], tmp_path: Path) -> None:
    """What the city wrote by hand goes on; the day before the change is still described as it was."""
    folder = tmp_path / "mine"
    run(folder, "--annuaire", files["annuaire"], "--commune", "Villefictive", "--as-of", "2025-09-01", "--write")
    path = folder / "schools.csv"
    by_hand = path.read_text().replace("Villefictive 1;;REP+", "Villefictive 1;Bollwerk;REP+")
    path.write_text(by_hand)
    Path(files["annuaire"]).write_text(ANNUAIRE.replace("École A;", "École Alpha;"))
    preview = run(folder, "--annuaire", files["annuaire"], "--as-of", "2026-09-01")
    assert "~ 0689901T: name" in preview.stdout
    assert path.read_text() == by_hand, "a preview writes nothing"
    assert run(folder, "--annuaire", files["annuaire"], "--as-of", "2026-09-01", "--write").exit_code == 0
    old, new, _ = schools_of(folder)
    assert (old.name, old.valid_from, old.valid_to) == ("École A", date(2025, 9, 1), date(2026, 9, 1))
    assert (new.name, new.valid_from, new.pole) == ("École Alpha", date(2026, 9, 1), "Bollwerk")
    again = path.read_text()
    run(folder, "--annuaire", files["annuaire"], "--as-of", "2026-09-01", "--write")
    assert path.read_text() == again, "the same files change nothing"


def test_too_many_lost_schools_are_refused(files: dict[str, str], tmp_path: Path) -> None:
    """A file that was cut off does not close half of the schools, unless someone says so."""
    folder = tmp_path / "mine"
    run(folder, "--annuaire", files["annuaire"], "--commune", "Villefictive", "--as-of", "2025-09-01", "--write")
    Path(files["annuaire"]).write_text("\n".join(ANNUAIRE.splitlines()[:2]))
    words = ["--annuaire", files["annuaire"], "--whole", "--as-of", "2026-09-01", "--write"]
    refused = run(folder, *words)
    assert refused.exit_code == 1
    assert "1 of 2 schools would be lost (0689902U), 50 % where 5 % may be" in refused.stderr.replace(
        "50%", "50 %"
    ).replace("5%", "5 %")
    assert len(schools_of(folder)) == 2
    assert run(folder, *words, "--max-loss", "0.5").exit_code == 0
    assert [school.valid_to for school in schools_of(folder)][1] == date(2026, 9, 1)


@pytest.mark.parametrize("read", [read_annuaire, read_effectifs, read_ips, read_accounts])
def test_another_file_is_told(read: Any, tmp_path: Path) -> None:
    """By the columns that are missing; so are files that cannot be read."""
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a;b\n1;2\n")
    with pytest.raises(SourceError, match="no column"):
        read(wrong)
    wrong.write_bytes(b"uai;\xff\n")
    with pytest.raises(SourceError, match="UTF-8"):
        read(wrong)
    with pytest.raises(SourceError, match="cannot be read"):
        read(tmp_path / "absent.csv")


def request(**attributes: str | list[str]) -> str:
    told = ""
    for name, value in attributes.items():
        values = "".join(f"<value>{one}</value>" for one in ([value] if isinstance(value, str) else value))
        told += f'<attr name="{name}">{values}</attr>'
    return f"<addRequest><identifier><id>1</id></identifier><attributes>{told}</attributes></addRequest>"


def aaf(folder: Path, kind: str, *requests: str, head: str = "") -> None:
    folder.mkdir(exist_ok=True)
    text = f'<?xml version="1.0" encoding="UTF-8"?>{head}<ficAlimMENESR date="x">{"".join(requests)}</ficAlimMENESR>'
    (folder / f"FULL_ENT1DSERVICES_Complet_20260901_{kind}_0000.xml").write_text(text)


def pupil(number: int, classes: list[str], level: str, parents: list[str]) -> str:
    return request(
        ENTPersonJointure=f"e{number}",
        ENTPersonNom="Canari",
        ENTEleveINE="0123456789A",
        ENTPersonStructRattach="9001",
        ENTPersonClasses=classes,
        ENTEleveNiveau=level,
        ENTEleveAutoriteParentale=parents,
    )


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A complete export of one school, two classes, three pupils, four parents and three adults."""
    folder = tmp_path / "aaf"
    doctype = '<!DOCTYPE ficAlimMENESR SYSTEM "ficAlimMENESR.dtd">'
    school = request(
        ENTStructureJointure="9001",
        ENTStructureUAI="0689901T",
        ENTStructureNomCourant="École A &amp; Co",
        ENTStructureTypeStruct="ECOLE ÉLÉMENTAIRE",
        ENTEcoleCommune="Villefictive",
        ENTServAcAcademie="Strasbourg",
        ENTEcoleCirconscription="Villefictive 2",
    )
    aaf(folder, "EtabEducNat", school, head=doctype)
    aaf(
        folder,
        "Eleve",
        pupil(1, ["9001$12$CE1 A$x$y"], "CE1", ["p1$1", "p2$1"]),
        pupil(2, ["9001$12$CE1 A$x$y"], "CE2", ["p1$1"]),
        pupil(3, ["9001$13$CP$x$y"], "COURS PREPARATOIRE CP", ["p3", "p4"]),
        pupil(4, ["9999$1$?$x$y"], "CP", []),
        head=doctype,
    )
    aaf(
        folder,
        "PersEducNat",
        request(ENTPersonJointure="a1", ENTPersonStructRattach="9001", ENTPersonFonctions=["9001$DIR$x", "9001$ENS$x"]),
        request(ENTPersonJointure="a2", ENTPersonStructRattach="9001", ENTPersonCategorieEnseignant="O"),
        request(ENTPersonJointure="a3", ENTPersonStructRattach="9001", ENTPersonFonctions="9001$ADM$x"),
    )
    return folder


def test_an_export_gives_classes_and_counts_and_no_person(export: Path, tmp_path: Path) -> None:
    """Schools and classes with levels and pupils; accounts per class and school; names and ids of nobody."""
    folder = tmp_path / "mine"
    Path(tmp_path / "annuaire.csv").write_text(ANNUAIRE)
    words = ["--aaf", str(export), "--annuaire", str(tmp_path / "annuaire.csv"), "--as-of", "2026-09-01", "--write"]
    told = run(folder, *words)
    assert told.exit_code == 0, told.output
    (school,) = schools_of(folder)
    assert (school.name, school.zone, school.nature) == ("École A", "B", "elementaire")
    assert {one.profile: one.loaded for one in school.accounts} == {"enseignant": 2, "personnel": 1}
    classes = [SchoolClass.model_validate_json(value) for _, value in read_folder(folder).records[SchoolClass.topic]]
    assert [(c.class_id, c.label, list(c.levels), c.pupils, c.names) for c in classes] == [
        ("0689901T-12", "CE1 A", ["CE1", "CE2"], 2, ["CE1 A", "12"]),
        ("0689901T-13", "CP", ["CP"], 1, ["CP", "13"]),
    ]
    assert {one.profile: one.loaded for one in classes[0].accounts} == {"eleve": 2, "parent": 2}
    written = "".join(path.read_text() for path in folder.iterdir()) + told.output
    assert not any(sign in written for sign in ("Canari", "0123456789A", ";e1", "p1", "a1;"))
    assert "1 pupils of no class" in told.stderr


def test_a_new_year_ends_the_classes_of_the_old_one(export: Path, tmp_path: Path) -> None:
    """Classes that an export no longer has end on the day, and their events of before keep their class."""
    folder = tmp_path / "mine"
    Path(tmp_path / "annuaire.csv").write_text(ANNUAIRE)
    words = ["--aaf", str(export), "--annuaire", str(tmp_path / "annuaire.csv"), "--whole", "--write", "--as-of"]
    assert run(folder, *words, "2025-09-01").exit_code == 0
    aaf(export, "Eleve", pupil(1, ["9001$20$CE2 B$x$y"], "CE2", ["p1"]))
    told = run(folder, *words, "2026-09-01")
    assert told.exit_code == 0, told.output
    assert "classes: 1 added, 2 lost" in told.stdout
    classes = [SchoolClass.model_validate_json(value) for _, value in read_folder(folder).records[SchoolClass.topic]]
    ends = {one.class_id: one.valid_to for one in classes}
    assert ends["0689901T-12"] == ends["0689901T-13"] == date(2026, 9, 1)
    assert ends["0689901T-20"] > date(2026, 9, 1)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://192.0.2.1/x.dtd"> %p;]>',
    ],
)
def test_entities_are_refused(head: str, export: Path) -> None:
    """Neither a bomb nor another file comes in by an export."""
    aaf(export, "Eleve", head=head)
    with pytest.raises(SourceError, match="entities"):
        read_aaf(export)


def test_what_is_no_export_is_told(export: Path, tmp_path: Path) -> None:
    """A folder without the files, and a file that breaks off."""
    with pytest.raises(SourceError, match="EtabEducNat"):
        read_aaf(tmp_path)
    (cut,) = export.glob("*_Eleve_*")
    cut.write_text(cut.read_text()[:-40])
    with pytest.raises(SourceError, match="no XML"):
        read_aaf(export)
