"""Qualité de l'alerte: are the alerts right, do they miss anything, and how soon do they come?"""

from typing import Any, Final

from grafana.dashboards import style
from grafana.dashboards.board import board, mark, periods, to_json
from grafana.dashboards.ecole import PERIODS
from grafana.dashboards.panels import COUNT, PERCENT, bars, figure, listing, note, one_of, ranking, stacked
from grafana.dashboards.statements import statement

FILE: Final = "alertes"
_SOURCE = " Source : v_alerts, v_alert_labels, v_schools."
_TIME = "time:DD/MM HH:mm"
KINDS: Final = {
    "ecole_en_baisse": "École en baisse",
    "ecole_silencieuse": "École silencieuse",
    "ecole_fermee_non_declaree": "Fermeture non déclarée",
    "plateforme_en_baisse": "Plateforme en baisse",
    "flux_interrompu": "Flux interrompu",
    "serie_eteinte": "Série éteinte",
    "doublons": "Doublons",
    "calendrier_expire": "Calendrier expiré",
    "baisse_lente": "Baisse lente",
    "bulletin_hebdomadaire": "Bulletin hebdomadaire",
}
"""Kinds of alerts, as French readers see them."""
_KINDS: Final[dict[str, tuple[str, str | None]]] = {kind: (label, None) for kind, label in KINDS.items()}
_VERDICTS: Final[dict[str, tuple[str, str | None]]] = {
    "Incident": ("Incident", style.GREEN),
    "Fermeture": ("Fermeture", style.BLUE),
    "Fausse alerte": ("Fausse alerte", style.VERMILION),
    "À juger": ("À juger", style.GREY),
}
_SCHOOL = {"title": "Ouvrir l’école", "url": "/d/ent-ecole?var-ecole=${__data.fields.ecole_id}&${__url_time_range}"}


def alertes() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    question = "Les alertes sont-elles justes, complètes et rapides ?"
    made = (
        board(FILE, "8 Qualité de l’alerte", question, ("now-4w/d", "now"), "5m", ("ecole",), exact_only=True)
        .timepicker(periods(*PERIODS))
        .annotation(mark("Semaine en cours", statement(FILE, "running_week")))
    )
    text = (
        f"**{question}** Une alerte est juste si un opérateur l’a dite incident ou fermeture ; sans avis, elle n’entre "
        "pas dans le calcul. Données complètes jusqu’à **${complet}**."
    )
    return to_json(
        made,
        [
            (note(text), 24, 2),
            *((panel, 4, 4) for panel in _figures()),
            (_weekly(), 14, 8),
            (_kinds(), 10, 8),
            (_listed(), 24, 10),
            (_missed(), 10, 12),
            (_states(), 14, 12),
        ],
    )


def _figures() -> list[Any]:
    figures = (
        ("Alertes", COUNT, "Alertes sur des écoles ouvertes dans la période."),
        ("En cours", COUNT, "Celles d’entre elles qui ne sont pas closes."),
        (
            "Précision",
            PERCENT,
            "Alertes dites incident ou fermeture ÷ alertes sur lesquelles un opérateur s’est prononcé.",
        ),
        ("Rappel", PERCENT, "Incidents d’école alertés ÷ incidents connus, ceux qu’aucune alerte n’a dits compris."),
        ("Délai médian", "suffix: min", "Du début de l’incident, dit par l’opérateur, à l’ouverture de son alerte."),
        ("Fausses alertes", "none", "Alertes dites fausses, par école et par mois de 30,4 jours."),
    )
    made = [
        one_of(figure(title, what + _SOURCE, statement(FILE, "figures"), unit), title) for title, unit, what in figures
    ]
    for panel in made[2:4]:
        panel.decimals(0).no_value("rien de jugé")
    made[4].no_value("rien de jugé")
    made[5].decimals(2)
    return made


def _weekly() -> Any:
    panel = bars(
        "Alertes par semaine et par verdict",
        "Alertes sur des écoles, par semaine d’ouverture commençant le lundi et par verdict de l’opérateur. La semaine "
        "en cours n’est pas finie." + _SOURCE,
        statement(FILE, "weekly"),
    ).display_name("${__field.labels.verdict_label}")
    for verdict, (_, color) in _VERDICTS.items():
        panel = panel.override_by_regexp(
            f"/{verdict}/", [style.property_("color", {"mode": "fixed", "fixedColor": color})]
        )
    return stacked(panel)


def _kinds() -> Any:
    return ranking(
        "Alertes par type",
        "Alertes sur des écoles ouvertes dans la période, par type." + _SOURCE,
        statement(FILE, "kinds"),
    )


def _listed() -> Any:
    return listing(
        "Alertes de la période",
        "Chaque alerte sur une école : connexions observées et attendues depuis le début de la baisse, force (évidence "
        "÷ limite du détecteur), verdict, et délai de détection des incidents. Les 500 dernières." + _SOURCE,
        statement(FILE, "listed"),
        {
            "École": {"custom.minWidth": 180, "links": [_SCHOOL]},
            "Type": {"mappings": style.words_of(_KINDS), "custom.width": 170},
            "Ouverte": {"unit": _TIME, "custom.width": 115},
            "Close": {"unit": _TIME, "noValue": "en cours", "custom.width": 115},
            "Observé": {"unit": COUNT, "noValue": "masqué", "custom.width": 90},
            "Attendu": {"unit": COUNT, "noValue": "—", "custom.width": 90},
            "Force": {"unit": "none", "decimals": 1, "custom.width": 75},
            "Délai": {"unit": "suffix: min", "noValue": "—", "custom.width": 100},
            "Verdict": {
                "mappings": style.words_of(_VERDICTS),
                "custom.cellOptions": {"type": "color-text"},
                "custom.width": 130,
            },
        },
    ).no_value("Aucune alerte")


def _missed() -> Any:
    return listing(
        "Incidents qu’aucune alerte n’a dits",
        "Incidents d’école notés par un opérateur sans alerte. Source : v_alert_labels, v_schools.",
        statement(FILE, "missed_listed"),
        {
            "École": {"custom.minWidth": 150, "links": [_SCHOOL]},
            "Début": {"unit": _TIME, "custom.width": 110},
            "Fin": {"unit": _TIME, "custom.width": 110},
        },
    ).no_value("Aucun incident manqué connu")


def _states() -> Any:
    states: dict[str, tuple[str, str | None]] = {
        "normal": ("Normale", style.GREEN),
        "a_surveiller": ("À surveiller", style.ORANGE),
        "en_alerte": ("En alerte", style.VERMILION),
        "": ("Non jugée", style.GREY),
    }
    return listing(
        "Dernier jugement de chaque école",
        "État de la dernière passe du détecteur dans les sept jours avant la fin de la période, connexions de sa "
        "dernière heure et leur attendu. Source : v_school_health, v_schools.",
        statement(FILE, "states"),
        {
            "École": {"custom.minWidth": 190, "links": [_SCHOOL]},
            "État": {
                "mappings": style.words_of(states),
                "custom.cellOptions": {"type": "color-text"},
                "custom.width": 130,
            },
            "Dernière heure": {"unit": COUNT, "custom.width": 120},
            "Attendu": {"unit": COUNT, "decimals": 1, "custom.width": 90},
            "Jugée à": {"unit": _TIME, "custom.width": 115},
        },
    )
