"""The page in a headless Chromium: real figures, nothing on the console, nothing asked of anyone else.

With ENT_SCREENSHOTS=docs/screenshots the pictures are kept there; they are looked at by people.
"""

from __future__ import annotations

import codecs
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from grafana.dashboards.inspection import boards_in
from grafana.viewer import Clock, Source, serve
from sinks.clickhouse.client import DatabaseSettings
from tests.database import client_of, embedded_database, settings_of
from tests.e2e.chromium import Tab, open_tab
from tests.grafana_seed import NOW, TODAY, City, app_label, store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

LAPTOP, PHONE = (1440, 900), (390, 844)
UNFOLD = "[...document.querySelectorAll('button')].find(b => b.textContent.startsWith('Tout déplier')).click()"


@asynccontextmanager
async def page(database: DatabaseSettings, published: DatabaseSettings | None = None) -> AsyncIterator[str]:
    """The address of a page over `database`, on a simulated clock that stands at the city's now and runs on."""
    started = datetime.now(UTC)
    source, other = Source(database), Source(published or database)
    runner, address = await serve(
        source.query,
        published=other.query if published else None,
        clock=Clock(lambda: NOW + (datetime.now(UTC) - started), simulated=True),
    )
    try:
        yield address
    finally:
        await runner.cleanup()
        await source.close()
        await other.close()


@pytest.fixture
async def address(city_database: DatabaseSettings) -> AsyncIterator[str]:
    async with page(city_database) as where:
        yield where


def assert_sound(tab: Tab, url: str) -> None:
    """Nothing on the console, nothing from elsewhere."""
    assert tab.console == []
    assert tab.foreign("{0.scheme}://{0.netloc}".format(urlsplit(url))) == []


async def drawn(tab: Tab) -> dict[str, dict[str, Any]]:
    """The panels, all of them drawn and without an error."""
    panels: dict[str, dict[str, Any]] = await tab.run("window.__dash.panels")
    assert await tab.run("window.__dash.errors") == []
    assert {panel["title"]: panel.get("error") for panel in panels.values() if panel.get("error")} == {}
    assert [panel["title"] for panel in panels.values() if not panel["drawn"]] == []
    return panels


def spaced(number: int) -> str:
    """1234 as the page writes it, with a narrow space."""
    return f"{number:,}".replace(",", "\u202f")


async def test_accueil_shows_the_figures_of_the_day(browser: int, address: str, city: City) -> None:
    today = [event for event in city.events if event.day == TODAY]
    logins = [event for event in today if event.type == "login"]
    visits = Counter(app_label(event.app) for event in today if event.type == "app_visit")
    async with open_tab(browser, *LAPTOP) as tab:
        await tab.open(f"{address}/d/ent-accueil?theme=light")
        await drawn(tab)
        text = await tab.run("document.body.innerText")
        assert spaced(len(logins)) in text
        assert spaced(len({event.user for event in logins})) in text
        assert spaced(visits.total()) in text
        assert spaced(visits.most_common(1)[0][1]) in text
        assert "Complet jusqu’à 20/11/2026 14:37" in text
        table = dict(zip(*await _columns(tab, "Écoles déployées", "École", "Connexions"), strict=True))
        first = Counter(uai for event in logins for uai in event.schools)
        assert table == {school.name: first[school.uai] for school in city.deployed}
        assert "dénominateur absent" in text
        assert "Silencieuse" in text
        assert_sound(tab, address)


async def _columns(tab: Tab, title: str, *names: str) -> list[list[Any]]:
    panel = await tab.panel(title)
    return [panel["cells"][panel["columns"].index(name)] for name in names]


async def test_adoption_shows_450_classes_in_21_schools(browser: int, address: str, city: City) -> None:
    async with open_tab(browser, *LAPTOP) as tab:
        await tab.open(f"{address}/d/ent-adoption?theme=light")
        await drawn(tab)
        grid = await tab.panel("Les classes dans le temps")
        assert (grid["classes"], grid["gridRows"], grid["gridColumns"]) == (450, 21, 4)
        await tab.run(UNFOLD)
        await tab.until("Object.values(window.__dash.panels).some(p => p.gridRows === 471)")
        first = TODAY - timedelta(weeks=4)
        people = {event.user for event in city.events if event.type == "login" and event.day >= first}
        assert spaced(len(people)) in await tab.run("document.body.innerText")
        bars = dict((await tab.panel("Applications les plus visitées"))["bars"])
        visits = Counter(app_label(e.app) for e in city.events if e.type == "app_visit" and e.day >= first)
        assert bars == dict(visits.most_common(15))
        marked = await tab.panel("Taux de connexion par semaine et par profil")
        assert marked["annotations"] == 2, "the running week and the break of the series"
        assert (await tab.panel("Connexions par jour et par profil"))["annotations"] == 1
        assert_sound(tab, address)


