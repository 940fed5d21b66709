"""Comparaisons: do REP schools, cohorts, trained teachers, equipped classes and pilots use the ENT differently?"""

from typing import Any, Final

from grafana.dashboards import style
from grafana.dashboards.board import board, mark, periods, to_json
from grafana.dashboards.ecole import PERIODS
from grafana.dashboards.panels import COUNT, PERCENT, lines, listing, note, ranking
from grafana.dashboards.statements import statement

FILE: Final = "comparaisons"
_RATE = (
    "Par semaine commençant le lundi : personnes distinctes connectées au moins une fois (événements login) ÷ comptes "
    "activés du groupe. Les écoles et profils sans comptes dans l’annuaire n’entrent pas dans le taux. La semaine "
    "en cours n’est pas finie."
)
_MEAN = "Moyenne des semaines de la période. " + _RATE
_OF_SCHOOLS = " Source : v_usage_by_day, v_accounts, v_schools."
_OF_CLASSES = (
    " Classe par classe, hors personnes sans classe. Source : v_usage_by_day, v_accounts, v_classes, v_schools."
)


def comparaisons() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    question = "Qui se sert plus de l’ENT : quels territoires, quelles vagues, quelles classes ?"
    made = (
        board(FILE, "1 Comparaisons", question, ("now-4w/d", "now"), "15m")
        .timepicker(periods(*PERIODS))
        .annotation(mark("Semaine en cours", statement(FILE, "running_week")))
    )
    text = (
        f"**{question}** Un écart entre groupes n’est pas une cause : les groupes diffèrent aussi par autre chose. "
        "Données complètes jusqu’à **${complet}**. ${lecture:text}"
    )
    return to_json(
        made,
        [
            (note(text), 24, 2),
            (_group("Éducation prioritaire", "priority", _OF_SCHOOLS), 12, 8),
            (_group("Vagues de déploiement", "cohorts", _OF_SCHOOLS), 12, 8),
            (_group("Enseignants formés et les autres", "trained", _OF_CLASSES), 12, 8),
            (_group("Classes équipées et les autres", "equipped", _OF_CLASSES), 12, 8),
            (_group("Écoles pilotes et les autres", "pilots", _OF_SCHOOLS), 12, 8),
            (_sizes(), 12, 8),
            (_rank("Taux de connexion par pôle", "rate_by_pole", style.GREEN), 12, 9),
            (_rank("Taux de connexion par circonscription", "rate_by_district", style.ORANGE), 12, 9),
            (_resources(), 12, 8),
            (_resources_listed(), 12, 8),
        ],
    )


def _group(title: str, name: str, source: str) -> Any:
    panel = lines(title, _RATE + source, statement(FILE, name), PERCENT).decimals(0)
    return panel.display_name("${__field.labels.groupe}")


def _rank(title: str, name: str, color: str) -> Any:
    return ranking(title, _MEAN + _OF_SCHOOLS, statement(FILE, name), PERCENT, color).decimals(0).max(100)


def _sizes() -> Any:
    return listing(
        "Taille des groupes",
        "Écoles déployées et classes de chaque groupe, selon l’annuaire en vigueur. Source : v_schools, v_classes.",
        statement(FILE, "groups"),
        {
            "Groupe": {"custom.minWidth": 230},
            "Écoles ou classes": {"unit": COUNT, "custom.width": 150},
            "Total": {"unit": COUNT, "custom.width": 90},
        },
    )


def _resources() -> Any:
    return lines(
        "Ressources institutionnelles",
        "Par semaine : personnes distinctes qui ont ouvert la Médiathèque, le Médiacentre (GAR) ou une autre ressource "
        "(événements app_visit, services documentaires de la DNMA) ÷ personnes distinctes qui ont ouvert une "
        "application. La semaine en cours n’est pas finie. Source : v_app_usage_by_day, v_applications, v_schools.",
        statement(FILE, "resources"),
        PERCENT,
    ).decimals(0)


def _resources_listed() -> Any:
    return listing(
        "Ressources institutionnelles sur la période",
        "Visites (événements app_visit), personnes distinctes (masquées de 1 à 4) et écoles de chaque ressource. "
        "Source : v_app_usage_by_day, v_applications, v_schools.",
        statement(FILE, "resources_listed"),
        {
            "Ressource": {"custom.minWidth": 200},
            "Visites": {"unit": COUNT, "custom.width": 110},
            "Personnes": {"unit": COUNT, "noValue": "masqué", "custom.width": 110},
            "Écoles": {"unit": COUNT, "custom.width": 90},
        },
    )
