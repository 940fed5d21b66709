"""Examples of commands, shown at the end of its help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import typer

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "demo": ("ent demo", "ent demo --for 60 --report report.json"),
    "worker": ("ENT_KAFKA__INSTANCE=worker-1 ent worker",),
    "collect": ("ENT_COLLECTOR__TOKENS_FILE=tokens.toml ent collect",),
    "token": ("ent token one-villefictive --school 0689901T --school 0689902U >> tokens.toml",),
    "database": ("ent database",),
    "migrate": ("ent migrate", "ent migrate --check --json"),
    "topics": ("ent topics", "ent topics --check --json"),
    "ledger explain": ("ent ledger explain", "ent ledger explain --topic ent.login.v1 --duplicates"),
    "ledger freeze": ("ent ledger freeze",),
    "access plan": ("ent access plan audiences.toml --passwords passwords",),
    "access apply": ("ent access apply audiences.toml --passwords passwords",),
    "access grafana": ("ent access grafana audiences.toml --into grafana/provisioning",),
    "alerts list": ("ent alerts list",),
    "alerts show": ("ent alerts show 4f1c",),
    "alerts ack": ("ent alerts ack 4f1c --note 'the school has been called'",),
    "alerts mute": ("ent alerts mute 0689901T --hours 48",),
    "alerts label": ("ent alerts label fermeture --alert 4f1c",),
    "alerts explain": ("ent alerts explain 0689901T 2026-11-24T10:30",),
    "alerts backtest": ("ent alerts backtest --check", "ent alerts backtest --series logins.csv --labels known.csv"),
    "calendar show": ("ent calendar show", "ent calendar show 0689901T --from 2026-12-14 --days 14"),
    "calendar check": ("ent calendar check", "ent calendar check --timetables timetables.csv"),
    "calendar load": ("ent calendar load --timetables timetables.csv --preview",),
    "calendar declare": ("ent calendar declare 0689901T --from 2026-12-01 --to 2026-12-01 --reason greve",),
    "pauses list": ("ent pauses list",),
    "privacy check": ("ent privacy check",),
    "privacy apply": ("ent privacy apply",),
    "privacy erase": ("ent privacy erase --user-from-stdin < person.txt",),
    "decode": ("ent decode feed.ndjson", "zcat feed.ndjson.gz | ent decode - --format caliper"),
    "simulate": ("ent simulate --help",),
    "smoke": ("docker compose logs grafana | ent smoke --password-file deploy/secrets/grafana_admin_password",),
    "backfill": ("ent backfill 2025-09.ndjson.zst 2025-10.ndjson.zst",),
    "publish": ("ent publish",),
    "chaos": ("ent chaos --help",),
    "doctor": ("ent doctor", "ent doctor --grafana http://localhost:3000 --json"),
    "status": ("ent status --watch", "ent status --json"),
    "backup": ("ent backup ent-2026-11-22",),
    "restore": ("ent restore ent-2026-11-22",),
    "bridge entcore": (
        "ENT_BRIDGE__URL=https://ent.example ENT_BRIDGE__AUTHORIZATION_FILE=/run/secrets/entcore ent bridge entcore",
        "ent bridge entcore --once",
    ),
    "directory check": ("ent directory check mulhouse",),
    "directory preview": ("ent directory preview mulhouse",),
    "directory load": ("ent directory load mulhouse", "ent directory load mulhouse --max-loss 0.2"),
    "directory import": (
        "ent directory import mulhouse --annuaire annuaire.csv --ips ips.csv --commune Mulhouse --write",
        "ent directory import mulhouse --aaf aaf-2026-09-01 --whole --as-of 2026-09-01",
    ),
    "directory reenrich": ("ent directory reenrich --since 2026-09-01 --dry-run",),
    "dashboards build": ("ent dashboards build",),
    "dashboards check": ("ent dashboards check",),
    "dashboards mark": ("ent dashboards mark 'Nouvelle version' --from 2026-12-01",),
    "dashboards marks": ("ent dashboards marks",),
    "dead-letters list": ("ent dead-letters list --json",),
    "dead-letters show": ("ent dead-letters show ent.login.v1/2864434397/0/4711",),
    "dead-letters stats": ("ent dead-letters stats",),
    "dead-letters replay": (
        "ent dead-letters replay --reason future --dry-run",
        "ent dead-letters replay --school 0689901T",
    ),
    "pauses resume": ("ent pauses resume ent.login.v1 0",),
}
"""By the words of the command."""


def attach_examples(app: typer.Typer, words: tuple[str, ...] = ()) -> None:
    """Show each command's examples at the end of its help; a command without any stays as it is."""
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__.replace("_", "-") if command.callback else "")
        told = EXAMPLES.get(" ".join((*words, name)))
        if told:
            command.epilog = "\n\n".join(["Examples:", *told])
    for group in app.registered_groups:
        if group.typer_instance is not None:
            attach_examples(group.typer_instance, (*words, str(group.name)))
