"""École: how does one school use the ENT, and is anything wrong with it?"""

from typing import Any, Final

from grafana.dashboards import style
from grafana.dashboards.board import board, mark, periods, to_json
from grafana.dashboards.panels import (
    ABSENT,
    COUNT,
    PERCENT,
    band,
    figure,
    heat_map,
    hour_grid,
    lines,
    listing,
    note,
    ranking,
)
from grafana.dashboards.statements import statement

FILE: Final = "ecole"
PERIODS: Final = (
    ("4 dernières semaines", "now-4w/d", "now"),
    ("2 dernières semaines", "now-2w/d", "now"),
    ("Cette semaine", "now/w", "now"),
    ("Semaine dernière", "now-1w/w", "now-1w/w"),
    ("8 dernières semaines", "now-8w/d", "now"),
)
_DAILY = "Connexions par jour et bande attendue"
_WATCHED = "Heure par heure : attendu par la veille des alertes, et observé"
_RUNNING = "Jour en cours"
_GAP_MS = 3 * 3_600_000
"""Longer than that without a judgement, and the line is broken."""
_RATE = "Personnes distinctes connectées au moins une fois (événements login) ÷ comptes activés de l’école"


def ecole() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    question = "Comment cette école se sert-elle de l’ENT, et quelque chose y est-il anormal ?"
    made = (
        board(FILE, "2 École", question, ("now-4w/d", "now"), "5m", ("une_ecole", "profil"))
        .timepicker(periods(*PERIODS))
        .annotation(mark(_RUNNING, statement(FILE, "running_day")))
        .annotation(mark("Calendrier", statement(FILE, "calendar"), style.ORANGE))
        .annotation(mark("Alertes", statement(FILE, "alerts_drawn"), style.VERMILION))
    )
    text = (
        f"**{question}** École : **${{ecole:text}}**. De 1 à 4 personnes, un chiffre de classe est masqué. "
        "Données complètes jusqu’à **${complet}**. ${lecture:text}"
    )
    return to_json(
        made,
        [
            (note(text), 24, 2),
            *((panel, 4, 4) for panel in _figures()),
            (_expected(), 24, 9),
            (_watched(), 24, 9),
            (_classes_by_day(), 10, 13),
            (_classes(), 14, 13),
            (_hours(), 14, 15),
            (_profiles(), 10, 5),
            (_apps(), 10, 10),
            (_devices(), 10, 7),
            (_quality(), 14, 10),
        ],
    )


def _figures() -> list[Any]:
    return [
        figure(
            "Connexions",
            "Nombre de connexions (événements login) sur la période. Source : v_usage_by_day, v_schools.",
            statement(FILE, "connections"),
        ),
        figure(
            "Personnes connectées",
            "Personnes distinctes connectées au moins une fois (événements login) sur la période. "
            "Source : v_usage_by_day, v_schools.",
            statement(FILE, "people"),
        ),
        figure(
            "Taux de connexion",
            f"{_RATE}, sur toute la période. Source : v_usage_by_day, v_accounts, v_schools.",
            statement(FILE, "rate"),
            PERCENT,
        )
        .decimals(0)
        .no_value(ABSENT),
        figure(
            "Comptes activés",
            "Comptes activés ÷ comptes chargés dans l’annuaire. Source : v_accounts, v_schools.",
            statement(FILE, "activation"),
            PERCENT,
        )
        .decimals(0)
        .no_value(ABSENT),
        figure(
            "Connexions par personne",
            "Connexions (événements login) de la période ÷ personnes distinctes. Source : v_usage_by_day, v_schools.",
            statement(FILE, "connections_per_person"),
        ).decimals(1),
        figure(
            "Classes actives",
            "Classes où au moins cinq personnes se sont connectées (événements login) depuis lundi ÷ classes de "
            "l’école. Source : v_usage_by_day, v_classes, v_schools, v_complete.",
            statement(FILE, "active_classes"),
            PERCENT,
        ).decimals(0),
    ]


def _expected() -> Any:
    panel = lines(
        _DAILY,
        "Connexions (événements login) de chaque jour de Paris. Attendu : médiane du même jour de la semaine sur les "
        "six semaines d’avant où l’école a émis ce jour-là ; bande : de la plus faible à la plus forte. Moins de trois "
        "semaines de référence : pas d’attendu. Vacances et fériés ne sont pas ôtés. Le jour en cours n’est pas fini. "
        "Source : v_usage_by_day, v_schools, v_complete.",
        statement(FILE, "expected_band"),
    )
    actual = [style.property_("color", {"mode": "fixed", "fixedColor": style.BLUE})]
    return band(
        panel.override_by_name("Connexions", actual), "Attendu, bas", "Attendu, haut", "Attendu (médiane)"
    ).span_nulls(False)


