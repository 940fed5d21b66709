"""How figures look on every dashboard: colours that colour-blind eyes tell apart, thresholds, words for values."""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.builders import common, dashboard
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

BLUE: Final = "#3B8FD0"
GREEN: Final = "#009E73"
ORANGE: Final = "#E69F00"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#AA4499"
PINK: Final = "#CC79A7"
SKY: Final = "#56B4E9"
GREY: Final = "#8A8F98"

PROFILES: Final = {"Parents": ORANGE, "Élèves": SKY, "Enseignants": GREEN, "Personnels": PINK}
"""By the labels of the profiles; others take a colour of Grafana's palette."""

MOMENTS: Final = {
    "Classe": BLUE,
    "Pause méridienne": SKY,
    "Soir et matin": ORANGE,
    "Mercredi libre": GREEN,
    "Jour libre": GREEN,
    "Week-end": PINK,
    "Jour férié": PURPLE,
    "Vacances": VERMILION,
    "Fermeture": GREY,
    "Hors calendrier": GREY,
}
"""Moments of school time."""

RATES: Final[Sequence[tuple[float | None, str]]] = (
    (None, "#482878"),
    (10, "#3E6C9C"),
    (20, "#21918C"),
    (30, "#5EC962"),
    (45, "#FDE725"),
)
"""Steps of viridis: darker is less, whatever the eyes."""

CELL_WORDS: Final = {
    -1: ("Masqué : 1 à 4 personnes", GREY),
    -2: ("Dénominateur absent", PURPLE),
    0: ("Zéro connexion", VERMILION),
}
"""Values of a class and day that stand for words."""

STATES: Final = {
    "Silencieuse": PURPLE,
    "En baisse": VERMILION,
    "À surveiller": ORANGE,
    "Normale": GREEN,
    "Active": GREEN,
    "Volume faible": GREY,
    "Sans activité": GREY,
    "Masquée": GREY,
}


WEEKDAYS: Final = ("Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche")
CELLS: Final[dict[str, object]] = {
    "color": {"mode": "continuous-blues"},
    "custom.cellOptions": {"type": "color-background", "mode": "basic"},
    "custom.align": "center",
}
"""Properties of a column whose cells are coloured by their value, from light to dark."""


def fixed(color: str) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(models.FieldColorModeId.FIXED).fixed_color(color)


def by_thresholds() -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)


def steps(pairs: Sequence[tuple[float | None, str]]) -> dashboard.ThresholdsConfig:
    thresholds = [models.Threshold(value=value, color=color) for value, color in pairs]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(thresholds)


def in_words(words: dict[int, tuple[str, str]]) -> models.ValueMap:
    options = {
        str(value): models.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(words.items())
    }
    return models.ValueMap(options=options)


def words_of(words: dict[str, tuple[str, str | None]]) -> list[dict[str, object]]:
    """A `mappings` property for an override: texts in the data to what is shown, with a colour or without."""
    options = {
        value: {"text": text, "index": index} | ({"color": color} if color else {})
        for index, (value, (text, color)) in enumerate(words.items())
    }
    return [{"type": "value", "options": options}]


def property_(name: str, value: object) -> models.DynamicConfigValue:
    return models.DynamicConfigValue(id_val=name, value=value)


def legend(*, shown: bool = True) -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(shown)
        .display_mode(common_models.LegendDisplayMode.LIST)
        .placement(common_models.LegendPlacement.BOTTOM)
        .calcs([])
    )


def tooltip(*, all_series: bool = True) -> common.VizTooltipOptions:
    mode = common_models.TooltipDisplayMode
    options = common.VizTooltipOptions().mode(mode.MULTI if all_series else mode.SINGLE)
    return options.sort(common_models.SortOrder.DESCENDING)
