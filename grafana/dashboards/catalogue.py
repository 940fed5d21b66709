"""All dashboards, and the generated files that Grafana and the page read."""

import json
from pathlib import Path
from typing import Any

from grafana.dashboards.accueil import accueil
from grafana.dashboards.adoption import adoption
from grafana.dashboards.alertes import alertes
from grafana.dashboards.applications import applications
from grafana.dashboards.collecte import collecte
from grafana.dashboards.comparaisons import comparaisons
from grafana.dashboards.ecole import ecole
from grafana.dashboards.hors_temps import hors_temps
from grafana.dashboards.notifications import notifications
from grafana.dashboards.remontees import remontees

GENERATED = Path(__file__).parent.parent / "generated"
DASHBOARDS = (
    accueil,
    adoption,
    comparaisons,
    ecole,
    hors_temps,
    applications,
    notifications,
    remontees,
    alertes,
    collecte,
)


def made() -> dict[str, dict[str, Any]]:
    """Every dashboard in classic JSON, by its uid."""
    boards = [make() for make in DASHBOARDS]
    return {board["uid"]: board for board in boards}


def build(folder: Path = GENERATED) -> list[Path]:
    """Write every dashboard to `folder`, one file each, and return the files. Files of other dashboards are deleted."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = _texts()
    for path in folder.glob("*.json"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def stale(folder: Path = GENERATED) -> list[str]:
    """The names of files that are not what `build` would write now, missing and left-over ones included."""
    texts = _texts()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in texts.keys() | there.keys() if texts.get(name) != there.get(name))


def _texts() -> dict[str, str]:
    return {
        f"{uid}.json": json.dumps(board, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        for uid, board in made().items()
    }
