"""Chaîne de collecte: does everything that arrives get counted, how soon, and what is in the way?"""

from typing import Any, Final

from grafana.dashboards import style
from grafana.dashboards.accueil import REFUSALS
from grafana.dashboards.board import board, periods, to_json
from grafana.dashboards.metrics import metrics_panels
from grafana.dashboards.panels import COUNT, PERCENT, bars, figure, lines, listing, note, one_of, stacked
from grafana.dashboards.statements import statement
from schemas.reason import Drop

FILE: Final = "collecte"
PERIODS: Final = (
    ("3 dernières heures", "now-3h", "now"),
    ("12 dernières heures", "now-12h", "now"),
    ("Aujourd’hui", "now/d", "now"),
    ("2 derniers jours", "now-2d", "now"),
)
_CHAIN = (
    " Source : v_complete, v_offsets, v_usage_by_day, v_directory_revisions, v_school_time_horizon ; "
    "à la fin de la période."
)
_REASONS: Final[dict[str, tuple[str, str | None]]] = {reason.value: (text, None) for reason, text in REFUSALS.items()}
_DROPS: Final[dict[str, tuple[str, str | None]]] = {
    Drop.IGNORED_TYPE.value: ("Type d’événement non compté ici", None),
    Drop.NO_RECORD.value: ("Aucun enregistrement à cet offset", None),
    Drop.EXPIRED_BEFORE_READ.value: ("Effacé par Kafka avant lecture", style.VERMILION),
}
_TIME = "time:DD/MM HH:mm:ss"
_DAYS = "suffix: j"
_MONTH: Final = "28d"
"""The period of panels that look further back than the board does."""


def collecte() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    question = "Tout ce qui arrive est-il compté, en combien de temps, et qu’est-ce qui gêne ?"
    made = board(FILE, "9 Chaîne de collecte", question, ("now-3h", "now"), "30s", (), exact_only=True)
    made = made.timepicker(periods(*PERIODS))
    text = (
        f"**{question}** Ce que seul Prometheus sait (durée des étapes, mémoire, processeur) est en bas, là où Grafana "
        "le lit. Données complètes jusqu’à **${complet}**."
    )
    return to_json(
        made,
        [
            (note(text), 24, 2),
            *((panel, 6, 4) for panel in _figures()[:4]),
            *((panel, 8, 4) for panel in (*_figures()[4:], _unmapped())),
            (_throughput(), 12, 9),
            (_delays(), 12, 9),
            (_partitions(), 10, 9),
            (_ledger(), 14, 9),
            (_refusals(), 12, 8),
            (_refusals_listed(), 12, 8),
            (_late(), 12, 8),
            (_dropped(), 12, 8),
            (_storage(), 15, 11),
            (_server(), 9, 11),
            *((panel, width, 8) for panel, width in zip(metrics_panels(), (12, 12, 8, 8, 8), strict=True)),
        ],
    )


def _figures() -> list[Any]:
    steps = {
        "Fraîcheur": ((None, style.GREEN), (300, style.ORANGE), (900, style.VERMILION)),
        "Retard": ((None, style.GREEN), (10_000, style.ORANGE), (100_000, style.VERMILION)),
        "Offsets sans issue": ((None, style.GREEN), (1, style.VERMILION)),
        "Âge de l’annuaire": ((None, style.GREEN), (30, style.ORANGE), (90, style.VERMILION)),
        "Horizon du calendrier": ((None, style.VERMILION), (0, style.ORANGE), (60, style.GREEN)),
    }
    figures = (
        ("Fraîcheur", "suffix: s", "Âge de ce qui est compté en entier : temps depuis l’instant de complétude."),
        ("Retard", COUNT, "Enregistrements que Kafka garde et qui ne sont pas encore dans les fenêtres."),
        (
            "Offsets sans issue",
            COUNT,
            "Offsets lus qui n’ont été ni acceptés, ni refusés, ni écartés : zéro, ou perte.",
        ),
        (
            "Doublons absorbés",
            COUNT,
            "Enregistrements acceptés moins événements comptés : ce qui est arrivé plusieurs fois.",
        ),
        ("Âge de l’annuaire", _DAYS, "Jours depuis que la révision de l’annuaire en vigueur a été mise en place."),
        ("Horizon du calendrier", _DAYS, "Jours pendant lesquels le calendrier scolaire est encore connu de toutes."),
    )
    made = []
    for title, unit, what in figures:
        panel = one_of(figure(title, what + _CHAIN, statement(FILE, "figures"), unit), title)
        if title in steps:
            panel = panel.color_scheme(style.by_thresholds()).thresholds(style.steps(steps[title]))
        made.append(panel)
    return made


def _unmapped() -> Any:
    return figure(
        "Hors annuaire, dernières 24 heures",
        "Part des événements dont l’école ou la classe n’est pas dans l’annuaire ; ils sont gardés, mais ne comptent "
        "dans aucune école. Tous profils. Source : v_usage_by_hour.",
        statement(FILE, "unmapped"),
        PERCENT,
    ).decimals(1)


def _throughput() -> Any:
    panel = bars(
        "Événements par minute",
        "Événements comptés par minute (heure de l’événement), par type ; la dernière barre n’est pas finie. "
        "Source : v_usage_by_minute.",
        statement(FILE, "throughput"),
    )
    return stacked(panel.display_name("${__field.labels.type}"))


