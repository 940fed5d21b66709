"""What every dashboard has: variables, navigation, period, and the way from builders to Grafana's classic JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog import builder, encoder
from grafana_foundation_sdk.models import dashboard as models

from grafana.dashboards import style
from grafana.dashboards.query import SOURCE, Ready, annotation
from grafana.dashboards.statements import statement
from grafana.source import SOURCE_TYPE

COLUMNS = 24
CHOICES = ("ecole", "profil")
BREAKS = "Ruptures de série"
"""The annotation that is drawn on every time series: where figures before and after cannot be compared."""
_LABELS = {
    "ecole": ("École", "choose_school"),
    "profil": ("Profil", "choose_profile"),
    "application": ("Application", "choose_app"),
}
PUBLISHED = "v_published"
EXACT_ONLY = frozenset(
    {
        *(f"v_{family}_by_{level}" for family in ("usage", "app_usage") for level in ("minute", "hour", "day")),
        *("v_events", "v_notifications", "v_dead_letters", "v_alerts", "v_school_health", "v_school_time"),
    }
)
"""Views that have no row in the published reading."""
NOTHING, RESERVED, SOME_RESERVED = "Aucune donnée", "réservé", "trop peu de personnes, ou choix réservé"
_EXACT_SOURCES = "/exacts/"
_VIEW = re.compile(r"\bv_\w+")
Panel = tuple[Any, int, int]
"""A panel's builder with its width in columns and its height in rows."""


def board(
    file: str,
    title: str,
    description: str,
    period: tuple[str, str],
    refresh: str,
    choices: Sequence[str] = CHOICES,
    *,
    exact_only: bool = False,
) -> dashboard.Dashboard:
    """A dashboard without panels; `file` is the name of its statements and of its uid after `ent-`.

    `choices` are the variables that its reader sets, of `ecole`, `une_ecole` (exactly one), `profil`, `application`.
    Where schools are chosen, the breaks of the series are drawn. `exact_only`: for operators, who read nothing else.
    """
    dropdown = models.DashboardLinkType.DASHBOARDS
    made = (
        dashboard.Dashboard(title)
        .uid(f"ent-{file.replace('_', '-')}")
        .description(description)
        .tags(["ent"])
        .timezone("Europe/Paris")
        .week_start("monday")
        .time(*period)
        .refresh(refresh)
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(dashboard.DashboardLink("ENT").type(dropdown).tags(["ent"]).include_vars(True).keep_time(False))
        .with_variable(_source_variable(exact_only=exact_only))
        .with_variable(
            _query_variable("lecture", "Lecture", statement(file, "which_reading")).hide(
                models.VariableHide.HIDE_VARIABLE
            )
        )
        .with_variable(
            _query_variable("complet", "Complet jusqu’à", statement(file, "complete_text"))
            .hide(models.VariableHide.HIDE_VARIABLE)
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        )
    )
    for choice in choices:
        made = made.with_variable(_choice(file, choice))
    if {"ecole", "une_ecole"} & set(choices):
        made = made.annotation(mark(BREAKS, statement(file, "series_breaks"), style.PURPLE))
    return made


def periods(*choices: tuple[str, str, str]) -> dashboard.TimePicker:
    """The periods on offer, each with a French name, from and to."""
    options: list[builder.Builder[models.TimeOption]] = [
        Ready(models.TimeOption(display=display, from_val=start, to=end)) for display, start, end in choices
    ]
    return dashboard.TimePicker().quick_ranges(options).refresh_intervals(["10s", "30s", "1m", "5m", "15m"])


def mark(name: str, sql: str, color: str = style.GREY) -> dashboard.AnnotationQuery:
    """An annotation, drawn on the panels that `to_json` is told of."""
    made = dashboard.AnnotationQuery().name(name).datasource(SOURCE).enable(True)
    return made.icon_color(color).target(annotation(sql))


