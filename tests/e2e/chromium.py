"""A headless Chromium of our own, driven over the DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.requirements import chromium

_START_S = 30.0
_DRAWN_S = 40.0
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync", "--hide-scrollbars",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--lang=fr-FR",
    "--accept-lang=fr-FR", "--remote-debugging-port=0",
)  # fmt: skip


@contextmanager
def running_chromium() -> Iterator[int]:
    """A browser with a profile of its own; gives the port of its protocol."""
    program = chromium()
    assert program is not None
    profile = Path(tempfile.mkdtemp(prefix="ent-chromium-"))
    process = subprocess.Popen(
        [program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _port(profile / "DevToolsActivePort", process)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(profile, ignore_errors=True)


def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    limit = time.monotonic() + _START_S
    while time.monotonic() < limit:
        assert process.poll() is None, "Chromium ended at once"
        if file.exists() and (lines := file.read_text().split()):
            return int(lines[0])
        time.sleep(0.05)
    raise AssertionError(f"Chromium was not ready within {_START_S:g} s")


class Tab:
    """One page. Everything that it says on its console and every address that it asks are kept."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.console: list[str] = []
        self.requests: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Run a command of the protocol and return its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = json.loads((await self._socket.receive()).data)
            self._keep(message)
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return dict(message["result"])

    async def run(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    async def size(self, width: int, height: int) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    async def open(self, url: str) -> Self:
        """Go to `url` and wait until the page says that everything is drawn."""
        await self.call("Page.navigate", url=url)
        await self.until("window.__dash && (window.__dash.ready || window.__dash.errors.length > 0)")
        return self

    async def until(self, condition: str, timeout_s: float = _DRAWN_S) -> None:
        """Wait until a JavaScript condition holds."""
        limit = time.monotonic() + timeout_s
        while time.monotonic() < limit:
            if await self.run(f"Boolean({condition})"):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{condition} did not come true; the page says {await self.run('window.__dash')}")

    async def panel(self, title: str) -> dict[str, Any]:
        """What the page drew in the panel of this title."""
        panels: dict[str, dict[str, Any]] = await self.run("window.__dash.panels")
        (found,) = (panel for panel in panels.values() if panel["title"] == title)
        return found

    async def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **text)

    async def picture(self) -> bytes:
        """The whole page, however long, as PNG."""
        width, height = await self.run("[innerWidth, document.documentElement.scrollHeight]")
        await self.size(width, height)
        await asyncio.sleep(1.0)  # charts redraw themselves for their new room
        shot = await self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(shot["data"])

    def foreign(self, origin: str) -> list[str]:
        """Addresses of other origins that the page asked."""
        return [url for url in self.requests if not url.startswith((origin, "data:", "blob:", "about:"))]

    def _keep(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message.get("method") == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            said = (str(argument.get("value", argument.get("description", ""))) for argument in parameters["args"])
            self.console.append(" ".join(said))
        if message.get("method") == "Runtime.exceptionThrown":
            self.console.append(str(parameters["exceptionDetails"]))
        if message.get("method") == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.console.append(str(parameters["entry"]))
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])


@asynccontextmanager
async def open_tab(port: int, width: int = 1440, height: int = 900) -> AsyncIterator[Tab]:
    """A new page in the browser on `port`, in French and in Paris; closed in the end."""
    async with aiohttp.ClientSession() as session:
        async with session.put(f"http://127.0.0.1:{port}/json/new?about:blank") as answer:
            target = await answer.json()
        async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            tab = Tab(socket)
            for domain in ("Runtime", "Page", "Network", "Log"):
                await tab.call(f"{domain}.enable")
            await tab.call("Emulation.setFocusEmulationEnabled", enabled=True)
            await tab.call("Emulation.setLocaleOverride", locale="fr-FR")
            await tab.call("Emulation.setTimezoneOverride", timezoneId="Europe/Paris")
            await tab.size(width, height)
            try:
                yield tab
            finally:
                await session.put(f"http://127.0.0.1:{port}/json/close/{target['id']}")
