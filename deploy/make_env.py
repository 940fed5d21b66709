#!/usr/bin/env python3
"""Draw the secrets that docker-compose.yml needs: passwords into .env, keys into deploy/secrets/.

Alertmanager's configuration is written there too, with the address of ALERT_WEBHOOK_URL in .env; it is written again
where the address or deploy/alertmanager/alertmanager.yml changed. Everything else that is there stays as it is, so this
may be run again: an `.env` keeps its passwords, and the event id key must never change, or every event without an id of
its own would be stored once more. Needs nothing but Python.
"""

from __future__ import annotations

import json
import re
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

PLACE_OF_WEBHOOK = "http://webhook.invalid/"
"""In deploy/alertmanager/alertmanager.yml, which is valid as it is."""

SECRET_FILES = ("pseudonym_key", "event_id_key", "grafana_admin_password")
NOBODY = """\
# Entries of platforms, as `ent token` prints them; the collector reads them within a second. This first one lets nobody
# in, for there is no token to it; take it out when there is another.
[[token]]
platform = "nobody"
sha256 = "%s"
schools = ["none"]
"""
"""A file of tokens must have an entry: an empty one would be a file that was cut off."""
_EMPTY = re.compile(r"^([A-Z][A-Z0-9_]*)=$", re.MULTILINE)


def make_env(example: Path, env: Path, folder: Path) -> list[str]:
    """Complete `env` after `example`, and the files in `folder`; what was made, a line each."""
    made = []
    if not env.exists():
        env.touch(mode=0o600)
        env.write_text(_EMPTY.sub(lambda found: f"{found[1]}={secrets.token_hex(24)}", example.read_text()))
        made.append(f"{env}: passwords drawn")
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    for name in SECRET_FILES:
        file = folder / name
        if not file.exists():
            file.write_text(secrets.token_hex(32))
            # Users of several numbers read it inside the containers; on this machine the folder keeps others out.
            file.chmod(0o444)
            made.append(f"{file}: drawn")
    for name, text in (("tokens.toml", NOBODY % secrets.token_hex(32)), ("bridge_authorization", "")):
        file = folder / name
        if not file.exists():
            file.write_text(text)
            file.chmod(0o644)
            made.append(f"{file}: to be filled in, where a collector or a bridge is started")
    return made


def write_alertmanager(template: Path, env: Path, written: Path) -> list[str]:
    """Write Alertmanager's configuration with the webhook that `env` names; what was done, in a line, if anything."""
    webhook = _variables(env).get("ALERT_WEBHOOK_URL", "")
    if not webhook:
        return []  # `missing` says so
    text = template.read_text().replace(PLACE_OF_WEBHOOK, json.dumps(webhook))
    if written.exists() and written.read_text() == text:
        return []
    written.unlink(missing_ok=True)
    written.write_text(text)
    written.chmod(0o444)
    return [f"{written}: written for {urlsplit(webhook).hostname}"]


def _variables(env: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in env.read_text().splitlines() if re.match(r"[A-Z][A-Z0-9_]*=", line))


def missing(example: Path, env: Path) -> list[str]:
    """Variables of `example` that `env` does not set, or leaves empty."""
    wanted = re.findall(r"^([A-Z][A-Z0-9_]*)=", example.read_text(), re.MULTILINE)
    given = _variables(env)
    return [name for name in wanted if not given.get(name)]


def main() -> int:
    """Work on the checkout that this script lies in, or on the folder named on the command line."""
    deploy = Path(__file__).resolve().parent
    example = deploy.parent / ".env.example"
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else deploy.parent
    (target / "deploy").mkdir(exist_ok=True)
    env = target / ".env"
    folder = target / "deploy" / "secrets"
    made = make_env(example, env, folder)
    made += write_alertmanager(deploy / "alertmanager" / "alertmanager.yml", env, folder / "alertmanager.yml")
    for line in made or ["nothing to do: .env and deploy/secrets/ are complete"]:
        print(line)
    unset = missing(example, env)
    if unset:
        sys.stderr.write(f"{env} lacks {', '.join(unset)}: give each a value (.env.example says what it is)\n")
    return 1 if unset else 0


if __name__ == "__main__":
    sys.exit(main())
