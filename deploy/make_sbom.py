#!/usr/bin/env python3
"""Print a bill of materials (CycloneDX 1.6, JSON) of what the image installs, from requirements.lock.

Needs nothing but Python: `python3 deploy/make_sbom.py > sbom.json`.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\\n]+?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def components(lock: str) -> list[dict[str, Any]]:
    """Every locked package, with the hashes of the files that may be installed for it."""
    found: list[dict[str, Any]] = []
    for line in lock.splitlines():
        package = _PACKAGE.match(line)
        if package:
            name, version, condition = package.groups()
            found.append(
                {
                    "type": "library",
                    "name": name,
                    "version": version,
                    "purl": f"pkg:pypi/{name.lower()}@{version}",
                    "properties": [{"name": "ent:condition", "value": condition}] if condition else [],
                    "hashes": [],
                }
            )
        elif found:
            found[-1]["hashes"] += [{"alg": "SHA-256", "content": digest} for digest in _HASH.findall(line)]
    return found


def bill(root: Path = ROOT) -> dict[str, Any]:
    """The document."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": project["name"], "version": project["version"]},
        },
        "components": components((root / "requirements.lock").read_text()),
    }


if __name__ == "__main__":
    json.dump(bill(), sys.stdout, indent=1)
    sys.stdout.write("\n")
