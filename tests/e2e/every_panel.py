"""A dashboard with every type of panel, variable and annotation that the page draws, over figures that SQL makes up."""

from typing import Any

UID = "essai"
SOURCE = {"type": "grafana-clickhouse-datasource", "uid": "${ds}"}
DAYS = 14
_DAY = f"toDateTime(toDate($__toTime, 'Europe/Paris') - {DAYS} + number, 'Europe/Paris')"


def _target(sql: str, as_table: bool) -> dict[str, Any]:
    return {"refId": "A", "datasource": SOURCE, "rawSql": sql, "format": int(as_table), "editorType": "sql"}


def _panel(
    number: int, kind: str, title: str, place: tuple[int, int, int, int], sql: str, **more: Any
) -> dict[str, Any]:
    x, y, w, h = place
    defaults = {"unit": "locale", **more.pop("defaults", {})}
    return {
        "id": number,
        "type": kind,
        "title": title,
        "description": f"Essai de {kind}.",
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": w, "h": h},
        "targets": [_target(sql, more.pop("as_table", False))],
        "fieldConfig": {"defaults": defaults, "overrides": more.pop("overrides", [])},
        "options": more.pop("options", {}),
        **more,
    }


def _steps(*limits: tuple[float | None, str]) -> dict[str, Any]:
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in limits]}


def _by_name(name: str, **properties: Any) -> dict[str, Any]:
    listed = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": listed}


WORDS = {
    "-1": {"text": "masqué", "color": "#8a8a8a", "index": 0},
    "0": {"text": "zéro", "color": "#d55e00", "index": 1},
}
SHADES = _steps((None, "#deebf7"), (25, "#9ecae1"), (50, "#4292c6"), (75, "#08519c"))
LINK = {"title": "Voir", "url": "/d/essai?var-ecole=${__data.fields.ecole_id}&${__url_time_range}"}

