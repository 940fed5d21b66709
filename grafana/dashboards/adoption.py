"""Adoption: which classes use the ENT, and which do not yet?"""

from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard

from grafana.dashboards import style
from grafana.dashboards.board import board, mark, periods, to_json
from grafana.dashboards.panels import (
    COUNT,
    PERCENT,
    bars,
    by_profile,
    figure,
    heat_map,
    lines,
    listing,
    note,
    ranking,
    stacked,
)
from grafana.dashboards.statements import statement

FILE: Final = "adoption"
PERIODS: Final = (
    ("4 dernières semaines", "now-4w/d", "now"),
    ("2 dernières semaines", "now-2w/d", "now"),
    ("Cette semaine", "now/w", "now"),
    ("Semaine dernière", "now-1w/w", "now-1w/w"),
    ("8 dernières semaines", "now-8w/d", "now"),
)
_WEEKLY = "Taux de connexion par semaine et par profil"
_LOADED = "Taux sur les comptes chargés, par semaine et par profil"
_LIFECYCLE = "Nouveaux, réguliers, de retour, endormis"
_FAMILIES = "Entrée des familles"
_RUNNING = "Semaine en cours"
_SCHOOL = {"title": "Ouvrir l’école", "url": "/d/ent-ecole?var-ecole=${__data.fields.ecole_id}&${__url_time_range}"}
_RATE = (
    "Personnes distinctes connectées au moins une fois (événements login) ÷ comptes activés des écoles. Les écoles et "
    "profils sans comptes dans l’annuaire n’entrent pas dans le taux."
)


def adoption() -> dict[str, Any]:
    """The dashboard in classic JSON."""
    question = "Quelles classes se servent de l’ENT, et lesquelles pas encore ?"
    made = (
        board(FILE, "1 Adoption", question, ("now-4w/d", "now"), "5m")
        .timepicker(periods(*PERIODS))
        .annotation(mark(_RUNNING, statement(FILE, "running_week")))
    )
    text = (
        f"**{question}** Les taux rapportent les personnes connectées aux comptes activés ; de 1 à 4 personnes, le "
        "chiffre d’une classe est masqué. Données complètes jusqu’à **${complet}**. ${lecture:text}"
    )
    return to_json(
        made,
        [
            (note(text), 24, 2),
            *((panel, 4, 4) for panel in _figures()),
            (_weekly_rate(), 12, 9),
            (_weekly_rate_loaded(), 12, 9),
            (_growth(), 11, 9),
            (_lifecycle(), 13, 9),
            (_families(), 18, 8),
            (_families_share(), 6, 8),
            (_daily(), 24, 8),
            (_classes(), 24, 17),
            (_apps(), 10, 15),
            (_apps_by_school(), 14, 15),
            (_silent_pupils(), 24, 13),
        ],
        marks={_RUNNING: [_WEEKLY, _LOADED, _LIFECYCLE, _FAMILIES]},
    )


def _figures() -> list[Any]:
    share = {"unit": PERCENT}
    return [
        figure(
            "Comptes activés",
            "Comptes activés ÷ comptes chargés dans l’annuaire. Source : v_accounts, v_schools.",
            statement(FILE, "activation"),
            **share,
        ).decimals(0),
        figure(
            "Taux de connexion",
            "Sur toute la période. " + _RATE + " Source : v_usage_by_day, v_accounts, v_schools.",
            statement(FILE, "rate"),
            **share,
        ).decimals(0),
        figure(
            "Personnes connectées",
            "Personnes distinctes connectées au moins une fois (événements login) sur toute la période, celles sans "
            "compte connu comprises. Source : v_usage_by_day, v_schools.",
            statement(FILE, "people"),
        ),
        figure(
            "Connexions",
            "Nombre de connexions (événements login) sur toute la période. Source : v_usage_by_day, v_schools.",
            statement(FILE, "connections"),
        ),
        figure(
            "Croissance",
            "Connexions (événements login) de la dernière semaine finie par rapport à celle d’avant, dans les écoles "
            "qui ont émis les deux semaines. Source : v_usage_by_day, v_schools, v_complete.",
            statement(FILE, "growth_last_week"),
            **share,
        ).decimals(1),
        figure(
            "Classes actives",
            "Classes où au moins cinq personnes se sont connectées (événements login) depuis lundi ÷ toutes les "
            "classes de l’annuaire. Source : v_usage_by_day, v_classes, v_schools, v_complete.",
            statement(FILE, "active_classes"),
            **share,
        ).decimals(0),
    ]


