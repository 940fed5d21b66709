"""Hors temps scolaire: when is the ENT used outside of lessons, and is the digital pause kept?"""

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
    hour_grid,
    lines,
    listing,
    note,
    one_of,
    ranking,
    stacked,
)
from grafana.dashboards.statements import statement

FILE: Final = "hors_temps"
_WEEKLY = "Part hors temps scolaire par semaine et par profil"
_PAUSED = "Notifications et pause numérique, par semaine"
_DAILY = "Connexions par jour et par moment"
_MINUTES = " Source : v_usage_by_hour, v_usage_by_minute, v_school_time, v_schools."
_EVENTS = " Tous profils d’expéditeurs. Source : v_notifications, v_schools."
_SHARE = "Part des connexions (événements login) de la période "
_KNOWN = " ; les moments qu’aucun calendrier ne connaît n’entrent pas dans le calcul."


def hors_temps() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    question = "Quand l’ENT sert-il en dehors de la classe, et la pause numérique est-elle respectée ?"
    made = (
        board(FILE, "3 Hors temps scolaire", question, ("now-4w/d", "now"), "15m")
        .timepicker(periods(*PERIODS))
        .annotation(mark("Jour en cours", statement(FILE, "running_day")))
        .annotation(mark("Semaine en cours", statement(FILE, "running_week")))
        .annotation(mark("Calendrier", statement(FILE, "calendar"), style.ORANGE))
    )
    return to_json(
        made,
        [
            (note(f"**{question}** Données complètes jusqu’à **${{complet}}**. ${{lecture:text}}"), 24, 2),
            *((panel, 4, 4) for panel in _figures()),
            (_daily(), 16, 9),
            (_definitions(), 8, 17),
            (_weekly(), 16, 8),
            (_moments(), 8, 9),
            (_profiles(), 8, 9),
            (_apps(), 8, 13),
            (_hours(), 16, 15),
            (_paused_weekly(), 10, 10),
            (_paused_schools(), 14, 14),
        ],
        marks={
            "Jour en cours": [_DAILY],
            "Semaine en cours": [_WEEKLY, _PAUSED],
            "Calendrier": [_DAILY],
        },
    )


def _figures() -> list[Any]:
    shares = [
        ("Hors temps scolaire", "à un moment autre que la classe"),
        ("Soirs", "les jours de classe, après la classe"),
        ("Mercredis libres", "les mercredis sans classe"),
        ("Week-ends", "les samedis et dimanches sans classe"),
        ("Vacances et fériés", "pendant les vacances et les jours fériés"),
    ]
    made = [
        one_of(figure(title, f"{_SHARE}{what}{_KNOWN}" + _MINUTES, statement(FILE, "shares"), PERCENT), title)
        for title, what in shares
    ]
    paused = figure(
        "Envois dans la pause",
        "Part des notifications envoyées pendant la pause numérique : de 20 h à 7 h, et du vendredi 20 h au lundi 7 h."
        + _EVENTS,
        statement(FILE, "paused_share"),
        PERCENT,
    )
    return [panel.decimals(1) for panel in (*made, paused)]


def _definitions() -> Any:
    return note(
        "**Moments d’une école** (le premier qui convient l’emporte)\n\n"
        "- **Vacances**, **jour férié**, **fermeture** déclarée : selon le calendrier de l’académie et de l’école\n"
        "- **Week-end** : samedi et dimanche, sauf école du samedi\n"
        "- **Mercredi libre**, **jour libre** : jour de semaine sans classe dans cette école\n"
        "- **Classe** : pendant les heures de classe de l’école\n"
        "- **Pause méridienne** : entre le matin et l’après-midi\n"
        "- **Soir et matin** : le reste d’un jour de classe\n\n"
        "**Hors temps scolaire** : tout sauf la classe.\n\n"
        "**Pause numérique** : de 20 h à 7 h en semaine, et du vendredi 20 h au lundi 7 h. Les plateformes y "
        "retiennent les notifications depuis la rentrée 2025 : l’usage du soir ne se compare pas à celui d’avant.\n\n"
        "Sans horaires connus, une école suit les horaires habituels : lundi, mardi, jeudi et vendredi, "
        "8 h 30–11 h 30 et 13 h 30–16 h 30."
    )


