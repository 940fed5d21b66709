"""Applications: which are used, by whom, and where not?"""

from typing import Any, Final

from grafana.dashboards import style
from grafana.dashboards.board import board, mark, periods, to_json
from grafana.dashboards.ecole import PERIODS
from grafana.dashboards.panels import (
    COUNT,
    PERCENT,
    bars,
    by_profile,
    figure,
    lines,
    listing,
    note,
    one_of,
    ranking,
    stacked,
)
from grafana.dashboards.statements import statement

FILE: Final = "applications"
_RUNNING = "Jour en cours"
_VISITS = "Visites d’applications (événements app_visit)"
_THIS_ONE = "/d/ent-applications?var-application=${__data.fields.application_id}&${__url_time_range}"
_SOURCE = " Source : v_app_usage_by_day, v_schools."
_LABELLED = " Source : v_app_usage_by_day, v_applications, v_schools."


def applications() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    question = "Quelles applications servent, à qui, et où pas encore ?"
    made = (
        board(FILE, "4 Applications", question, ("now-4w/d", "now"), "5m", ("ecole", "profil", "application"))
        .timepicker(periods(*PERIODS))
        .annotation(mark(_RUNNING, statement(FILE, "running_day")))
    )
    text = (
        f"**{question}** Une visite est une ouverture d’application ; le service est celui de la DNMA. "
        "Données complètes jusqu’à **${complet}**. ${lecture:text}"
    )
    return to_json(
        made,
        [
            (note(text), 24, 2),
            *((panel, 4, 4) for panel in _figures()),
            (_listed(), 15, 16),
            (_services("Visites par service DNMA", "by_service", f"{_VISITS} de la période"), 9, 8),
            (
                _services(
                    "Personnes par service DNMA",
                    "people_by_service",
                    "Personnes distinctes qui ont ouvert une application du service ; services de moins de cinq "
                    "personnes non montrés ; les services ne s’additionnent pas",
                    style.GREEN,
                ),
                9,
                8,
            ),
            (_daily(), 24, 8),
            (_first_use(), 14, 10),
            (_coverage(), 10, 10),
            (_unknown(), 24, 7),
        ],
    )


def _figures() -> list[Any]:
    figures = [
        ("Visites", f"{_VISITS} de la période."),
        ("Personnes", "Personnes distinctes qui ont ouvert au moins une application sur la période."),
        ("Visites par personne", f"{_VISITS} de la période ÷ personnes distinctes qui en ont ouvert."),
        ("Applications utilisées", "Applications du catalogue ouvertes au moins une fois sur la période."),
        ("Écoles utilisatrices", "Part des écoles déployées où une application choisie a été ouverte sur la période."),
    ]
    made = [one_of(figure(title, what + _SOURCE, statement(FILE, "figures")), title) for title, what in figures]
    made[2].decimals(1)
    made[4].unit(PERCENT).decimals(0)
    unknown = figure(
        "Non reconnues",
        "Part des visites dont l’application n’est pas dans le catalogue ; toutes applications." + _SOURCE,
        statement(FILE, "unmapped"),
        PERCENT,
    )
    return [*made, unknown.decimals(1)]


def _listed() -> Any:
    return listing(
        "Les applications",
        f"{_VISITS} de la période, part du total, évolution par rapport à la période de même durée juste avant, "
        "personnes distinctes (masquées de 1 à 4 ; elles ne s’additionnent pas), écoles où elle a été ouverte. Cliquer "
        "ne garde que l’application." + _LABELLED,
        statement(FILE, "apps_listed"),
        {
            "Application": {
                "custom.minWidth": 150,
                "links": [{"title": "Cette application seule", "url": _THIS_ONE}],
            },
            "Service DNMA": {"custom.minWidth": 150},
            "Nature": {"custom.width": 80},
            "Visites": {"unit": COUNT, "custom.width": 85},
            "Part": {"unit": PERCENT, "decimals": 1, "custom.width": 75},
            "Évolution": {"unit": PERCENT, "decimals": 0, "noValue": "sans référence", "custom.width": 110},
            "Personnes": {"unit": COUNT, "noValue": "masqué", "custom.width": 95},
            "Écoles": {"unit": COUNT, "custom.width": 75},
        },
    )


def _services(title: str, name: str, what: str, color: str = style.BLUE) -> Any:
    return ranking(title, f"{what}, par service national (DNMA)." + _LABELLED, statement(FILE, name), color=color)


def _daily() -> Any:
    panel = bars(
        "Visites par jour et par profil",
        f"{_VISITS} de chaque jour de Paris. Le jour en cours n’est pas fini. "
        "Source : v_app_usage_by_day, v_profiles, v_schools.",
        statement(FILE, "daily"),
    )
    return stacked(by_profile(panel))


def _first_use() -> Any:
    panel = lines(
        "Premières utilisations, en cumul",
        "Personnes distinctes qui avaient ouvert l’application au moins une fois depuis le 1er août de l’année "
        "scolaire, jour après jour ; les huit applications les plus visitées de la période." + _LABELLED,
        statement(FILE, "first_use"),
    )
    return panel.display_name("${__field.labels.application}")


def _coverage() -> Any:
    return ranking(
        "Couverture des classes",
        "Part des classes de l’annuaire où au moins une personne a ouvert l’application sur la période ; quinze "
        "premières. Source : v_events, v_classes, v_applications, v_schools.",
        statement(FILE, "class_coverage"),
        PERCENT,
        style.PINK,
    ).decimals(0)


def _unknown() -> Any:
    return listing(
        "Applications non reconnues, par nom envoyé",
        "Visites d’applications que le catalogue ne connaît pas, sous le nom que la plateforme leur donne, trente "
        "premières : à ajouter au catalogue. Source : v_events, v_schools.",
        statement(FILE, "unknown_apps"),
        {
            "Nom envoyé": {"custom.minWidth": 220},
            "Visites": {"unit": COUNT, "custom.width": 110},
            "Écoles": {"unit": COUNT, "custom.width": 90},
            "Dernière": {"unit": "time:DD/MM HH:mm", "custom.width": 130},
        },
    ).no_value("Toutes sont reconnues")
