"""`ent demo`: the whole service on this machine, with a simulated Mulhouse."""

from __future__ import annotations

import json
import signal
import tempfile
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class BrokerKind(StrEnum):
    """Which Kafka the demonstration runs."""

    EMBEDDED = "embedded"
    JVM = "jvm"


def demo(
    live_s: Annotated[
        float | None,
        typer.Option("--for", help="End after so many live seconds, in a temporary folder, with faults switched on."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write what was found as JSON.")] = None,
    folder: Annotated[Path, typer.Option(help="Where it keeps its files between starts.")] = Path(".ent-demo"),
    broker: Annotated[
        BrokerKind, typer.Option(help="embedded: in this process; jvm: a real Apache Kafka (Java).")
    ] = BrokerKind.EMBEDDED,
    port: Annotated[int, typer.Option(help="Port of the page on 127.0.0.1.")] = 8080,
    seed: Annotated[int, typer.Option(help="Another seed, another Mulhouse.")] = 68,
    scale: Annotated[float, typer.Option(help="1: about 25 000 events a school day.")] = 1.0,
    webhook: Annotated[str | None, typer.Option(help="Address that is sent the alerts as JSON.")] = None,
    page: Annotated[bool, typer.Option(help="Show the dashboards.")] = True,
) -> None:
    """Run broker, database, worker, a simulated Mulhouse and the page with the dashboards; Ctrl-C ends it cleanly.

    It shows a school morning whatever day it is: its clock is simulated, and the page says so. With --for it ends by
    itself and reports: produced, consumed, stored, duplicates, rejected, dropped, whether the ledger is balanced and
    whether every window equals the simulator's own truth.
    """
    # Here, and not above: what it needs beside the service (chdb, confluent-kafka) is not installed everywhere.
    from streams.demo.play import Script, play
    from streams.demo.scene import DemoError, Place
    from streams.simulator.faults import Faults
    from streams.simulator.mulhouse import EXAMPLE

    script = Script(
        Place(folder),
        EXAMPLE,
        seed=seed,
        scale=scale,
        jvm=broker is BrokerKind.JVM,
        page_port=port if page else None,
        webhook=webhook,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped by a manager as by Ctrl-C
    try:
        if live_s is None:
            found = play(script, _say)
        else:
            with tempfile.TemporaryDirectory(prefix="ent-demo-") as temporary:
                found = play(replace(script, place=Place(Path(temporary)), live_s=live_s, faults=Faults.lively()), _say)
    except KeyboardInterrupt:
        _say("stopped")
        return
    except DemoError as error:
        typer.echo(f"ent: {error}", err=True)
        raise typer.Exit(2) from None
    _tell(found, report)


def _tell(found: dict[str, Any], report: Path | None) -> None:
    text = json.dumps(found, indent=2, ensure_ascii=False)
    typer.echo(text)
    if report is not None:
        report.write_text(text + "\n")
    if not (found["ledger_balanced"] and found["windows_equal_truth"]):
        raise typer.Exit(1)


def _say(text: str) -> None:
    typer.echo(text, err=True)