def _daily() -> Any:
    panel = bars(
        _DAILY,
        "Connexions (événements login) de chaque jour de Paris, par moment du temps scolaire de l’école. Le jour en "
        "cours n’est pas fini. Source : v_usage_by_hour, v_usage_by_minute, v_school_time, v_schools.",
        statement(FILE, "daily"),
    ).display_name("${__field.labels.moment}")
    for moment, color in style.MOMENTS.items():
        panel = panel.override_by_regexp(
            f"/{moment}/", [style.property_("color", {"mode": "fixed", "fixedColor": color})]
        )
    return stacked(panel)


def _weekly() -> Any:
    panel = lines(
        _WEEKLY,
        "Par semaine commençant le lundi : connexions (événements login) hors de la classe ÷ toutes, par profil"
        + _KNOWN
        + " Source : v_usage_by_hour, v_usage_by_minute, v_school_time, v_profiles, v_schools.",
        statement(FILE, "weekly_by_profile"),
        PERCENT,
    )
    return by_profile(panel).decimals(0)


def _moments() -> Any:
    return ranking(
        "Connexions par moment",
        "Connexions (événements login) de la période, par moment du temps scolaire de l’école." + _MINUTES,
        statement(FILE, "by_moment"),
    )


def _profiles() -> Any:
    return ranking(
        "Part hors temps scolaire par profil",
        f"{_SHARE}hors de la classe, par profil{_KNOWN} "
        "Source : v_usage_by_hour, v_usage_by_minute, v_school_time, v_profiles, v_schools.",
        statement(FILE, "by_profile"),
        PERCENT,
        style.GREEN,
    ).decimals(0)


def _apps() -> Any:
    return ranking(
        "Part hors temps scolaire par application",
        f"Visites (événements app_visit) hors de la classe ÷ toutes, quinze premières applications{_KNOWN} "
        "Source : v_app_usage_by_hour, v_app_usage_by_minute, v_school_time, v_applications, v_schools.",
        statement(FILE, "by_app"),
        PERCENT,
        style.PINK,
    ).decimals(0)


def _hours() -> Any:
    return hour_grid(
        "Connexions par heure de la semaine",
        "Connexions (événements login) par heure de Paris et jour de la semaine, moyenne par semaine de la période. "
        "Les heures sans aucune connexion n’ont pas de ligne. Source : v_usage_by_hour, v_schools.",
        statement(FILE, "week_hours"),
    )


def _paused_weekly() -> Any:
    panel = bars(
        _PAUSED,
        "Notifications envoyées de chaque semaine commençant le lundi, dans la pause numérique et hors d’elle. La "
        "semaine en cours n’est pas finie." + _EVENTS,
        statement(FILE, "paused_weekly"),
    )
    inside = [style.property_("color", {"mode": "fixed", "fixedColor": style.VERMILION})]
    outside = [style.property_("color", {"mode": "fixed", "fixedColor": style.BLUE})]
    return stacked(panel.override_by_name("Dans la pause", inside).override_by_name("Hors de la pause", outside))


def _paused_schools() -> Any:
    return listing(
        "Pause numérique par école",
        "Notifications envoyées de la période, celles de la pause numérique et leur part." + _EVENTS,
        statement(FILE, "paused_schools"),
        {
            "École": {
                "custom.minWidth": 190,
                "links": [{"title": "Ouvrir l’école", "url": "/d/ent-ecole?var-ecole=${__data.fields.ecole_id}"}],
            },
            "Envoyées": {"unit": COUNT, "custom.width": 100},
            "Dans la pause": {"unit": COUNT, "custom.width": 120},
            "Part": {"unit": PERCENT, "decimals": 1, "noValue": "aucun envoi", "custom.width": 110},
        },
    )
