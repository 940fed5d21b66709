"""Remontées: the very columns that administrators of ONE and NEO and the ministry's measure know, to be downloaded."""

from typing import Any, Final

from grafana.dashboards.board import board, periods, to_json
from grafana.dashboards.panels import COUNT, listing, note
from grafana.dashboards.statements import statement

FILE: Final = "remontees"
PERIODS: Final = (
    ("Semaine dernière", "now-1w/w", "now-1w/w"),
    ("Cette semaine", "now/w", "now"),
    ("4 dernières semaines finies", "now-4w/w", "now-1w/w"),
)
_VISIT = (
    "Visite : suite de connexions et d’ouvertures d’applications (événements login et app_visit) d’une personne dans "
    "une école, sans pause de plus de 30 minutes. Durée : du premier au dernier événement. Une ligne par école et "
    "semaine commençant le lundi, pour les semaines commencées dans la période. Département, région, ministère et "
    "secteur ne sont pas dans l’annuaire : colonnes vides. Source : v_events, v_schools"
)


def remontees() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    question = "Les mêmes colonnes que les exports des plateformes et de la DNMA."
    made = board(FILE, "6 Remontées", question, ("now-1w/w", "now-1w/w"), "15m").timepicker(periods(*PERIODS))
    text = (
        f"**{question}** Chaque tableau se télécharge en CSV par son menu. Au-delà de 10 000 lignes un tableau est "
        "coupé : choisir une école ou une semaine. "
        "Données complètes jusqu’à **${complet}**. ${lecture:text}"
    )
    return to_json(
        made,
        [
            (note(text), 24, 3),
            (_connections(), 24, 11),
            (_accesses(), 24, 11),
            (
                _dnma(
                    "DNMA : visites par profil",
                    "dnma_profiles",
                    "Visites, utilisateurs distincts et durée, en tout et par profil national. "
                    + _VISIT
                    + ", v_profiles.",
                ),
                24,
                11,
            ),
            (
                _dnma(
                    "DNMA : visites par service",
                    "dnma_services",
                    "Visites où le service a été ouvert, utilisateurs distincts, et temps de l’ouverture au prochain "
                    "événement de la visite ; les services ne s’additionnent pas. " + _VISIT + ".",
                ),
                24,
                11,
            ),
            (
                _dnma(
                    "DNMA : visites par appareil",
                    "dnma_devices",
                    "Visites, utilisateurs distincts et durée, par appareil : le premier que la plateforme dit pendant "
                    "la visite. " + _VISIT + ".",
                ),
                24,
                11,
            ),
        ],
    )


def _connections() -> Any:
    return listing(
        "Connexions, visiteurs et comptes",
        "Connexions (événements login) et visiteurs uniques (personnes distinctes du jour, qui ne s’additionnent pas) "
        "de chaque école, jour de Paris et profil ; comptes de l’annuaire en vigueur. "
        "Source : v_usage_by_day, v_accounts, v_profiles, v_schools.",
        statement(FILE, "connections"),
        {
            "établissement": {"custom.minWidth": 180},
            "connexions": {"unit": COUNT},
            "visiteurs uniques": {"unit": COUNT},
            "comptes chargés": {"unit": COUNT, "noValue": "—"},
            "comptes activés": {"unit": COUNT, "noValue": "—"},
        },
    )


def _accesses() -> Any:
    return listing(
        "Accès aux applications",
        "Nombre d’accès (événements app_visit) de chaque école, jour de Paris, profil et application. "
        "Source : v_app_usage_by_day, v_applications, v_profiles, v_schools.",
        statement(FILE, "accesses"),
        {"établissement": {"custom.minWidth": 180}, "nombre d’accès": {"unit": COUNT}},
    )


def _dnma(title: str, name: str, description: str) -> Any:
    keys: dict[str, dict[str, Any]] = {
        "debutsemaine": {"custom.width": 110},
        "uai": {"custom.width": 100},
        "academie": {"custom.width": 110},
        "commune": {"custom.width": 110},
        "circonscription": {"custom.width": 130},
        "nature_uai": {"custom.width": 110},
    }
    unknown = {
        name: {"custom.width": 100, "noValue": "—"} for name in ("departement", "region", "ministere", "secteur")
    }
    return listing(title, description, statement(FILE, name), keys | unknown)
