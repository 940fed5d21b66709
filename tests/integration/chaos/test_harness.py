"""`ent chaos` itself, on a real Kafka: a short run is clean, and says so in the fields that were agreed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import need

SEED, FAULTS = 9, 6
FIELDS = ["runs", "kills", "faults", "lost", "double", "wrong_cells", "unbalanced", "recovery_p95_s"]


@pytest.mark.jvm
@pytest.mark.timeout(400)
def test_a_short_run_finds_nothing(tmp_path: Path) -> None:
    need("jvm")
    report = tmp_path / "chaos.json"
    options = ["--seed", str(SEED), "--faults", str(FAULTS), "--report", str(report), "--folder", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-m", "streams", "chaos", *options],
        cwd=Path(__file__).parents[3],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(report.read_text())
    assert list(found) == FIELDS
    assert found["runs"] == 1
    assert found["kills"] > 0
    assert sum(found["faults"].values()) == FAULTS
    assert found["recovery_p95_s"] > 0
    assert [found[name] for name in ("lost", "double", "wrong_cells", "unbalanced")] == [0, 0, 0, 0]