def _watched() -> Any:
    panel = lines(
        _WATCHED,
        "Connexions (événements login) de l’heure écoulée, telles que la veille des alertes les compte, et ce qu’elle "
        "en attendait ; bande : entre ces deux bornes tombent 95 % des heures semblables. Tous profils. Une heure "
        "qu’elle n’a pas jugée (école fermée, trop peu d’historique) n’a pas de point. "
        "Source : v_school_health, v_schools.",
        statement(FILE, "watched"),
    )
    observed = [style.property_("color", {"mode": "fixed", "fixedColor": style.BLUE})]
    return (
        band(panel.override_by_name("Observées", observed), "Borne basse", "Borne haute", "Attendues")
        .point_size(3)
        .span_nulls(False)
        .insert_nulls(_GAP_MS)
    )


def _classes_by_day() -> Any:
    return heat_map(
        "Les classes, jour par jour",
        "Une ligne par classe, une colonne par jour, du lundi au vendredi. Personnes distinctes connectées (événements "
        "login) ÷ comptes activés de la classe. Masqué : 1 à 4 personnes. Zéro : l’école a émis ce jour-là, la classe "
        "non. Case vide : l’école n’a rien émis. Source : v_usage_by_day, v_accounts, v_classes, v_schools.",
        statement(FILE, "classes_by_day"),
    )


def _classes() -> Any:
    states: dict[str, tuple[str, str | None]] = {
        "Active": ("Active", style.GREEN),
        "Masqué": ("Masqué : 1 à 4", style.GREY),
        "Zéro": ("Zéro connexion", style.VERMILION),
    }
    return listing(
        "Les classes sur la période",
        "Personnes distinctes connectées (événements login) et taux sur les comptes activés de la classe ; masqués de "
        "1 à 4 personnes. Source : v_usage_by_day, v_classes, v_accounts, v_schools.",
        statement(FILE, "classes"),
        {
            "Classe": {"custom.minWidth": 85},
            "Niveaux": {"custom.width": 80},
            "Élèves": {"unit": COUNT, "custom.width": 70},
            "Enseignant": {"custom.width": 95},
            "Équipement": {"custom.width": 105},
            "Personnes": {"unit": COUNT, "noValue": "masqué", "custom.width": 88},
            "Taux de connexion": {"unit": PERCENT, "decimals": 0, "noValue": "—", "custom.width": 138},
            "État": {
                "mappings": style.words_of(states),
                "custom.cellOptions": {"type": "color-text"},
                "custom.width": 118,
            },
        },
    )


def _hours() -> Any:
    return hour_grid(
        "Connexions par heure de la semaine",
        "Connexions (événements login) par heure de Paris et jour de la semaine, moyenne par semaine de la période. "
        "Les heures sans aucune connexion n’ont pas de ligne. Source : v_usage_by_hour, v_schools.",
        statement(FILE, "week_hours"),
    )


def _profiles() -> Any:
    return ranking(
        "Personnes par profil",
        "Personnes distinctes connectées sur la période (événements login), par profil ; les profils de moins de cinq "
        "personnes ne sont pas montrés. Source : v_usage_by_day, v_profiles, v_schools.",
        statement(FILE, "people_by_profile"),
        color=style.GREEN,
    )


def _apps() -> Any:
    return ranking(
        "Applications les plus visitées",
        "Visites (événements app_visit) sur la période, quinze premières applications. "
        "Source : v_app_usage_by_day, v_applications, v_schools.",
        statement(FILE, "apps"),
    )


def _devices() -> Any:
    return ranking(
        "Connexions par appareil",
        "Connexions (événements login) sur la période, par classe d’appareil dite par la plateforme. "
        "Source : v_events, v_schools.",
        statement(FILE, "devices"),
        color=style.ORANGE,
    )


def _quality() -> Any:
    return listing(
        "Qualité des données de l’école",
        "Événements de la période (tous types) que l’annuaire ou le catalogue ne connaît pas, ou qui sont arrivés "
        "tard, avec leur part ; et enregistrements refusés au nom de l’école. "
        "Source : v_events, v_dead_letters, v_schools.",
        statement(FILE, "quality"),
        {
            "Constat": {"custom.minWidth": 230},
            "Nombre": {"unit": COUNT, "custom.width": 110},
            "Part": {"unit": PERCENT, "decimals": 1, "noValue": "—", "custom.width": 90},
        },
    )