def to_json(
    made: dashboard.Dashboard, panels: Sequence[Panel], marks: dict[str, Sequence[str]] | None = None
) -> dict[str, Any]:
    """Classic JSON, with ids (links need them) and places row by row.

    `marks`: annotation to the titles of its panels; those that are not named there are drawn on every time series.

    Raises `ValueError` for a panel that is wider than the board or an annotation on a panel that is not there.
    """
    for panel, _, _ in panels:
        made = made.with_panel(panel)
    encoded: dict[str, Any] = json.loads(encoder.JSONEncoder(sort_keys=True).encode(made.build()))
    exact_only = any(variable.get("regex") == _EXACT_SOURCES for variable in encoded["templating"]["list"])
    places = place([(width, height) for _, width, height in panels])
    for number, (panel, where) in enumerate(zip(encoded["panels"], places, strict=True), 1):
        panel["id"] = number
        if not exact_only:
            _say_what_blank_means(panel)
        panel["gridPos"] = where
    ids = {panel.get("title"): panel["id"] for panel in encoded["panels"]}
    charts = [panel["title"] for panel in encoded["panels"] if panel["type"] == "timeseries"]
    for query in encoded.get("annotations", {}).get("list", []):
        titles = (marks or {}).get(query["name"], charts)
        if missing := set(titles) - set(ids):
            raise ValueError(f"the annotation {query['name']} names panels that are not there: {', '.join(missing)}")
        query["filter"] = {"exclude": False, "ids": sorted(ids[title] for title in titles)}
    encoded["schemaVersion"] = 41
    return encoded


def place(sizes: Sequence[tuple[int, int]]) -> list[dict[str, int]]:
    """Each panel goes as high as it can, then as far left, never above one that was placed before."""
    floor = [0] * COLUMNS
    places = []
    lowest = 0
    for width, height in sizes:
        if width > COLUMNS:
            raise ValueError(f"a panel of {width} columns does not fit in {COLUMNS}")
        y, x = min((max(lowest, *floor[x : x + width]), x) for x in range(COLUMNS - width + 1))
        lowest = y
        floor[x : x + width] = [y + height] * width
        places.append({"x": x, "y": y, "w": width, "h": height})
    return places


def statements_of(panel: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The targets of a panel that ask the database; others ask Prometheus."""
    return [target for target in panel.get("targets", []) if "rawSql" in target]


def is_exact_only(sql: str) -> bool:
    """Whether a statement reads a view that has no row in the published reading."""
    return not EXACT_ONLY.isdisjoint(_VIEW.findall(sql))


def _say_what_blank_means(panel: dict[str, Any]) -> None:
    """Where the published figures have no such indicator, or not for every choice, nothing is another word there."""
    asked = " ".join(target["rawSql"] for target in statements_of(panel))
    if PUBLISHED in asked:
        meaning = SOME_RESERVED
    elif is_exact_only(asked):
        meaning = RESERVED
    else:
        return
    defaults = panel["fieldConfig"]["defaults"]
    defaults["noValue"] = f"{defaults.get('noValue', NOTHING)} (chiffres publiés : {meaning})"


def _source_variable(*, exact_only: bool) -> dashboard.DatasourceVariable:
    made = dashboard.DatasourceVariable("ds").type(SOURCE_TYPE).label("Chiffres")
    return made.regex(_EXACT_SOURCES).hide(models.VariableHide.HIDE_VARIABLE) if exact_only else made


def _choice(file: str, choice: str) -> dashboard.QueryVariable:
    if choice == "une_ecole":
        return _query_variable("ecole", "École", statement(file, "choose_school"))
    label, name = _LABELS[choice]
    everything = models.VariableOption(text="All", value=["$__all"], selected=True)
    variable = _query_variable(choice, label, statement(file, name))
    return variable.multi(True).include_all(True).current(everything)


def _query_variable(name: str, label: str, sql: str) -> dashboard.QueryVariable:
    variable = dashboard.QueryVariable(name).label(label).query(sql).datasource(SOURCE)
    return variable.refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
