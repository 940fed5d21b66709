"""`ent chaos`: faults in real processes, and every figure compared with the truth afterwards."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from streams.chaos.plan import Part


def chaos(
    runs: Annotated[int, typer.Option(min=1, help="How many runs; run i has the seed S + i.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="S, the seed of the first run.")] = 1,
    report: Annotated[Path | None, typer.Option(help="Write the summary as JSON.")] = None,
    faults: Annotated[int, typer.Option(min=1, help="Faults of a run.")] = 36,
    away: Annotated[Part | None, typer.Option(help="One long outage under full input, in place of the faults.")] = None,
    away_s: Annotated[float, typer.Option(help="How long that outage is.")] = 600.0,
    plan_only: Annotated[bool, typer.Option("--plan", help="Print what would be done, and end.")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Keep logs and data of the runs here; otherwise only failed ones are kept.")
    ] = None,
) -> None:
    """Kill, stop and starve real workers, brokers and databases, then compare every cell and the ledger with the truth.

    Each run starts Apache Kafka (Java and Maven are needed), the embedded database and one to three workers. A run that
    found something prints its seed: `ent chaos --runs 1 --seed THAT` does the same again. Exit 1 if anything was wrong.
    """
    # Here, and not above: what it needs beside the service (chdb, confluent-kafka) is not installed everywhere.
    from streams.chaos.plan import draw_plan, plan_outage
    from streams.chaos.report import describe, summarize
    from streams.chaos.trial import play

    seeds = range(seed, seed + runs)
    plans = [draw_plan(number, faults) if away is None else plan_outage(number, away, away_s) for number in seeds]
    if plan_only:
        for plan in plans:
            typer.echo("\n".join(plan.lines()))
        return
    home = folder or Path(tempfile.mkdtemp(prefix="ent-chaos-"))
    outcomes = []
    for plan in plans:
        for line in plan.lines():
            _say(line)
        place = home / f"seed-{plan.seed}"
        place.mkdir(parents=True)
        outcome = play(plan, place, _say)
        outcomes.append(outcome)
        if report is not None:  # after each run: one that is interrupted has told what it knew
            report.write_text(json.dumps(summarize(outcomes), indent=2) + "\n")
        for line in describe(outcome):
            _say(line)
        if outcome.findings.clean and folder is None:
            shutil.rmtree(place)
    typer.echo(json.dumps(summarize(outcomes), indent=2))
    failed = [outcome.seed for outcome in outcomes if not outcome.findings.clean]
    if failed:
        _say(f"wrong: seeds {failed}; their logs and data are in {home}. Again: ent chaos --runs 1 --seed {failed[0]}")
        raise typer.Exit(1)
    if folder is None:
        shutil.rmtree(home)


def _say(text: str) -> None:
    typer.echo(text, err=True)
