"""Notifications: who is told what, when, and is it opened?"""

from typing import Any, Final

from grafana.dashboards import style
from grafana.dashboards.board import board, mark, periods, to_json
from grafana.dashboards.ecole import PERIODS
from grafana.dashboards.panels import COUNT, PERCENT, bars, figure, listing, note, one_of, ranking, stacked
from grafana.dashboards.statements import statement

FILE: Final = "notifications"
_RUNNING = "Jour en cours"
_SENT = (
    "Notifications envoyées (événements notification ; un envoi compte une fois, quel que soit le nombre de lecteurs)"
)
_SOURCE = " Source : v_notifications, v_schools."
_LABELLED = " Source : v_notifications, v_applications, v_schools."


def notifications() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    question = "Qui est prévenu, de quoi, à quelle heure, et est-ce ouvert ?"
    made = (
        board(FILE, "5 Notifications", question, ("now-4w/d", "now"), "5m", ("ecole", "application"))
        .timepicker(periods(*PERIODS))
        .annotation(mark(_RUNNING, statement(FILE, "running_day")))
    )
    text = (
        f"**{question}** Une ouverture n’est connue que si la plateforme la dit. "
        "Données complètes jusqu’à **${complet}**. ${lecture:text}"
    )
    return to_json(
        made,
        [
            (note(text), 24, 2),
            *((panel, 4, 4) for panel in _figures()),
            (_daily(), 24, 8),
            (_apps(), 14, 8),
            (
                _rank("Par profil de l’expéditeur", "by_sender", f"{_SENT}, par profil de l’expéditeur", "v_profiles"),
                10,
                4,
            ),
            (_rank("Par profil du destinataire", "by_recipient", "Destinataires des envois, par profil"), 10, 4),
            (_rank("Par heure de la journée", "by_hour", f"{_SENT}, par heure de Paris"), 10, 16),
            (_schools(), 14, 16),
        ],
    )


def _figures() -> list[Any]:
    counts = [
        ("Envoyées", f"{_SENT}, sur la période."),
        (
            "Destinataires",
            "Somme des destinataires de chaque envoi, sur la période : qui est prévenu deux fois compte deux fois.",
        ),
        ("Destinataires par envoi", "Destinataires ÷ envois, sur la période."),
        ("Ouvertes", "Ouvertures de notifications que la plateforme dit, sur la période."),
    ]
    schools = [
        (
            "Médiane par école",
            "Envois de l’école médiane sur la période ; une école déployée qui n’a rien envoyé compte pour zéro.",
        ),
        ("Écoles sans envoi", "Écoles déployées qui n’ont envoyé aucune notification sur la période."),
    ]
    made = [
        one_of(figure(title, what + _SOURCE, statement(FILE, name)), title)
        for name, figures in (("counts", counts), ("per_school", schools))
        for title, what in figures
    ]
    made[2].decimals(1)
    made[3].no_value("non dit")
    return made


def _daily() -> Any:
    panel = bars(
        "Envois par jour et par application",
        f"{_SENT}, par jour de Paris et application. Le jour en cours n’est pas fini." + _LABELLED,
        statement(FILE, "daily"),
    )
    return stacked(panel.display_name("${__field.labels.application}"))


def _apps() -> Any:
    return listing(
        "Par application",
        f"{_SENT}, leurs destinataires, et les ouvertures dites par la plateforme. Part ouverte : ouvertures ÷ "
        "destinataires, là où des ouvertures sont dites." + _LABELLED,
        statement(FILE, "by_app"),
        {
            "Application": {"custom.minWidth": 170},
            "Envoyées": {"unit": COUNT, "custom.width": 100},
            "Destinataires": {"unit": COUNT, "custom.width": 120},
            "Ouvertes": {"unit": COUNT, "custom.width": 100},
            "Part ouverte": {"unit": PERCENT, "decimals": 1, "noValue": "non dit", "custom.width": 120},
        },
    )


def _rank(title: str, name: str, what: str, more: str = "") -> Any:
    sources = "v_notifications, v_schools" + (f", {more}" if more else "")
    return ranking(title, f"{what}, sur la période. Source : {sources}.", statement(FILE, name), color=style.GREEN)


def _schools() -> Any:
    return listing(
        "Par école",
        f"{_SENT} de la période, leurs destinataires, et envois par classe de l’annuaire. "
        "Source : v_notifications, v_classes, v_schools.",
        statement(FILE, "by_school"),
        {
            "École": {
                "custom.minWidth": 170,
                "links": [{"title": "Ouvrir l’école", "url": "/d/ent-ecole?var-ecole=${__data.fields.ecole_id}"}],
            },
            "Pôle": {"custom.width": 120},
            "Envoyées": {"unit": COUNT, "custom.width": 95},
            "Destinataires": {"unit": COUNT, "custom.width": 115},
            "Par classe": {"unit": COUNT, "decimals": 1, "noValue": "—", "custom.width": 95},
        },
    )
