"""Whose account it is, in the words of platforms and standards, as a canonical profile."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from schemas.event import Profile

NATIONAL: Final = {
    "national_elv": Profile.ELEVE,
    "national_tut": Profile.PARENT,
    "national_ens": Profile.ENSEIGNANT,
    "national_dir": Profile.PERSONNEL,
    "national_evs": Profile.PERSONNEL,
    "national_eta": Profile.PERSONNEL,
    "national_doc": Profile.PERSONNEL,
    "national_aca": Profile.ACADEMIE,
    "national_col": Profile.COLLECTIVITE,
}
"""ENTPersonProfils of the SDET (annexe opérationnelle 6.3, §4.7), in small letters."""
ENTCORE: Final = {
    "student": Profile.ELEVE,
    "relative": Profile.PARENT,
    "teacher": Profile.ENSEIGNANT,
    "personnel": Profile.PERSONNEL,
    "guest": Profile.AUTRE,
    **NATIONAL,
}
"""What entcore writes into `profil`."""
ROLES: Final = {
    **{profile.value: profile for profile in Profile},
    **ENTCORE,
    "learner": Profile.ELEVE,
    "instructor": Profile.ENSEIGNANT,
    "teachingassistant": Profile.ENSEIGNANT,
    "faculty": Profile.ENSEIGNANT,
    "mentor": Profile.PARENT,
    "parent": Profile.PARENT,
    "guardian": Profile.PARENT,
    "administrator": Profile.PERSONNEL,
    "manager": Profile.PERSONNEL,
    "officer": Profile.PERSONNEL,
    "staff": Profile.PERSONNEL,
}
"""The roles of LIS 2 that Caliper takes over, beside our own names, entcore's and the national ones."""
_BEFORE_THE_NAME: Final = re.compile(r".*[/#:]", re.DOTALL)


def profile_of(roles: Iterable[str]) -> Profile:
    """The first role that is known, of names or of IRIs that end in one; `inconnu` where none is."""
    names = (_BEFORE_THE_NAME.sub("", role).casefold() for role in roles)
    return next((ROLES[name] for name in names if name in ROLES), Profile.INCONNU)