async def test_the_simulated_clock_is_told_and_is_the_now_of_relative_periods(browser: int, address: str) -> None:
    async with open_tab(browser, *LAPTOP) as tab:
        await tab.open(f"{address}/d/ent-adoption")
        said = await tab.run("document.querySelector('.ent-notice').textContent")
        assert said.startswith("Démonstration : horloge simulée, il est 20/11 14:3")
        now = await tab.run("Date.now()")
        assert abs(now / 1000 - NOW.timestamp()) < 300, "the pages of slow machines are looked at later"
        daily = await tab.panel("Connexions par jour et par profil")
        assert len(daily["lines"][0]["values"]) == 29


async def test_links_keep_the_page_and_choose_the_school(browser: int, address: str, city: City) -> None:
    async with open_tab(browser, *LAPTOP) as tab:
        await tab.open(f"{address}/d/ent-accueil")
        await tab.run("window.sameLoad = true")
        await tab.run("[...document.querySelectorAll('a')].find(a => a.textContent === 'École Le Canal').click()")
        await tab.until("window.__dash.dashboard.uid === 'ent-ecole' && window.__dash.ready")
        chosen = next(school for school in city.schools if school.name == "École Le Canal")
        assert (await tab.run("window.__dash.variables()"))["ecole"]["value"] == chosen.uai
        assert (await tab.panel("Les classes, jour par jour"))["classes"] == sum(
            uai == chosen.uai for uai, _ in city.classes.values()
        )
        assert await tab.run("window.sameLoad") is True
        assert_sound(tab, address)


async def test_the_classes_can_be_walked_through_by_keyboard(browser: int, address: str) -> None:
    async with open_tab(browser, *LAPTOP) as tab:
        await tab.open(f"{address}/d/ent-adoption")
        await tab.run("document.querySelector('.ent-scroll').focus()")
        await tab.press("Enter")
        await tab.until("Object.values(window.__dash.panels).some(p => p.gridRows > 21)")
        for key in ("ArrowDown", "ArrowRight"):
            await tab.press(key)
        spoken = await tab.run("document.querySelector('.ent-scroll [role=gridcell]').textContent")
        assert spoken.startswith("École Jean-Zay, CP A, lundi 26 octobre : ")
        await tab.press("Escape")
        assert await tab.run("document.querySelector('.ent-scroll [role=gridcell]')") is None


async def test_a_table_is_downloaded_as_a_french_spreadsheet_opens_it(browser: int, address: str) -> None:
    async with open_tab(browser, *LAPTOP) as tab:
        await tab.open(f"{address}/d/ent-accueil")
        await tab.run("URL.createObjectURL = blob => { window.saved = blob; return 'blob:none'; }")
        await tab.run("HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download; }")
        await tab.run(
            "document.querySelector('[data-type=table] button[aria-label*=\"Menu\"]')"
            ".dispatchEvent(new PointerEvent('click', { bubbles: true }))"
        )
        await tab.until("[...document.querySelectorAll('[role=menuitem]')].some(i => i.textContent.includes('CSV'))")
        await tab.run(
            "[...document.querySelectorAll('[role=menuitem]')].find(i => i.textContent.includes('CSV'))"
            ".dispatchEvent(new MouseEvent('click', { bubbles: true }))"
        )
        await tab.until("window.saved")
        lines = (await tab.run("window.saved.text()")).split("\r\n")
        begin = await tab.run("window.saved.arrayBuffer().then(bytes => [...new Uint8Array(bytes.slice(0, 3))])")
    assert bytes(begin) == codecs.BOM_UTF8
    assert lines[0] == "École;Pôle;EP;Connexions;Personnes;Taux de connexion;Évolution;État"
    assert lines[1].startswith("École Le Rempart;Pôle Centre;")
    assert len(lines) == 22


async def test_a_dashboard_prints_without_its_controls(browser: int, address: str) -> None:
    async with open_tab(browser, *LAPTOP) as tab:
        await tab.open(f"{address}/d/ent-accueil?theme=light")
        await tab.call("Emulation.setEmulatedMedia", media="print")
        assert await tab.run("getComputedStyle(document.querySelector('.ent-acts')).display") == "none"
        printed = await tab.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        assert len(printed["data"]) > 50_000


OF_ALERTS = {"ent-accueil", "ent-alertes"}


