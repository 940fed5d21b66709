"""What is packaged: our four rooms whole and nothing else, under names that nobody else owns, from locked versions."""

import importlib
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "sinks", "grafana", "streams")
CARRIED = {".py", ".sql", ".csv", ".json", ".html", ".typed"}
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """Distribution -> version of a lock file."""
    return dict(_PIN.findall((ROOT / lock).read_text()))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names inside a wheel of this checkout, built offline with the locked hatchling."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, ROOT], check=True)
    (file,) = folder.glob("ent_telemetry-*.whl")
    return zipfile.ZipFile(file).namelist()


@pytest.mark.parametrize("room", ROOMS)
def test_our_names_are_ours(room: str) -> None:
    """The names are common words: no other distribution may own one, and what is imported is this checkout."""
    assert set(packages_distributions().get(room, [])) <= {"ent-telemetry"}
    module = importlib.import_module(room)
    assert module.__file__ is not None
    assert Path(module.__file__).parent == ROOT / room


def test_the_wheel_holds_the_rooms_and_nothing_else(wheel: list[str]) -> None:
    """No tests, no tools and no dependencies of the page travel with it."""
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(ROOMS)
    assert not [name for name in wheel if "node_modules" in name or "__pycache__" in name]


def test_the_wheel_holds_all_that_runs(wheel: list[str]) -> None:
    """Every module, migration, catalogue and dashboard, and the page where it was built."""
    there = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.suffix in CARRIED and not {"node_modules", "__pycache__", "viewer"} & set(path.parts)
    }
    there |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "grafana/viewer").glob("*.py")}
    there |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "grafana/viewer/web").rglob("*") if path.is_file()}
    assert {path.rsplit(".", 1)[1] for path in there} >= {"py", "sql", "csv"}
    assert there - set(wheel) == set()


def test_the_service_runs_on_its_own_lock() -> None:
    """The image installs requirements.lock alone: what is locked for tests and the demo must not be needed there."""
    beside = set(pins("requirements-dev.lock")) - set(pins("requirements.lock"))
    assert beside
    canonical = {
        name: re.sub(r"[-_.]+", "-", name).lower() for owners in packages_distributions().values() for name in owners
    }
    absent = sorted(
        package
        for package, owners in packages_distributions().items()
        if all(canonical[owner] in beside for owner in owners)
    )
    program = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"{{name}} is not in requirements.lock", name=name)
sys.meta_path.insert(0, Absent())
import streams.commands, streams.worker  # what the containers run, and what their commands import late
import streams.directory.loading, streams.simulator.simulation
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("lock", ["requirements.lock", "deploy/requirements-build.lock"])
def test_the_locks_agree(lock: str) -> None:
    """What the image installs is what the tests ran with, and every version has its hashes."""
    tested = pins("requirements-dev.lock")
    locked = pins(lock)
    assert locked
    assert {name: version for name, version in locked.items() if tested.get(name) != version} == {}
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / lock).read_text())
    assert [entry for entry in entries if _PIN.match(entry) and "--hash=sha256:" not in entry] == []


def test_the_build_lock_is_for_what_the_build_asks() -> None:
    """`[build-system]` names hatchling alone, and the lock has it."""
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert {re.split(r"[<>=!~]", need)[0] for need in requires} <= set(pins("deploy/requirements-build.lock"))