def _delays() -> Any:
    return lines(
        "De l’événement à Kafka",
        "Délai entre l’heure de l’événement et son arrivée dans Kafka, médiane et 95e centile ; hors arrivées de plus "
        "d’un jour. Source : v_events.",
        statement(FILE, "delays"),
        "s",
    )


def _partitions() -> Any:
    return listing(
        "Retard par partition",
        "Enregistrements en attente, et instant jusqu’auquel chaque partition est complète. Source : v_progress.",
        statement(FILE, "partitions"),
        {
            "Topic": {"custom.minWidth": 140},
            "Partition": {"custom.width": 85},
            "Retard": {"unit": COUNT, "custom.width": 80},
            "Complet jusqu’à": {"unit": _TIME, "custom.width": 145},
            "Âge": {"unit": "suffix: s", "custom.width": 90},
        },
    )


def _ledger() -> Any:
    states: dict[str, tuple[str, str | None]] = {"Fermé": ("Fermé", style.GREEN), "Ouvert": ("Ouvert", style.VERMILION)}
    counts = {name: {"unit": COUNT, "custom.width": 80} for name in ("Premier", "Suivant", "Acceptés", "Refusés")}
    return listing(
        "Grand livre des offsets",
        "Pour chaque partition : offsets lus = acceptés + refusés + écartés + sans issue ; fermé quand rien n’est sans "
        "issue. Source : v_offsets.",
        statement(FILE, "ledger"),
        {
            "Topic": {"custom.minWidth": 130},
            "Partition": {"custom.width": 75},
            **counts,
            "Écartés": {"unit": COUNT, "custom.width": 72},
            "Sans issue": {"unit": COUNT, "custom.width": 88},
            "Grand livre": {
                "mappings": style.words_of(states),
                "custom.cellOptions": {"type": "color-text"},
                "custom.width": 105,
            },
        },
    )


def _refusals() -> Any:
    panel = bars(
        "Enregistrements refusés",
        "Enregistrements qui ne sont pas devenus des événements, par moment de leur arrivée et par motif ; la dernière "
        "barre n’est pas finie. Source : v_dead_letters.",
        statement(FILE, "refusals"),
    ).display_name("${__field.labels.motif}")
    for reason, (text, _) in _REASONS.items():
        panel = panel.override_by_regexp(f"/^{reason}$/", [style.property_("displayName", text)])
    return stacked(panel)


def _refusals_listed() -> Any:
    panel = listing(
        "Refus par motif, format et topic, 28 derniers jours",
        "Enregistrements refusés des 28 derniers jours, quelle que soit la période choisie, écoles concernées et "
        "dernière arrivée. Source : v_dead_letters.",
        statement(FILE, "refusals_listed"),
        {
            "Motif": {"mappings": style.words_of(_REASONS), "custom.minWidth": 150},
            "Format": {"custom.width": 80},
            "Topic": {"custom.width": 125},
            "Enregistrements": {"unit": COUNT, "custom.width": 125},
            "Écoles": {"unit": COUNT, "custom.width": 65},
            "Dernier": {"unit": _TIME, "custom.width": 130},
        },
    )
    return panel.no_value("Aucun refus").time_from(_MONTH)


def _late() -> Any:
    return bars(
        "Événements arrivés en retard, 28 derniers jours",
        "Événements des 28 derniers jours arrivés plus d’une heure, et plus d’un jour, après avoir eu lieu, par moment "
        "de leur arrivée, quelle que soit la période choisie ; leurs fenêtres ont été recomptées. Source : v_events.",
        statement(FILE, "late"),
    ).time_from(_MONTH)


def _dropped() -> Any:
    return listing(
        "Offsets écartés",
        "Offsets qui ne portaient aucun événement à compter, par motif, depuis le début. Source : v_dropped.",
        statement(FILE, "dropped"),
        {
            "Motif": {"mappings": style.words_of(_DROPS), "custom.minWidth": 220},
            "Offsets": {"unit": COUNT, "custom.width": 120},
            "Plages": {"unit": COUNT, "custom.width": 100},
        },
    ).no_value("Aucun offset écarté")


def _storage() -> Any:
    return listing(
        "Tables",
        "Parties actives, lignes et place de chaque table de la base. Plus de 300 parties par partition : la fusion ne "
        "suit pas. Source : v_parts.",
        statement(FILE, "storage"),
        {
            "Table": {"custom.minWidth": 160},
            "Parties": {"unit": COUNT, "custom.width": 80},
            "Au plus par partition": {"unit": COUNT, "custom.width": 165},
            "Lignes": {"unit": COUNT, "custom.width": 110},
            "Octets": {"unit": "bytes", "custom.width": 95},
            "Octets par ligne": {"unit": "bytes", "custom.width": 120},
            "Dernière écriture": {"unit": _TIME, "custom.width": 140},
        },
    )


def _server() -> Any:
    return listing(
        "Base de données",
        "Ce que le serveur dit de lui-même, maintenant et depuis son démarrage. Source : v_server.",
        statement(FILE, "server"),
        {"Mesure": {"custom.minWidth": 230}, "Valeur": {"unit": COUNT, "decimals": 0, "custom.width": 130}},
    )
