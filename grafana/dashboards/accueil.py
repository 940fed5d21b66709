"""Accueil: is the ENT used today, and which school should be called?"""

from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard, timeseries
from grafana_foundation_sdk.models import common as common_models

from grafana.dashboards import style
from grafana.dashboards.board import board, periods, to_json
from grafana.dashboards.panels import (
    ABSENT,
    COUNT,
    PERCENT,
    bars,
    compared,
    figure,
    listing,
    note,
    ranking,
    words,
)
from grafana.dashboards.statements import statement
from schemas.reason import Reason

FILE: Final = "accueil"
PERIODS: Final = (
    ("Aujourd’hui", "now/d", "now/d"),
    ("Hier", "now-1d/d", "now-1d/d"),
    ("Avant-hier", "now-2d/d", "now-2d/d"),
    ("Il y a une semaine", "now-7d/d", "now-7d/d"),
)
_SO_FAR = (
    " Le jour affiché est le dernier de la période, arrêté à la minute jusqu’à laquelle les données sont complètes ; "
    "comparaison avec le même jour de la semaine précédente à la même minute, l’heure entamée comptée au prorata."
)
_LIVE = " Source : v_usage_by_hour, v_complete, v_schools."
_SCHOOLS = "Écoles déployées"

REFUSALS: Final = {
    Reason.EMPTY: "Enregistrement vide",
    Reason.BAD_JSON: "JSON illisible",
    Reason.UNKNOWN_FORMAT: "Format inconnu",
    Reason.MISSING_FIELD: "Champ manquant",
    Reason.BAD_TYPE: "Type inattendu",
    Reason.BAD_VALUE: "Valeur interdite",
    Reason.BAD_UAI_FORMAT: "UAI mal formé",
    Reason.SECONDS_FOR_MILLISECONDS: "Secondes au lieu de millisecondes",
    Reason.FUTURE: "Date dans le futur",
    Reason.TOO_OLD: "Date trop ancienne",
    Reason.PERSONAL_DATA: "Donnée nominative",
    Reason.REFUSED_BY_DATABASE: "Refusé par la base",
}
"""Every reason, as French readers see it."""


def accueil() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    made = board(
        FILE,
        "0 Accueil",
        "L’ENT est-il utilisé aujourd’hui, et quelle école appeler ?",
        ("now/d", "now/d"),
        "30s",
    ).timepicker(periods(*PERIODS))
    return to_json(
        made,
        [
            (note(_text("L’ENT est-il utilisé aujourd’hui, et quelle école appeler ?")), 24, 2),
            *((panel, 4, 4) for panel in _figures()),
            (_hours(), 15, 8),
            (_apps(), 9, 8),
            (_schools(), 17, 25),
            (_profiles(), 7, 6),
            (_legend(), 7, 10),
            (_refusals(), 7, 9),
        ],
    )


def _text(question: str) -> str:
    return (
        f"**{question}** Données complètes jusqu’à **${{complet}}**. ${{lecture:text}} "
        "Cliquer sur une école montre son détail."
    )


def _figures() -> list[Any]:
    return [
        compared(
            "Connexions du jour",
            "Nombre de connexions (événements login) du jour." + _SO_FAR + _LIVE,
            statement(FILE, "connections"),
        ),
        compared(
            "Actifs du jour",
            "Personnes distinctes qui se sont connectées au moins une fois dans le jour." + _SO_FAR + _LIVE,
            statement(FILE, "people"),
        ),
        compared(
            "Applications ouvertes",
            "Nombre d’ouvertures d’applications (événements app_visit) du jour." + _SO_FAR + _LIVE,
            statement(FILE, "app_openings"),
        ),
        compared(
            "Écoles actives",
            "Part des écoles déployées qui ont au moins une connexion dans le jour." + _SO_FAR + _LIVE,
            statement(FILE, "active_schools"),
            PERCENT,
        ).decimals(0),
        words(
            "Complet jusqu’à",
            "Fraîcheur : tout ce qui est arrivé avant cet instant est compté. Sans date : aujourd’hui. "
            "Source : v_complete.",
            statement(FILE, "complete_until"),
        ),
        figure(
            "Alertes en cours",
            "Alertes ouvertes et pas encore closes à la fin du jour affiché, sur les écoles choisies et sur la "
            "plateforme. Source : v_alerts, v_complete, v_schools.",
            statement(FILE, "alerts"),
        ).data_links([dashboard.DashboardLink("Voir les alertes").url("/d/ent-alertes")]),
    ]


