"""The catalogue of applications: the fifteen of Beneylu School and the known modules of ONE and NEO.

Each has a key, a French label, its kind (NATIF or TIERS), the DNMA service under which the ministry counts it, and the
other names under which platforms send it. The services of ONE's modules are DNMA's own; Beneylu publishes no such
table, so the services of its applications are a reading of ours. The list is `applications.csv` beside this.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from schemas.event import AppKind

OTHER: Final = "autre"
"""The key of what the catalogue does not know; the platform's own name is kept beside it."""

SERVICES: Final = frozenset(
    [
        "accueil",
        "actualites",
        "cahier_textes",
        "cahier_liaison",
        "courrier_electronique",
        "messagerie_instantanee",
        "visioconference",
        "stockage_partage",
        "production_collaborative",
        "documentation_cdi",
        "parcours_pedagogique",
        "reservation_salles_materiels",
        "service_collectivite",
        "services_vie_scolaire",
        "gestion_temps",
        "absences",
        "gestion_competences",
        "notes",
        "manuel_numerique",
        "ressource_multimedia",
        "ressource_orientation",
        "ressource_production",
        "ressource_accompagnement_entrainement",
        "ressource_reference_dictionnaire",
        "ressource_documentaire",
    ]
)
"""The 25 services of DNMA's open data (`fr-en-dnma-par-uai-services`)."""


@dataclass(frozen=True)
class Application:
    """An application that people open."""

    key: str
    label: str
    kind: AppKind
    service: str
    aliases: tuple[str, ...]


def _catalogue() -> dict[str, Application]:
    text = (files(__package__) / "applications.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["key"]: Application(
            row["key"],
            row["label"],
            AppKind(row["kind"]),
            row["service"],
            tuple(alias for alias in row["aliases"].split(";") if alias),
        )
        for row in rows
    }


APPLICATIONS: Final = _catalogue()
"""By key."""

_BY_NAME = {
    name.casefold(): application
    for application in APPLICATIONS.values()
    for name in (*application.aliases, application.label, application.key)
}


def find(name: str) -> Application | None:
    """The application of this key, label or alias, whatever the case; None of what is not in the catalogue."""
    return _BY_NAME.get(name.strip().casefold())