async def test_without_any_data_every_panel_says_so(browser: int, tmp_path: Path) -> None:
    """That there are no alerts is known even then: those panels say 0, or that nothing was judged."""
    with embedded_database(tmp_path) as database:
        store(client_of(database), None)
        async with page(settings_of(database, reader=True)) as address, open_tab(browser, *LAPTOP) as tab:
            for uid in sorted(board["uid"] for board in boards_in() if board["uid"] != "ent-collecte"):
                await tab.open(f"{address}/d/{uid}")
                panels = await tab.run("window.__dash.panels")
                silent = await tab.run("document.querySelectorAll('.ent-empty').length")
                told = [panel["values"] for panel in panels.values() if panel["type"] == "stat" and panel["drawn"]]
                figures = {value["text"] for values in told for value in values}
                assert figures <= ({"0", "rien de jugé", "Aucune donnée"} if uid in OF_ALERTS else set()), uid
                assert silent + len(told) == sum(panel["type"] != "text" for panel in panels.values()), uid
                assert [panel["error"] for panel in panels.values() if panel.get("error")] == []
            assert_sound(tab, address)


async def test_a_database_that_is_away_is_told_in_every_panel_and_the_page_recovers(
    browser: int, tmp_path: Path
) -> None:
    with embedded_database(tmp_path) as database:
        store(client_of(database), None)
        async with page(settings_of(database, reader=True)) as address, open_tab(browser, *LAPTOP) as tab:
            database.kill()
            await tab.call("Page.navigate", url=f"{address}/d/ent-accueil")
            await tab.until("window.__dash && window.__dash.ready")
            panels = await tab.run("window.__dash.panels")
            errors = {panel.get("error") for panel in panels.values() if panel["type"] != "text"}
            assert errors == {"error querying the database: the database did not answer"}
            database.start()
            await tab.open(f"{address}/d/ent-accueil")
            assert [p["error"] for p in (await tab.run("window.__dash.panels")).values() if p.get("error")] == []


@pytest.mark.timeout(400)
async def test_the_reading_is_chosen_and_told_and_what_is_reserved_says_so(
    browser: int, city_database: DatabaseSettings, published: DatabaseSettings
) -> None:
    async with page(city_database, published) as address, open_tab(browser, *LAPTOP) as tab:
        await tab.open(f"{address}/d/ent-accueil")
        assert "Chiffres exacts, réservés aux agents habilités." in await tab.run("document.body.innerText")
        assert "réservé" not in await tab.run("[...document.querySelectorAll('.ent-empty')].map(e => e.innerText)")
        await tab.open(f"{address}/d/ent-accueil?var-ds=ent-publie")
        assert [p["error"] for p in (await tab.run("window.__dash.panels")).values() if p.get("error")] == []
        text = await tab.run("document.body.innerText")
        assert "Chiffres publiés, arrondis à un multiple de 5. Une case vide : moins de" in text
        assert "Masquée" in text
        empty = await tab.run("[...document.querySelectorAll('.ent-empty')].map(e => e.innerText)")
        assert empty == ["réservé", "réservé"], "alerts and refusals"
        (people,) = (await tab.panel("Actifs du jour"))["values"]
        assert int("".join(filter(str.isdigit, people["text"]))) % 5 == 0
        await tab.open(f"{address}/d/ent-collecte?var-ds=ent-publie")
        assert await tab.run("window.__dash.variables().ds.value") == "ent-clickhouse", "operators read exact figures"
        assert_sound(tab, address)


async def test_the_first_page_lists_the_dashboards_and_the_clock(browser: int, address: str) -> None:
    async with open_tab(browser, *LAPTOP) as tab:
        await tab.open(address)
        links = await tab.run("[...document.querySelectorAll('.ent-home a')].map(a => [a.textContent, a.pathname])")
        assert {path for _, path in links} >= {"/d/ent-accueil", "/d/ent-adoption"}
        assert "horloge simulée" in await tab.run("document.body.innerText")
        assert_sound(tab, address)


async def test_a_dashboard_that_is_not_there_is_told(browser: int, address: str) -> None:
    async with open_tab(browser, *LAPTOP) as tab:
        await tab.open(f"{address}/d/none")
        assert "Ce tableau de bord n’existe pas." in await tab.run("document.querySelector('[role=alert]').innerText")


@pytest.mark.parametrize(("device", "size", "theme"), [("portable", LAPTOP, "dark"), ("telephone", PHONE, "light")])
@pytest.mark.parametrize("uid", sorted(board["uid"] for board in boards_in()))
async def test_every_dashboard_fits_laptop_and_phone_in_light_and_dark(
    browser: int, address: str, uid: str, device: str, size: tuple[int, int], theme: str
) -> None:
    async with open_tab(browser, *size) as tab:
        await tab.open(f"{address}/d/{uid}?theme={theme}")
        await drawn(tab)
        assert await tab.run("document.documentElement.dataset.theme") == theme
        assert await tab.run("document.documentElement.scrollWidth <= innerWidth")
        if kept := os.environ.get("ENT_SCREENSHOTS"):
            name = f"{uid.removeprefix('ent-')}-{device}-{'clair' if theme == 'light' else 'sombre'}.png"
            picture = await tab.picture()
            (Path(kept) / name).write_bytes(picture)
            assert len(picture) < 500_000, f"{name} is too big to be kept in the repository"
        assert_sound(tab, address)
