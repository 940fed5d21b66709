"""The promises of the published figures, each tried on what really is in the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sinks.clickhouse.client import connect
from sinks.clickhouse.embedded.process import EmbeddedDatabase
from sinks.clickhouse.errors import DatabaseFailure
from sinks.clickhouse.grains import GRAINS, Grain
from sinks.clickhouse.publisher import Stage as Written
from tests.database import client_of, settings_of
from tests.privacy.attack import attack
from tests.privacy.reading import Exact, Shown, shown, surely_shown
from tests.privacy.stage import Stage, set_stage
from tests.privacy.world import MONDAY, Array, class_of

K, HIGHER = 5, 11
pytestmark = pytest.mark.timeout(180)  # a world is stored and counted before the first test


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    """A database whose reader may read the published figures only."""
    database = EmbeddedDatabase(tmp_path_factory.mktemp("city"), reader_databases=("ent_public",))
    with database:
        yield database


@pytest.fixture(scope="module")
def stage(city: EmbeddedDatabase) -> Stage:
    return set_stage(client_of(city))


@pytest.fixture(scope="module")
def published_at(stage: Stage) -> dict[int, dict[str, Shown]]:
    """What is published with k = 11, and then with k = 5, which stays."""
    published = {}
    for k in (HIGHER, K):
        stage.publish(k)
        published[k] = shown(stage.client, stage.cells, k)
    return published


@pytest.fixture(scope="module")
def published(published_at: dict[int, dict[str, Shown]]) -> dict[str, Shown]:
    return published_at[K]


def threshold(cells: dict[str, Exact]) -> dict[str, Shown]:
    """What a plain threshold in a view with free grouping would show: everything exactly but 1 to k-1 persons."""

    def concealed(values: Array, hidden: Array, otherwise: float) -> Array:
        return np.where(hidden, otherwise, values)

    tables = {}
    for name, cell in cells.items():
        hidden = (cell.persons > 0) & (cell.persons < K)
        counts = {
            each: (count, concealed(count, hidden, 0), concealed(count, hidden, 1e9))
            for each, count in cell.counts.items()
        }
        low, high = concealed(cell.persons, hidden, 1), concealed(cell.persons, hidden, K - 1)
        tables[name] = Shown(concealed(cell.persons, hidden, np.nan), low, high, counts)
    return tables


def follows_the_rule(cell: Exact, table: Shown, counts: tuple[str, ...], k: int) -> None:
    """A row where the rule surely gives one, none below k; a multiple of 5 within 4 of the truth; counts likewise."""
    seen = ~np.isnan(table.users)
    assert seen[cell.persons >= surely_shown(k)].all()
    assert not seen[cell.persons < k].any()
    assert (table.users[seen] >= k).all()
    assert (table.users[seen] % 5 == 0).all()
    assert (np.abs(table.users - cell.persons)[seen] <= 4).all()
    for name in counts:
        expected = cell.counts[name][seen] * table.users[seen] / cell.persons[seen]
        assert np.abs(table.counts[name][0][seen] - expected).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("grain", GRAINS, ids=lambda grain: grain.name)
def test_nothing_is_published_of_fewer_than_k_and_the_rest_by_the_rule(
    stage: Stage, published_at: dict[int, dict[str, Shown]], grain: Grain
) -> None:
    """In every table, cell by cell, whatever k is."""
    for k, tables in published_at.items():
        follows_the_rule(stage.cells[grain.name], tables[grain.name], grain.counts, k)


def test_a_higher_k_withdraws_what_was_published_below_it(stage: Stage, published: dict[str, Shown]) -> None:
    """When a window is written again, and at the next start of windows whose states are gone too."""
    grain = next(grain for grain in GRAINS if grain.name == "school_app_week")
    assert np.nanmin(published[grain.name].users) < HIGHER
    stage.publisher(HIGHER).publish(grain, MONDAY, Written.FINAL, 1)
    follows_the_rule(
        stage.cells[grain.name], shown(stage.client, stage.cells, HIGHER)[grain.name], grain.counts, HIGHER
    )
    stage.publisher(K).publish(grain, MONDAY, Written.FINAL, 1)
    stage.client.command(
        "INSERT INTO ent_public.cells (grain, start, place, users, version) VALUES "
        "('school_day', '2025-11-17', 'a', 10, 1), ('school_day', '2025-11-17', 'b', 15, 1)"
    )
    stage.client.command("CREATE TABLE ent.kept AS ent_public.cells")
    stage.client.command("INSERT INTO ent.kept SELECT * FROM ent_public.cells FINAL WHERE start >= '2026-01-01'")
    try:
        stage.publisher(HIGHER).withdraw()
        left = "SELECT place, users FROM ent_public.cells FINAL WHERE start = '2025-11-17'"
        assert stage.client.query_rows(left) == [("b", 15)]
    finally:
        stage.client.command("TRUNCATE TABLE ent_public.cells")
        stage.client.command("INSERT INTO ent_public.cells SELECT * FROM ent.kept")
        stage.client.command("DROP TABLE ent.kept")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("k", [K, HIGHER])
def test_a_linear_programme_over_all_tables_finds_no_small_cell(
    stage: Stage, published_at: dict[int, dict[str, Shown]], k: int
) -> None:
    """The budget: none exactly, at most 0.3 % seen to hold so few, no count within a tenth. `make privacy`: all."""
    found = attack(published_at[k], stage.cells, stage.world.school_of_class, k, schools=1, limit=100)
    assert found.wrong == 0
    assert found.cells == 100
    assert found.found == 0
    assert found.seen <= 0.003
    assert found.somebody <= 0.01
    assert found.counts_found == 0
    assert found.counts_near == 0


def test_the_attack_bites_where_a_threshold_stands_alone(stage: Stage) -> None:
    """So that its failure above says something."""
    tables = threshold(stage.cells)
    found = attack(tables, stage.cells, stage.world.school_of_class, K, schools=1, limit=60)
    assert found.wrong == 0
    assert found.found > 0.2
    assert found.seen > 0.9
    assert found.counts_found > 0.1


def test_the_same_persons_give_the_same_figure_in_every_table(stage: Stage, published: dict[str, Shown]) -> None:
    """So nothing averages out: of a day and of its week, of a school and of its only profile."""
    logins = stage.world.events.filter(pl.col("app") < 0)
    logins = logins.with_columns(
        school=pl.Series(stage.world.school)[logins["user"]],
        klass=pl.Series(stage.world.klass)[logins["user"]],
        profile=pl.Series(stage.world.profile)[logins["user"]].clip(0, 2),
    )
    tables = (
        ("school_day", ["day", "school"]),
        ("school_profile_day", ["day", "school", "profile"]),
        ("school_hour", ["day", "school", "hour"]),
        ("school_week", ["school"]),
        ("school_profile_week", ["school", "profile"]),
        ("class_day", ["day", "klass"]),
        ("class_week", ["klass"]),
    )
    figures: dict[frozenset[int], float] = {}
    repeated = 0
    for name, keys in tables:
        pupils = logins.filter(pl.col("klass") >= 0) if name.startswith("class") else logins
        for *key, users in pupils.group_by(keys).agg(pl.col("user").unique()).rows():
            at = dict(zip(keys, key, strict=True))
            kind = at.get("profile", at["hour"] - 6 if "hour" in at else 0)
            figure = float(published[name].users[at.get("day", 0), at.get("school", at.get("klass")), kind])
            if not np.isnan(figure):
                persons = frozenset(users)
                repeated += persons in figures
                assert figures.setdefault(persons, figure) == figure
    assert repeated > 2


def test_publishing_again_changes_nothing_and_a_correction_withdraws(stage: Stage, published: dict[str, Shown]) -> None:
    """A cell that was published and falls below k is blank then, not left as it was."""
    rows = "SELECT grain, start, place, kind, users, logins, visits FROM ent_public.cells FINAL ORDER BY ALL"
    before = stage.client.query_rows(rows)
    grain = next(grain for grain in GRAINS if grain.name == "class_day")
    publisher = stage.publisher(K)
    publisher.publish(grain, MONDAY, Written.FINAL, 1)
    assert stage.client.query_rows(rows) == before
    klass = class_of(int(np.flatnonzero(stage.cells["class_day"].persons[0, :, 0] >= K)[0]))
    stage.client.command("CREATE TABLE ent.kept AS ent.usage_by_day")
    stage.client.command(f"INSERT INTO ent.kept SELECT * FROM ent.usage_by_day WHERE class_id = '{klass}'")
    try:
        stage.client.command(f"DELETE FROM ent.usage_by_day WHERE class_id = '{klass}'")
        publisher.publish(grain, MONDAY, Written.FINAL, 2)
        of_class = f"SELECT count() FROM ent_public.v_class_day WHERE class_id = '{klass}' AND day = '{MONDAY}'"
        assert stage.client.query_rows(of_class) == [(0,)]
        assert len(stage.client.query_rows(rows)) == len(before)
    finally:
        stage.client.command("INSERT INTO ent.usage_by_day SELECT * FROM ent.kept")
        stage.client.command("DROP TABLE ent.kept")
        publisher.publish(grain, MONDAY, Written.FINAL, 3)


def test_no_state_and_no_pseudonym_is_in_the_published_database(stage: Stage) -> None:
    """The columns of its tables are a closed list of plain types; a state's bytes would be the pseudonyms themselves.

    Views that stand for what is not published have such columns by name, and read nothing at all.
    """
    columns = stage.client.query_rows(
        "SELECT c.name, c.type, t.create_table_query FROM system.columns AS c JOIN system.tables AS t "
        "ON t.database = c.database AND t.name = c.table WHERE c.database = 'ent_public'"
    )
    secret = {"user_key", "session_key", "persons", "event_id"}
    kept = [made for name, kind, made in columns if "AggregateFunction" in kind or name in secret]
    assert kept
    assert [
        made for made in kept if not made.startswith("CREATE VIEW") or " FROM " in made or "WHERE 0" not in made
    ] == []


def test_both_readings_have_the_same_views_and_columns(stage: Stage) -> None:
    """A statement of a dashboard runs on either; only the exact one has the state that publication is made from."""
    for view in [grain.view for grain in GRAINS] + ["v_reading", "v_complete"]:
        exact, public = (
            [name for (name,) in stage.client.query_rows(
                "SELECT name FROM system.columns WHERE database = {database:String} AND table = {view:String}",
                {"database": database, "view": view},
            )]
            for database in ("ent", "ent_public")
        )  # fmt: skip
        assert [name for name in exact if name != "persons"] == public
        assert public


def test_the_exact_view_of_each_grain_is_exact(stage: Stage) -> None:
    """The definition that publication starts from gives the figures that were counted without the database."""
    for grain in GRAINS:
        ((cells, persons),) = stage.client.query_rows(f"SELECT count(), sum(users) FROM ent.{grain.view}")
        assert cells == int((stage.cells[grain.name].persons > 0).sum())
        assert persons == int(stage.cells[grain.name].persons.sum())


def test_a_reader_of_the_published_figures_reads_nothing_else(
    city: EmbeddedDatabase, published: dict[str, Shown], tmp_path: Path
) -> None:
    """Not the exact figures, by name, by a join, or by a table function."""
    assert published
    viewer = connect(settings_of(city, reader=True).model_copy(update={"database": "ent_public"}))
    assert viewer.query_rows("SELECT count() > 0 FROM ent_public.v_school_day") == [(1,)]
    for sql in (
        "SELECT * FROM ent.v_school_day",
        "SELECT 1 FROM ent_public.v_school_day WHERE 1 IN (SELECT 1 FROM ent.events)",
        "SELECT * FROM merge('ent', 'usage_by_day')",
        f"INSERT INTO ent_public.cells (grain) VALUES ('{tmp_path.name}')",
    ):
        with pytest.raises(DatabaseFailure):
            viewer.query_rows(sql)
