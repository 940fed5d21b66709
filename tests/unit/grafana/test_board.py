"""Places of panels, and the way from builders to Grafana's JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grafana.dashboards.board import BREAKS, COLUMNS, board, mark, place, to_json
from grafana.dashboards.panels import figure, lines

SIZES = st.lists(st.tuples(st.integers(1, COLUMNS), st.integers(1, 20)), max_size=30)


@given(SIZES)
def test_panels_never_overlap_nor_leave_the_board(sizes: list[tuple[int, int]]) -> None:
    taken: set[tuple[int, int]] = set()
    for where in place(sizes):
        cells = {
            (x, y)
            for x in range(where["x"], where["x"] + where["w"])
            for y in range(where["y"], where["y"] + where["h"])
        }
        assert where["x"] + where["w"] <= COLUMNS
        assert not cells & taken
        taken |= cells


@given(SIZES)
def test_panels_are_read_in_the_order_in_which_they_were_given(sizes: list[tuple[int, int]]) -> None:
    tops = [where["y"] for where in place(sizes)]
    assert tops == sorted(tops)


def test_small_panels_are_stacked_beside_a_tall_one() -> None:
    assert [(w["x"], w["y"]) for w in place([(16, 10), (8, 4), (8, 6), (24, 2)])] == [(0, 0), (16, 0), (16, 4), (0, 10)]


def test_a_panel_wider_than_the_board_is_refused() -> None:
    with pytest.raises(ValueError, match="25 columns"):
        place([(25, 1)])


def test_an_annotation_is_drawn_on_the_panels_that_were_named_and_on_no_others() -> None:
    made = board("adoption", "T", "d", ("now/d", "now/d"), "30s").annotation(mark("M", "SELECT 1"))
    panels = [(figure("one", "d", "SELECT 1"), 4, 4), (figure("two", "d", "SELECT 1"), 4, 4)]
    encoded = to_json(made, panels, marks={"M": ["two"]})
    drawn = {query["name"]: query["filter"] for query in encoded["annotations"]["list"]}
    assert drawn["M"] == {"exclude": False, "ids": [2]}


def test_breaks_of_the_series_are_drawn_on_every_time_series() -> None:
    panels = [(figure("one", "d", "SELECT 1"), 4, 4), (lines("two", "d", "SELECT 1"), 4, 4)]
    encoded = to_json(board("adoption", "T", "d", ("now/d", "now/d"), "30s"), panels)
    (breaks,) = encoded["annotations"]["list"]
    assert (breaks["name"], breaks["filter"]["ids"]) == (BREAKS, [2])


def test_a_board_has_the_variables_that_its_reader_sets() -> None:
    panels = [(figure("one", "d", "SELECT 1"), 4, 4)]
    encoded = to_json(board("ecole", "T", "d", ("now/d", "now/d"), "30s", ("une_ecole", "profil")), panels)
    several = {variable["name"]: variable.get("multi", False) for variable in encoded["templating"]["list"]}
    assert several == {"ds": False, "lecture": False, "complet": False, "ecole": False, "profil": True}


def test_a_panel_says_what_nothing_means_in_the_published_figures() -> None:
    """Reserved; published for some choices; or the same in both readings. For operators there is one reading only."""
    statements = ("SELECT 1 FROM v_events", "SELECT 1 FROM v_events UNION ALL SELECT 1 FROM v_published", "SELECT 1")
    panels = [(figure(sql, "d", sql), 4, 4) for sql in statements]
    both = to_json(board("adoption", "T", "d", ("now/d", "now/d"), "30s"), panels)
    said = [panel["fieldConfig"]["defaults"]["noValue"] for panel in both["panels"]]
    assert said[0] == "Aucune donnée (chiffres publiés : réservé)"
    assert said[1] == "Aucune donnée (chiffres publiés : trop peu de personnes, ou choix réservé)"
    assert said[2] == "Aucune donnée"
    panels = [(figure(sql, "d", sql), 4, 4) for sql in statements]
    one = to_json(board("collecte", "T", "d", ("now/d", "now/d"), "30s", (), exact_only=True), panels)
    assert {panel["fieldConfig"]["defaults"]["noValue"] for panel in one["panels"]} == {"Aucune donnée"}


def test_an_annotation_on_a_panel_that_is_not_there_is_refused() -> None:
    made = board("adoption", "T", "d", ("now/d", "now/d"), "30s").annotation(mark("M", "SELECT 1"))
    with pytest.raises(ValueError, match="the annotation M names panels that are not there: three"):
        to_json(made, [(figure("one", "d", "SELECT 1"), 4, 4)], marks={"M": ["three"]})