def _weekly_rate() -> Any:
    panel = lines(
        _WEEKLY,
        "Par semaine commençant le lundi. " + _RATE + " La semaine en cours, grisée, n’est pas finie. "
        "Source : v_usage_by_day, v_accounts, v_profiles, v_schools.",
        statement(FILE, "weekly_rate"),
        PERCENT,
    )
    return by_profile(panel).decimals(0)


def _growth() -> Any:
    return listing(
        "Croissance d’une semaine à l’autre",
        "Connexions (événements login) de chaque semaine, et croissance par rapport à la semaine d’avant à périmètre "
        "constant : dans les écoles comparées, qui ont émis les deux semaines. Pour la semaine en cours, les jours "
        "finis comparés aux mêmes jours. Source : v_usage_by_day, v_schools, v_complete.",
        statement(FILE, "growth_by_week"),
        {
            "Semaine du": {"custom.minWidth": 165},
            "Connexions": {"unit": COUNT, "custom.width": 100},
            "Écoles": {"unit": COUNT, "custom.width": 75},
            "Comparées": {"unit": COUNT, "custom.width": 100},
            "Croissance": {"unit": PERCENT, "decimals": 1, "noValue": "sans référence", "custom.width": 115},
        },
    )


def _daily() -> Any:
    panel = bars(
        "Connexions par jour et par profil",
        "Nombre de connexions (événements login) de chaque jour de Paris. Le dernier jour n’est pas fini. "
        "Source : v_usage_by_day, v_profiles, v_schools.",
        statement(FILE, "daily"),
    )
    return stacked(by_profile(panel))


def _classes() -> Any:
    panel = heat_map(
        "Les classes dans le temps",
        "Une ligne par classe, regroupée par école ; une colonne par jour, du lundi au vendredi, ou par semaine "
        "commençant le lundi au-delà de deux semaines. Personnes distinctes connectées (événements login) ÷ comptes "
        "activés de la classe. Masqué : 1 à 4 personnes. Zéro : l’école a émis, la classe non. Case vide : l’école n’a "
        "rien émis. La dernière colonne n’est pas finie. "
        "Source : v_usage_by_day, v_accounts, v_classes, v_schools.",
        statement(FILE, "classes_by_day"),
    )
    url = "/d/ent-ecole?var-ecole=${__field.labels.ecole_id}&${__url_time_range}"
    return panel.data_links([dashboard.DashboardLink("Ouvrir l’école").url(url)])


def _apps() -> Any:
    return ranking(
        "Applications les plus visitées",
        "Visites (événements app_visit) sur la période, quinze premières applications. "
        "Source : v_app_usage_by_day, v_applications, v_schools.",
        statement(FILE, "apps"),
    )


def _weekly_rate_loaded() -> Any:
    panel = lines(
        _LOADED,
        "Par semaine commençant le lundi. Personnes distinctes connectées au moins une fois (événements login) ÷ "
        "comptes chargés dans l’annuaire, activés ou non. Les écoles et profils sans comptes n’entrent pas dans le "
        "taux. La semaine en cours n’est pas finie. Source : v_usage_by_day, v_accounts, v_profiles, v_schools.",
        statement(FILE, "weekly_rate_loaded"),
        PERCENT,
    )
    return by_profile(panel).decimals(0)


