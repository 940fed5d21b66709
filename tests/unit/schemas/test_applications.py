"""The catalogue of applications."""

from __future__ import annotations

import re

import pytest

from schemas.applications import APPLICATIONS, OTHER, SERVICES, find

BENEYLU = [
    "Annuaire",
    "Atelier multimédia",
    "Blog",
    "Cahier de textes",
    "Calendrier",
    "Carnet de liaison",
    "Éditeur d'images",
    "Livret scolaire",
    "Médiathèque",
    "Questionnaires",
    "Messagerie",
    "Moteur de recherche",
    "Notifications",
    "Profil",
    "Site web",
]


@pytest.mark.parametrize("label", BENEYLU)
def test_the_fifteen_applications_of_beneylu_are_known_by_their_label(label: str) -> None:
    """In French, in any case."""
    application = find(label)
    assert application is not None
    assert application.label == label
    assert find(label.upper()) is find(f" {label.lower()} ") is find(application.key) is application


def test_every_application_has_a_key_a_label_and_a_service() -> None:
    """Keys are slugs, services are the DNMA's, and no name leads to two applications."""
    assert len({application.label for application in APPLICATIONS.values()}) == len(APPLICATIONS)
    names: list[str] = []
    for key, application in APPLICATIONS.items():
        assert re.fullmatch(r"[a-z][a-z_]{2,30}", key)
        assert application.service in SERVICES
        names += {name.casefold() for name in (key, application.label, *application.aliases)}
    assert len(names) == len(set(names))
    assert len(SERVICES) == 25


def test_what_is_not_in_the_catalogue_is_not_found() -> None:
    """The key of all others is no application."""
    assert find("Jeu inconnu") is None
    assert find("") is None
    assert find(OTHER) is None
