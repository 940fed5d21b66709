"""The page over many events: when each dashboard is painted and drawn, and what a refresh of it costs.

    python bench/page.py [--events 10000000] [--report FILE] [--keep FOLDER] [--dashboards FOLDER]

A fictional city's events (tests/grafana_seed.py) are repeated, a little later each time, until there are as many as
asked, and made into windows. Then Chromium opens every dashboard and asks each of its panels anew, as its refresh does.
Wall times depend on what else the machine does; the CPU seconds are those of the database and of the page's server for
all the panels of one refresh. Making the events takes minutes: with --keep they are made once, and a second run only
measures, with --dashboards those of another version too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from grafana.viewer import Clock, Source, serve
from grafana.viewer.app import DASHBOARDS
from sinks.clickhouse.client import Client
from sinks.clickhouse.migrate import migrate
from tests.database import client_of, embedded_database, settings_of
from tests.e2e.chromium import Tab, open_tab, running_chromium
from tests.grafana_seed import NOW, _store_windows, make_city, store

_LATER_S = 37
_REFRESHES = 3
_REFRESH = "document.querySelector('[data-testid*=\"RefreshPicker run button\"]').click()"
_ANSWERED = (
    "Object.values(window.__dash.panels).every(p => p.type === 'text' || p.absent || (p.answered ?? 0) > window.before)"
)


class _ByDay:
    """A client that makes windows a day at a time: the engine of tests has little memory."""

    def __init__(self, client: Client) -> None:
        self._client = client
        days = client.query_rows("SELECT DISTINCT toString(toDate(event_time, 'Europe/Paris')) AS day FROM ent.events")
        self._days = sorted(day for (day,) in days)

    def command(self, sql: str) -> None:
        if "GROUP BY ALL" not in sql:  # hours are made of minutes, and days of hours: little enough at once
            self._client.command(sql)
            return
        for day in self._days:
            begin = f"toDateTime64('{day} 00:00:00', 6, 'Europe/Paris')"
            period = f"event_time >= {begin} AND event_time < {begin} + INTERVAL 1 DAY"
            self._client.command(sql.replace("GROUP BY ALL", f"AND {period} GROUP BY ALL"))


def multiply(client: Client, events: int) -> int:
    """Repeat the stored events until there are `events`, and count them into windows anew; how many there are."""
    stored = int(client.query_rows("SELECT count() FROM ent.events")[0][0])
    copies = math.ceil(events / stored)
    client.command(
        f"INSERT INTO ent.events SELECT * EXCEPT k REPLACE ("
        f"CAST(sipHash128(event_id, k), 'FixedString(16)') AS event_id, event_time + k * {_LATER_S} AS event_time, "
        f"offset + k * 100000000 AS offset) FROM (SELECT *, k FROM ent.events ARRAY JOIN range(1, {copies}) AS k)"
    )
    for family in ("usage", "app_usage"):
        for level in ("minute", "hour", "day"):
            client.command(f"TRUNCATE TABLE ent.{family}_by_{level}")
    _store_windows(_ByDay(client), "ent")  # type: ignore[arg-type]
    return int(client.query_rows("SELECT count() FROM ent.events")[0][0])


async def measure(tab: Tab, url: str, processes: list[psutil.Process]) -> dict[str, Any]:
    """First paint, everything drawn, and the middle one of some refreshes."""
    await tab.open(url)
    painted_ms = await tab.run("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    drawn_ms = await tab.run("window.__dash.readyMs")
    refreshes = []
    for _ in range(_REFRESHES):
        cpu_s = _cpu_s(processes)
        await tab.run("window.before = performance.now()")
        await tab.run(_REFRESH)
        await tab.until(_ANSWERED)
        panels = await tab.run("window.__dash.panels")
        answered_ms = max(panel.get("answered", 0) for panel in panels.values()) - await tab.run("window.before")
        slowest_ms, title = max((panel.get("ms", 0), panel["title"]) for panel in panels.values())
        refreshes.append(
            {
                "refresh_ms": round(answered_ms),
                "cpu_s": round(_cpu_s(processes) - cpu_s, 2),
                "slowest_panel_ms": slowest_ms,
                "slowest_panel": title,
            }
        )
    middle = sorted(refreshes, key=lambda one: one["refresh_ms"])[_REFRESHES // 2]
    return {"first_paint_ms": round(painted_ms), "drawn_ms": drawn_ms, **middle}


def _cpu_s(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _uids(dashboards: Path) -> list[str]:
    return sorted(path.stem for path in dashboards.glob("*.json"))


def make(client: Client, wanted: int) -> int:
    """As many events as are wanted, unless the database holds some; how many there are."""
    if not client.query_rows("SELECT count() FROM system.tables WHERE database = 'ent'")[0][0]:
        store(client, make_city())
        multiply(client, wanted)
        for family in ("usage", "app_usage"):
            for level in ("hour", "day"):  # as merges leave them: a minute after the last pass
                client.command(f"OPTIMIZE TABLE ent.{family}_by_{level} FINAL")
    return int(client.query_rows("SELECT count() FROM ent.events")[0][0])


async def _run(wanted: int, keep: Path | None, dashboards: Path) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ent-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        database = stack.enter_context(embedded_database(folder))
        events = make(client_of(database), wanted)
        migrate(client_of(database), "ent")
        print(f"{events} events", file=sys.stderr)
        source = Source(settings_of(database, reader=True))
        started = datetime.now(UTC)
        clock = Clock(lambda: NOW + (datetime.now(UTC) - started), simulated=True)
        runner, address = await serve(source.query, clock=clock, dashboards=dashboards)
        processes = [psutil.Process(), psutil.Process(database.pid)]
        found: dict[str, Any] = {"events": events}
        with running_chromium() as port:
            for uid in _uids(dashboards):
                async with open_tab(port) as tab:
                    found[uid] = await measure(tab, f"{address}/d/{uid}", processes)
                    print(uid, found[uid], file=sys.stderr)
        await runner.cleanup()
        await source.close()
        return found


def main() -> None:
    """Measure, and print or write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--keep", type=Path, help="where the database is, or is made, and stays")
    parser.add_argument("--dashboards", type=Path, default=DASHBOARDS, help="generated ones of another version")
    options = parser.parse_args()
    text = json.dumps(asyncio.run(_run(options.events, options.keep, options.dashboards)), ensure_ascii=False, indent=2)
    print(text)
    if options.report:
        options.report.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
