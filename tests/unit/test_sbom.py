"""The bill of materials says what is locked, all of it and nothing else."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def test_every_locked_package_is_in_the_bill_with_its_hashes() -> None:
    done = subprocess.run([sys.executable, ROOT / "deploy/make_sbom.py"], capture_output=True, text=True, check=True)
    bill: dict[str, Any] = json.loads(done.stdout)
    lock = (ROOT / "requirements.lock").read_text()
    locked = set(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock, re.MULTILINE))
    assert len(locked) > 20
    assert {(each["name"], each["version"]) for each in bill["components"]} == locked
    assert sum(len(each["hashes"]) for each in bill["components"]) == lock.count("--hash=sha256:")
    assert all(each["hashes"] for each in bill["components"])
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