PANELS = [
    {
        "id": 1,
        "type": "text",
        "title": "",
        "transparent": True,
        "gridPos": {"x": 0, "y": 0, "w": 24, "h": 2},
        "options": {"mode": "markdown", "content": "**Essai** de `${grain}` pour ${ecole:text}."},
    },
    _panel(
        2,
        "stat",
        "Chiffre et sa ligne",
        (0, 2, 6, 4),
        f"SELECT {_DAY} AS time, toFloat64(100 + 3 * number) AS connexions FROM numbers({DAYS})",
        defaults={"links": [{"title": "Détail", "url": "/d/essai?viewPanel=5"}]},
        options={"graphMode": "area", "showPercentChange": True, "colorMode": "value", "textMode": "value"},
    ),
    _panel(
        3,
        "stat",
        "Plusieurs chiffres",
        (6, 2, 9, 4),
        "SELECT 12 AS eleves, 0 AS parents, -1 AS enseignants, 302400 AS duree",
        as_table=True,
        overrides=[_by_name("duree", unit="s")],
        defaults={"mappings": [{"type": "value", "options": {"-1": {"text": "masqué", "color": "gray", "index": 0}}}]},
        options={"graphMode": "none", "textMode": "value_and_name"},
    ),
    _panel(4, "stat", "Rien", (15, 2, 5, 4), "SELECT 1 AS n WHERE 0", as_table=True, defaults={"noValue": "réservé"}),
    _panel(
        11,
        "stat",
        "Jours d’une période propre",
        (20, 2, 4, 4),
        "SELECT dateDiff('day', $__fromTime, $__toTime) AS n",
        as_table=True,
        timeFrom="28d",
    ),
    _panel(
        5,
        "timeseries",
        "Courbe, bande attendue et annotations",
        (0, 6, 14, 9),
        f"SELECT {_DAY} AS time, toFloat64(80 + 10 * sin(number)) AS bas, toFloat64(120 + 10 * sin(number)) AS haut, "
        f"if(number = 6, NULL, toFloat64(100 + 25 * cos(number))) AS observe FROM numbers({DAYS})",
        overrides=[
            _by_name("bas", custom__hideFrom={"viz": False, "legend": True, "tooltip": False}, custom__lineWidth=0),
            _by_name("haut", custom__fillBelowTo="bas", custom__lineWidth=0, custom__fillOpacity=25,
                     displayName="attendu"),
            _by_name("observe", displayName="observé", color={"mode": "fixed", "fixedColor": "#1f78b4"}),
        ],
        options={"legend": {"showLegend": True, "displayMode": "list"}, "tooltip": {"mode": "multi", "sort": "none"}},
    ),
    _panel(
        6,
        "barchart",
        "Barres empilées",
        (14, 6, 10, 9),
        "SELECT app, toFloat64(n) AS eleves, toFloat64(n / 2) AS parents FROM "
        "(SELECT arrayJoin(['Cahier', 'Blog', 'Agenda', 'Médiathèque']) AS app, length(app) * 10 AS n)",
        as_table=True,
        options={"stacking": "normal", "legend": {"showLegend": True}},
        defaults={"color": {"mode": "palette-classic"}},
    ),
    _panel(
        7,
        "heatmap",
        "Carte de chaleur",
        (0, 15, 12, 9),
        f"SELECT {_DAY} AS time, concat(leftPad(toString(h), 2, '0'), ' h') AS heure, toFloat64((h * number) % 31) AS "
        f"connexions FROM numbers({DAYS}) ARRAY JOIN range(8, 18) AS h ORDER BY time, h",
        defaults={"displayName": "${__field.labels.heure}"},
        options={"color": {"mode": "scheme", "scheme": "Blues", "steps": 32}},
    ),
    _panel(
        8,
        "status-history",
        "États par jour",
        (12, 15, 12, 9),
        f"SELECT {_DAY} AS time, classe_id, classe, if(classe_id = 'c3' AND number = 4, NULL, toFloat64("
        "if(number % 5 = 0, -1, if(number = 3, 0, (number * 7 + length(classe)) % 100)))) AS taux "
        f"FROM numbers({DAYS}) ARRAY JOIN ['c1', 'c2', 'c3'] AS classe_id, ['CP A', 'CE1 B', 'CM2'] AS classe "
        "ORDER BY time, classe_id",
        defaults={
            "unit": "percent",
            "color": {"mode": "thresholds"},
            "thresholds": SHADES,
            "displayName": "${__field.labels.classe}",
            "mappings": [{"type": "value", "options": WORDS}],
        },
        options={"legend": {"showLegend": True}},
    ),
    _panel(
        9,
        "table",
        "Tableau, liens et cases colorées",
        (0, 24, 12, 8),
        "SELECT school AS ecole_id, concat('École ', school) AS `École`, toFloat64(number * 30) AS Taux, "
        "toDateTime(1795181850 - number * 86400) AS `Dernière` FROM (SELECT number, "
        "['A', 'B', 'C'][number + 1] AS school FROM numbers(3)) "
        "WHERE $__conditionalAll(school IN (${ecole:sqlstring}), $ecole)",
        as_table=True,
        overrides=[
            {
                "matcher": {"id": "byRegexp", "options": "/_id$/"},
                "properties": [{"id": "custom.hidden", "value": True}],
            },
            _by_name("École", links=[LINK]),
            _by_name(
                "Taux",
                unit="percent",
                custom__cellOptions={"type": "color-background"},
                thresholds=SHADES,
                color={"mode": "thresholds"},
            ),
            _by_name("Dernière", unit="time:DD/MM HH:mm"),
        ],
    ),
    _panel(
        10,
        "table",
        "Heures de la semaine",
        (12, 24, 12, 8),
        "SELECT arrayJoin(['lundi', 'mardi', 'mercredi', 'jeudi', 'vendredi']) AS Jour, "
        + ", ".join(f"toFloat64((length(Jour) * {hour}) % 100) AS `{hour}h`" for hour in range(7, 21)),
        as_table=True,
        defaults={
            "unit": "percent",
            "color": {"mode": "thresholds"},
            "thresholds": SHADES,
            "custom": {"cellOptions": {"type": "color-background"}},
        },
    ),
]  # fmt: skip

_ANNOTATION = f"SELECT {_DAY} AS time, {_DAY} + 2 * 86400 AS timeEnd, 'Vacances' AS text FROM numbers(6, 1)"
_SCHOOLS = "SELECT arrayJoin(['A', 'B', 'C']) AS v, concat('École ', v)"
_BREAK = f"SELECT {_DAY} AS time, 'Nouvelle version' AS text FROM numbers(10, 1)"


def _variable(name: str, kind: str, query: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "label": name.capitalize(), "query": query, **more}


def _mark(name: str, shown: bool, color: str, sql: str) -> dict[str, Any]:
    return {"name": name, "enable": shown, "iconColor": color, "datasource": SOURCE, "target": _target(sql, True)}


def every_panel() -> dict[str, Any]:
    """Classic JSON."""
    everything = {"current": {"text": "All", "value": ["$__all"]}, "multi": True, "includeAll": True}
    return {
        "uid": UID,
        "title": "Tous les panneaux",
        "description": "Chaque type de panneau, une fois.",
        "timezone": "Europe/Paris",
        "time": {"from": "now-15d/d", "to": "now"},
        "refresh": "",
        "panels": PANELS,
        "templating": {
            "list": [
                _variable("ds", "datasource", SOURCE["type"], hide=2),
                _variable("ecole", "query", _SCHOOLS, datasource=SOURCE, **everything),
                _variable("grain", "custom", "jour,semaine", current={"text": "jour", "value": "jour"}),
                _variable("seuil", "constant", "5", hide=2),
            ]
        },
        "annotations": {
            "list": [
                _mark("Calendrier", True, "orange", _ANNOTATION),
                _mark("Ruptures", False, "purple", _BREAK),
            ]
        },
    }  # fmt: skip