def _lifecycle() -> Any:
    panel = bars(
        _LIFECYCLE,
        "Personnes distinctes connectées (événements login) de chaque semaine. Nouveaux : jamais vus depuis le 1er "
        "août. Réguliers : vus aussi la semaine d’avant. De retour : vus plus tôt, pas la semaine d’avant. Endormis, "
        "en ligne : vus la semaine d’avant et plus celle-ci. La semaine en cours n’est pas finie. "
        "Source : v_usage_by_day, v_schools.",
        statement(FILE, "lifecycle"),
    )
    colors = {"Nouveaux": style.GREEN, "Réguliers": style.BLUE, "De retour": style.ORANGE}
    for name, color in colors.items():
        panel = panel.override_by_name(name, [style.property_("color", {"mode": "fixed", "fixedColor": color})])
    asleep = [
        style.property_("color", {"mode": "fixed", "fixedColor": style.GREY}),
        style.property_("custom.drawStyle", "line"),
        style.property_("custom.lineWidth", 2),
        style.property_("custom.fillOpacity", 0),
        style.property_("custom.stacking", {"mode": "none", "group": "B"}),
    ]
    return stacked(panel).override_by_name("Endormis", asleep)


def _families() -> Any:
    return bars(
        _FAMILIES,
        "Parents distincts qui s’étaient connectés au moins une fois (événements login) depuis le 1er août de l’année "
        "scolaire, semaine après semaine. Source : v_usage_by_day, v_schools.",
        statement(FILE, "families"),
    ).color_scheme(style.fixed(style.ORANGE))


def _families_share() -> Any:
    return figure(
        "Familles entrées",
        "Parents distincts connectés au moins une fois (événements login) depuis le 1er août ÷ comptes de parents "
        "chargés dans l’annuaire. Source : v_usage_by_day, v_accounts, v_schools.",
        statement(FILE, "families_share"),
        PERCENT,
    ).decimals(0)


def _apps_by_school() -> Any:
    states: dict[str, tuple[str, str | None]] = {
        "Plus que les autres": ("Plus que les autres", style.BLUE),
        "Moins que les autres": ("Moins que les autres", style.VERMILION),
        "Comme les autres": ("Comme les autres", style.GREY),
    }
    return listing(
        "Nombre d’applications par école",
        "Applications du catalogue qu’au moins cinq personnes de l’école ont ouvertes (événements app_visit) sur la "
        "période. Plus ou moins que les autres : au-delà d’une fois et demie la médiane des écoles, ou sous sa moitié. "
        "Source : v_app_usage_by_day, v_schools.",
        statement(FILE, "apps_by_school"),
        {
            "École": {"custom.minWidth": 190, "links": [_SCHOOL]},
            "Applications": {"unit": COUNT, "custom.width": 115},
            "Ouvertes au moins une fois": {"unit": COUNT, "custom.width": 215},
            "Comparaison": {
                "mappings": style.words_of(states),
                "custom.cellOptions": {"type": "color-text"},
                "custom.width": 170,
            },
        },
    )


def _silent_pupils() -> Any:
    return listing(
        "Élèves qui ne viennent plus",
        "Élèves connectés au moins une fois depuis le 1er août (événements login), et ceux d’entre eux qui ne l’ont "
        "plus été depuis dix jours de classe de leur école. Masqué de 1 à 4 élèves ; au grain de l’école seulement. "
        "Source : v_usage_by_day, v_school_time, v_schools, v_complete.",
        statement(FILE, "silent_pupils"),
        {
            "École": {"custom.minWidth": 240, "links": [_SCHOOL]},
            "Actifs avant": {"unit": COUNT, "custom.width": 150},
            "Silencieux": {"unit": COUNT, "noValue": "masqué", "custom.width": 150},
            "Part": {"unit": PERCENT, "decimals": 0, "noValue": "—", "custom.width": 120},
        },
    )
