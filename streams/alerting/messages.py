"""What people are told, in French. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from schemas.school_time.horizon import Horizon
from schemas.school_time.school_time import PARIS
from streams.alerting.episodes import Sign, Step, What
from streams.alerting.story import Story

_MONTHS: Final = ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]
_WEEKDAYS: Final = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]
_HEADLINES: Final = {
    "ecole_en_baisse": "Connexions en baisse",
    "ecole_silencieuse": "Plus de connexions",
    "ecole_fermee_non_declaree": "École sans doute fermée, sans fermeture déclarée",
    "plateforme_en_baisse": "Toute la plateforme est en baisse",
    "flux_interrompu": "Les événements n'arrivent plus",
    "serie_eteinte": "Une série s'est éteinte",
    "doublons": "Beaucoup plus de connexions que d'habitude",
    "baisse_lente": "Baisse lente",
    "calendrier_expire": "Le calendrier scolaire arrive à sa fin",
}
_PROFILES: Final = {"eleve": "élèves", "parent": "parents", "enseignant": "enseignants"}
_NOT: Final = (
    "Ce n'est ni un jour de vacances, ni un jour férié, ni un mercredi libre, ni une fermeture déclarée ; "
    "le flux d'événements est à jour"
)


class Message(NamedTuple):
    """A title in one line and a text."""

    title: str
    text: str


def compose(step: Step, story: Story, link: str) -> Message:
    """The message of a step about a school, a profile or the platform."""
    sign = step.sign
    headline = _HEADLINES[sign.kind]
    whom = story.school or (_PROFILES.get(sign.profile, sign.profile) if sign.profile else "")
    title = f"{headline} : {whom}" if whom else headline
    if step.what is What.RESOLVED:
        ended = step.ending.value if step.ending is not None else ""
        return Message(
            f"Terminé – {title}", f"Depuis {_moment(step.at)} : {ended}. L'alerte datait de {_moment(sign.since)}."
        )
    if step.what is What.WORSENED:
        title = f"Aggravé – {title}"
    return Message(title, "\n".join(line for line in _lines(sign, story, link) if line))


def flow_message(step: Step, stalled: bool) -> Message:
    """The pipeline's: usage is not judged meanwhile."""
    title = _HEADLINES["flux_interrompu"]
    if step.what is What.RESOLVED:
        return Message(f"Terminé – {title}", f"Les événements arrivent de nouveau ({_moment(step.at)}).")
    cause = (
        "Les figures ne sont plus à jour : Kafka, le service ou la base de données sont arrêtés ou en retard."
        if stalled
        else "Aucun événement d'aucune école n'arrive : la plateforme n'en envoie plus, ou le flux est coupé."
    )
    return Message(title, f"Depuis {_moment(step.sign.since)}. {cause}\nLes alertes d'usage sont suspendues d'ici là.")


def calendar_message(step: Step, horizon: Horizon, unknown: Sequence[str]) -> Message:
    """That the calendar is to be renewed, or that nothing can be judged without one."""
    if step.what is What.RESOLVED:
        return Message("Terminé – calendrier scolaire", f"Le calendrier va de nouveau jusqu'au {_day(horizon.after)}.")
    advice = "Chargez le fichier du ministère (fr-en-calendrier-scolaire) : ent calendar load --calendar FICHIER."
    if horizon.expired or unknown:
        whom = f" pour {', '.join(unknown[:5])}" if unknown and not horizon.expired else ""
        return Message(
            f"Calendrier expiré{whom}", f"Sans calendrier, les alertes d'usage sont suspendues{whom}. {advice}"
        )
    return Message(
        _HEADLINES["calendrier_expire"],
        f"Il finit avant le {_day(horizon.after)}, dans {horizon.left_days} jours ; ensuite les alertes d'usage "
        f"seraient suspendues. {advice}",
    )


def _lines(sign: Sign, story: Story, link: str) -> list[str]:
    references = ", ".join(_day(date.fromisoformat(day)) for day in sign.references)
    return [
        f"Depuis {_moment(sign.since)}.",
        _figures(sign, story),
        f"Comparé aux mêmes heures de : {references}." if references else "",
        _named("Profils concernés", story.profiles),
        _named("Classes concernées", story.classes),
        _named("Applications concernées", story.applications),
        f"{_NOT}{'' if sign.topic == 'plateforme' else ' ; les autres écoles se connectent'}." if sign.evidence else "",
        _certainty(sign),
        link,
    ]


def _figures(sign: Sign, story: Story) -> str:
    if sign.expected is None:
        return ""
    expected = f"environ {round(sign.expected)} attendues"
    if story.few:
        return f"Moins de connexions que le seuil de confidentialité permet d'afficher, {expected}."
    return f"{round(sign.observed or 0)} connexions observées, {expected}."


def _certainty(sign: Sign) -> str:
    """In words that promise no more than the back-test's limits."""
    if not sign.limit:
        return ""
    strength = "forte" if sign.evidence >= 1.5 * sign.limit else "bonne"
    return f"Certitude {strength} : indice {sign.evidence:.1f} pour un seuil de {sign.limit:.1f}."


def _named(what: str, names: Sequence[str]) -> str:
    return f"{what} : {', '.join(names)}." if names else ""


def _moment(moment: datetime) -> str:
    local = moment.astimezone(PARIS)
    return f"{_day(local.date())} à {local:%H:%M}"


def _day(day: date) -> str:
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"
