"""Which applications people open: the fifteen of Beneylu School by profile, and one that no catalogue has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.applications import OTHER


@dataclass(frozen=True)
class Application:
    """An application as the simulated platforms name it."""

    key: str
    """As it is counted."""
    sent: str
    """As the canonical platforms send it."""
    module: str
    """As entcore sends it."""
    pupil: float
    parent: float
    adult: float
    """Relative weights among the visits of pupils, of parents, and of teachers and staff."""


APPLICATIONS: Final = (
    Application("annuaire", "annuaire", "Userbook", 2, 3, 5),
    Application("atelier_multimedia", "atelier-multimedia", "Workshop", 14, 1, 6),
    Application("blog", "blog", "Blog", 16, 16, 10),
    Application("cahier_textes", "cahier_textes", "Homeworks", 16, 20, 14),
    Application("calendrier", "calendrier", "Calendar", 3, 6, 6),
    Application("cahier_liaison", "carnet_liaison", "SchoolBook", 3, 22, 14),
    Application("editeur_images", "editeur_images", "Image-Editor", 6, 0.5, 1),
    Application("livret_scolaire", "livret_scolaire", "LSU", 0, 4, 5),
    Application("mediatheque", "mediatheque", "MediaLibrary", 12, 3, 8),
    Application("questionnaires", "questionnaires", "Questionnaire", 9, 1, 5),
    Application("messagerie", "messagerie", "Conversation", 8, 15, 16),
    Application("moteur_recherche", "moteur-de-recherche", "SearchEngine", 4, 0.5, 1),
    Application("notifications", "notifications", "Notification", 2, 4, 3),
    Application("profil", "profil", "MyAccount", 4, 2, 2),
    Application("site_web", "site_web", "WebSite", 1, 2, 2),
    Application(OTHER, "atelier-inconnu", "DefaultRegisteredService", 0.5, 0.2, 0.4),
)
UNKNOWN: Final = len(APPLICATIONS) - 1
"""The one that no catalogue has."""
MESSAGES, LINKS, HOMEWORK, BLOGS = (
    next(index for index, application in enumerate(APPLICATIONS) if application.key == key)
    for key in ("messagerie", "cahier_liaison", "cahier_textes", "blog")
)
NOTIFYING: Final = np.array([LINKS, HOMEWORK, MESSAGES, BLOGS], np.int8)
"""Applications that notify parents."""
NOTIFYING_WEIGHTS: Final = np.array([0.4, 0.25, 0.2, 0.15])


def draw_applications(
    random: np.random.Generator, profiles: npt.NDArray[np.int64], pupil: int, parent: int
) -> npt.NDArray[np.int8]:
    """An application for each visit, by the profile of who visits; `pupil` and `parent` are those profiles' codes."""
    weights = np.array([[app.pupil, app.parent, app.adult] for app in APPLICATIONS]).T
    steps = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    rows = np.where(profiles == pupil, 0, np.where(profiles == parent, 1, 2))
    chances = random.random(len(profiles))
    drawn = np.empty(len(profiles), np.int8)
    for row in range(len(steps)):
        here = rows == row
        drawn[here] = np.minimum(np.searchsorted(steps[row], chances[here], side="right"), UNKNOWN)
    return drawn
