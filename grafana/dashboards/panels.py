"""The kinds of panels that dashboards are made of, each with a French title, a description and a unit."""

import re
from typing import Any

from grafana_foundation_sdk.builders import barchart, common, stat, statushistory, table, text, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import text as text_models

from grafana.dashboards import style
from grafana.dashboards.board import NOTHING
from grafana.dashboards.query import rows, series
from grafana.dashboards.style import fixed, legend, property_, tooltip

COUNT, PERCENT = "locale", "percent"
"""Units: 1 234 and 12 %."""

ABSENT = "dénominateur absent"


def note(markdown: str) -> text.Panel:
    return text.Panel().mode(text_models.TextMode.MARKDOWN).content(markdown).transparent(True)


def figure(title: str, description: str, sql: str, unit: str = COUNT) -> stat.Panel:
    """The last value of a statement."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .no_value(NOTHING)
        .color_scheme(fixed(style.BLUE))
        .color_mode(common_models.BigValueColorMode.VALUE)
        .graph_mode(common_models.BigValueGraphMode.NONE)
        .text_mode(common_models.BigValueTextMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .with_target(rows(sql))
    )


def one_of(panel: stat.Panel, column: str) -> stat.Panel:
    """The figure of one column: panels that ask the same statement are answered together."""
    return panel.reduce_options(
        common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(f"/^{re.escape(column)}$/")
    )


def compared(title: str, description: str, sql: str, unit: str = COUNT) -> stat.Panel:
    """The last of two values, and its change from the first."""
    panel = figure(title, description, sql, unit).show_percent_change(True)
    return panel.percent_change_color_mode(common_models.PercentChangeColorMode.STANDARD)


def words(title: str, description: str, sql: str) -> stat.Panel:
    """A text as a figure."""
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields("/.*/")
    return figure(title, description, sql, "string").reduce_options(reduced)


def lines(title: str, description: str, sql: str, unit: str = COUNT) -> timeseries.Panel:
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .min(0)
        .line_width(2)
        .fill_opacity(0)
        .show_points(common_models.VisibilityMode.ALWAYS)
        .point_size(6)
        .legend(legend())
        .tooltip(tooltip())
        .with_target(series(sql))
    )


def bars(title: str, description: str, sql: str, unit: str = COUNT) -> timeseries.Panel:
    """Bars that begin at their time, so that a day's stands on its day."""
    return (
        lines(title, description, sql, unit)
        .draw_style(common_models.GraphDrawStyle.BARS)
        .bar_alignment(common_models.BarAlignment.AFTER)
        .bar_width_factor(0.82)
        .fill_opacity(85)
        .line_width(0)
        .show_points(common_models.VisibilityMode.NEVER)
    )


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    return panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))


def band(panel: timeseries.Panel, low: str, high: str, middle: str) -> timeseries.Panel:
    """The series `low` and `high` as the edges of a grey band, and `middle` as a dashed line in it."""
    grey = property_("color", {"mode": "fixed", "fixedColor": style.GREY})
    edge = [grey, property_("custom.lineWidth", 0), property_("custom.showPoints", "never")]
    filled = [*edge, property_("custom.fillBelowTo", low), property_("custom.fillOpacity", 25)]
    dashed = property_("custom.lineStyle", {"fill": "dash", "dash": [6, 6]})
    panel = panel.override_by_name(low, edge).override_by_name(high, filled)
    return panel.override_by_name(middle, [grey, dashed, property_("custom.showPoints", "never")])


def by_profile(panel: timeseries.Panel) -> timeseries.Panel:
    """Series labelled `profil`, each profile in its colour on every dashboard."""
    panel = panel.display_name("${__field.labels.profil}")
    for label, color in style.PROFILES.items():
        panel = panel.override_by_regexp(f"/{label}/", [property_("color", {"mode": "fixed", "fixedColor": color})])
    return panel


def ranking(title: str, description: str, sql: str, unit: str = COUNT, color: str = style.BLUE) -> barchart.Panel:
    return (
        barchart.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .min(0)
        .no_value(NOTHING)
        .orientation(common_models.VizOrientation.HORIZONTAL)
        .show_value(common_models.VisibilityMode.ALWAYS)
        .color_scheme(fixed(color))
        .fill_opacity(90)
        .line_width(0)
        .bar_width(0.8)
        .legend(legend(shown=False))
        .tooltip(tooltip(all_series=False))
        .with_target(rows(sql))
    )


def heat_map(title: str, description: str, sql: str) -> statushistory.Panel:
    """A row for each series, named by its label `classe`, a column for each day; negative values stand for words."""
    return (
        statushistory.Panel()
        .title(title)
        .description(description)
        .unit(PERCENT)
        .decimals(0)
        .color_scheme(style.by_thresholds())
        .thresholds(style.steps(style.RATES))
        .mappings([style.in_words(style.CELL_WORDS)])
        .display_name("${__field.labels.classe}")
        .show_value(common_models.VisibilityMode.NEVER)
        .row_height(0.9)
        .col_width(0.95)
        .per_page(30)
        .fill_opacity(100)
        .line_width(0)
        .legend(legend())
        .tooltip(tooltip(all_series=False))
        .with_target(series(sql))
    )


def hour_grid(title: str, description: str, sql: str, unit: str = COUNT) -> table.Panel:
    """Hours as rows, weekdays as columns; the higher a cell, the darker."""
    columns = {
        day: {"unit": unit, "decimals": 0, "min": 0, "custom.width": 82, **style.CELLS} for day in style.WEEKDAYS
    }
    return listing(title, description, sql, {"Heure": {"custom.width": 70}, **columns})


def listing(title: str, description: str, sql: str, columns: dict[str, dict[str, Any]]) -> table.Panel:
    """A table; `columns` names the properties of each column. Columns that end in _id are there for links only."""
    panel = (
        table.Panel().title(title).description(description).no_value(NOTHING).show_header(True).with_target(rows(sql))
    )
    panel = panel.override_by_regexp("/./", [property_("noValue", "—")])
    panel = panel.override_by_regexp("/_id$/", [property_("custom.hidden", True)])
    for name, properties in columns.items():
        panel = panel.override_by_name(name, [property_(key, value) for key, value in properties.items()])
    return panel