def _hours() -> timeseries.Panel:
    panel = bars(
        "Connexions par heure",
        "Connexions (événements login) de chaque heure du jour affiché, en barres, et du même jour de la semaine "
        "précédente, en ligne. L’heure en cours n’est pas finie. Source : v_usage_by_hour, v_complete, v_schools.",
        statement(FILE, "hours"),
    )
    before = [
        style.property_("custom.drawStyle", common_models.GraphDrawStyle.LINE),
        style.property_("custom.lineInterpolation", common_models.LineInterpolation.STEP_AFTER),
        style.property_("custom.lineWidth", 2),
        style.property_("custom.fillOpacity", 0),
        style.property_("color", {"mode": "fixed", "fixedColor": style.ORANGE}),
    ]
    return panel.color_scheme(style.fixed(style.BLUE)).override_by_name("Une semaine avant", before)


def _apps() -> Any:
    return ranking(
        "Applications les plus ouvertes",
        "Ouvertures (événements app_visit) du jour affiché, dix premières applications. "
        "Source : v_app_usage_by_hour, v_applications, v_complete, v_schools.",
        statement(FILE, "apps"),
    )


def _profiles() -> Any:
    return ranking(
        "Actifs du jour par profil",
        "Personnes distinctes connectées dans le jour affiché, par profil. Une personne à deux profils compte deux "
        "fois. Source : v_usage_by_hour, v_profiles, v_complete, v_schools.",
        statement(FILE, "profiles_today"),
        color=style.GREEN,
    )


def _schools() -> Any:
    states: dict[str, tuple[str, str | None]] = {name: (name, color) for name, color in style.STATES.items()}
    return listing(
        _SCHOOLS,
        "Connexions (événements login) et personnes distinctes du jour affiché. Taux de connexion : personnes ÷ "
        "comptes activés. Évolution : connexions par rapport au même jour de la semaine précédente, à la même heure "
        "; vacances et jours fériés ne sont pas pris en compte. Les écoles à appeler viennent en premier. "
        "Source : v_usage_by_hour, v_accounts, v_schools, v_complete.",
        statement(FILE, "schools_today"),
        {
            "École": {
                "custom.minWidth": 170,
                "custom.wrapText": True,
                "links": [{"title": "Ouvrir l’école", "url": "/d/ent-ecole?var-ecole=${__data.fields.ecole_id}"}],
            },
            "Pôle": {"custom.width": 112},
            "EP": {"custom.width": 75},
            "Connexions": {"unit": COUNT, "custom.width": 95},
            "Personnes": {"unit": COUNT, "custom.width": 88},
            "Taux de connexion": {"unit": PERCENT, "decimals": 0, "noValue": ABSENT, "custom.width": 155},
            "Évolution": {"unit": PERCENT, "decimals": 0, "noValue": "sans référence", "custom.width": 125},
            "État": {
                "mappings": style.words_of(states),
                "custom.cellOptions": {"type": "color-text"},
                "custom.width": 110,
            },
        },
    )


def _legend() -> Any:
    return note(
        "**Lire l’état d’une école** (connexions du jour, comparées à celles d’il y a une semaine à la même heure)\n\n"
        "- **Silencieuse** : aucune connexion\n"
        "- **En baisse** : moins de la moitié\n"
        "- **À surveiller** : moins des trois quarts\n"
        "- **Normale** : trois quarts ou plus\n"
        "- **Volume faible** : moins de 20 connexions il y a une semaine, pas de jugement\n"
        "- **Sans activité** : aucune connexion, ni ce jour ni il y a une semaine\n"
        "- Chiffres publiés : **Active**, ou **Masquée** (trop peu de personnes, ou aucune)\n"
    )


def _refusals() -> Any:
    shown: dict[str, tuple[str, str | None]] = {reason.value: (text, None) for reason, text in REFUSALS.items()}
    return listing(
        "Enregistrements refusés, sept derniers jours",
        "Enregistrements reçus qui ne sont pas devenus des événements, par motif. Source : v_dead_letters, v_complete.",
        statement(FILE, "refusals"),
        {
            "Motif": {"mappings": style.words_of(shown), "custom.minWidth": 125},
            "Enregistrements": {"unit": COUNT, "custom.width": 125},
            "Dernier": {"unit": "time:DD/MM HH:mm", "custom.width": 110},
        },
    ).no_value("Aucun refus")
