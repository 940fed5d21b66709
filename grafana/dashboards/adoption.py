"""Adoption: which classes use the ENT, and which do not yet?"""

from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard

from grafana.dashboards import style
from grafana.dashboards.board import board, mark, periods, to_json
from grafana.dashboards.panels import (
    COUNT,
    PERCENT,
    bars,
    by_profile,
    figure,
    heat_map,
    lines,
    listing,
    note,
    ranking,
    stacked,
)
from grafana.dashboards.statements import statement

FILE: Final = "adoption"
PERIODS: Final = (
    ("4 dernières semaines", "now-4w/d", "now"),
    ("2 dernières semaines", "now-2w/d", "now"),
    ("Cette semaine", "now/w", "now"),
    ("Semaine dernière", "now-1w/w", "now-1w/w"),
    ("8 dernières semaines", "now-8w/d", "now"),
)
_WEEKLY = "Taux de connexion par semaine et par profil"
_RUNNING = "Semaine en cours"
_RATE = (
    "Personnes distinctes connectées au moins une fois (événements login) ÷ comptes activés des écoles. Les écoles et "
    "profils sans comptes dans l’annuaire n’entrent pas dans le taux."
)
_GROUP = "Moyenne des semaines de la période ; la semaine en cours n’est pas finie. " + _RATE
_GROUP_SOURCE = " Source : v_usage_by_day, v_accounts, v_schools."


def adoption() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    question = "Quelles classes se servent de l’ENT, et lesquelles pas encore ?"
    made = (
        board(FILE, "1 Adoption", question, ("now-4w/d", "now"), "5m")
        .timepicker(periods(*PERIODS))
        .annotation(mark(_RUNNING, statement(FILE, "running_week")))
    )
    text = (
        f"**{question}** Les taux rapportent les personnes connectées aux comptes activés ; de 1 à 4 personnes, le "
        "chiffre d’une classe est masqué. Données complètes jusqu’à **${complet}**."
    )
    return to_json(
        made,
        [
            (note(text), 24, 2),
            *((panel, 4, 4) for panel in _figures()),
            (_weekly_rate(), 13, 9),
            (_growth(), 11, 9),
            (_daily(), 24, 8),
            (_classes(), 24, 17),
            (_apps(), 12, 15),
            (_group("Taux de connexion par pôle", "rate_by_pole", style.GREEN), 12, 9),
            (_group("Par éducation prioritaire", "rate_by_priority", style.PINK), 6, 6),
            (_group("Par circonscription", "rate_by_district", style.ORANGE), 6, 6),
        ],
        marks={_RUNNING: [_WEEKLY]},
    )


def _figures() -> list[Any]:
    share = {"unit": PERCENT}
    return [
        figure(
            "Comptes activés",
            "Comptes activés ÷ comptes chargés dans l’annuaire. Source : v_accounts, v_schools.",
            statement(FILE, "activation"),
            **share,
        ).decimals(0),
        figure(
            "Taux de connexion",
            "Sur toute la période. " + _RATE + " Source : v_usage_by_day, v_accounts, v_schools.",
            statement(FILE, "rate"),
            **share,
        ).decimals(0),
        figure(
            "Personnes connectées",
            "Personnes distinctes connectées au moins une fois (événements login) sur toute la période, celles sans "
            "compte connu comprises. Source : v_usage_by_day, v_schools.",
            statement(FILE, "people"),
        ),
        figure(
            "Connexions",
            "Nombre de connexions (événements login) sur toute la période. Source : v_usage_by_day, v_schools.",
            statement(FILE, "connections"),
        ),
        figure(
            "Croissance",
            "Connexions (événements login) de la dernière semaine finie par rapport à celle d’avant, dans les écoles "
            "qui ont émis les deux semaines. Source : v_usage_by_day, v_schools, v_complete.",
            statement(FILE, "growth_last_week"),
            **share,
        ).decimals(1),
        figure(
            "Classes actives",
            "Classes où au moins cinq personnes se sont connectées (événements login) depuis lundi ÷ toutes les "
            "classes de l’annuaire. Source : v_usage_by_day, v_classes, v_schools, v_complete.",
            statement(FILE, "active_classes"),
            **share,
        ).decimals(0),
    ]


def _weekly_rate() -> Any:
    panel = lines(
        _WEEKLY,
        "Par semaine commençant le lundi. " + _RATE + " La semaine en cours, grisée, n’est pas finie. "
        "Source : v_usage_by_day, v_accounts, v_profiles, v_schools.",
        statement(FILE, "weekly_rate"),
        PERCENT,
    )
    return by_profile(panel).decimals(0)


def _growth() -> Any:
    return listing(
        "Croissance d’une semaine à l’autre",
        "Connexions (événements login) de chaque semaine, et croissance par rapport à la semaine d’avant à périmètre "
        "constant : dans les écoles comparées, qui ont émis les deux semaines. Pour la semaine en cours, les jours "
        "finis comparés aux mêmes jours. Source : v_usage_by_day, v_schools, v_complete.",
        statement(FILE, "growth_by_week"),
        {
            "Semaine du": {"custom.minWidth": 165},
            "Connexions": {"unit": COUNT, "custom.width": 100},
            "Écoles": {"unit": COUNT, "custom.width": 75},
            "Comparées": {"unit": COUNT, "custom.width": 100},
            "Croissance": {"unit": PERCENT, "decimals": 1, "noValue": "sans référence", "custom.width": 115},
        },
    )


def _daily() -> Any:
    panel = bars(
        "Connexions par jour et par profil",
        "Nombre de connexions (événements login) de chaque jour de Paris. Le dernier jour n’est pas fini. "
        "Source : v_usage_by_day, v_profiles, v_schools.",
        statement(FILE, "daily"),
    )
    return stacked(by_profile(panel))


def _classes() -> Any:
    panel = heat_map(
        "Les classes, jour par jour",
        "Une ligne par classe, regroupée par école ; une colonne par jour, du lundi au vendredi. Personnes distinctes "
        "connectées (événements login) ÷ comptes activés de la classe. Masqué : 1 à 4 personnes. Zéro : l’école a "
        "émis ce jour-là, la classe non. Case vide : l’école n’a rien émis. Le dernier jour n’est pas fini. "
        "Source : v_usage_by_day, v_accounts, v_classes, v_schools.",
        statement(FILE, "classes_by_day"),
    )
    url = "/d/ent-adoption?var-ecole=${__field.labels.ecole_id}&${__url_time_range}"
    return panel.data_links([dashboard.DashboardLink("Montrer cette école seule").url(url)])


def _apps() -> Any:
    return ranking(
        "Applications les plus visitées",
        "Visites (événements app_visit) sur la période, quinze premières applications. "
        "Source : v_app_usage_by_day, v_applications, v_schools.",
        statement(FILE, "apps"),
    )


def _group(title: str, name: str, color: str) -> Any:
    return ranking(title, _GROUP + _GROUP_SOURCE, statement(FILE, name), PERCENT, color).decimals(0).max(100)
