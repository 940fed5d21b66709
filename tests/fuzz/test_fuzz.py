"""The short form of the differential fuzzer, and the proof that it can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from schemas.decode import form as engine
from schemas.decode import plain, screen
from schemas.decode.columns import Branch, Column
from schemas.decode.form import Form
from schemas.formats import canonical, door, translated
from schemas.formats.entcore import documents
from tests.fuzz.compare import KEY, MODES, run
from tests.fuzz.generate import Generator
from tests.fuzz.mutate import Mutator

SEED = 20261122
FOUND_WITHIN = 40_000


@pytest.mark.parametrize("mode", MODES)
def test_the_fast_form_answers_as_the_models_alone(mode: str) -> None:
    """Ten seconds of bent records: same rows, values, refusals, texts and drops."""
    tally = run(mode, SEED, seconds=10)
    assert not tally.disagreements, str(tally)
    assert tally.accepted > tally.records / 10, "mutations that leave nothing valid prove nothing"
    assert tally.slow < tally.records, "if every record met pydantic, nothing was compared"


@pytest.mark.parametrize("mode", MODES)
def test_every_mutation_runs_and_every_refusal_kind_comes_up(mode: str) -> None:
    """The fuzzer reaches what it is for: each way of bending, and more than a handful of outcomes."""
    mutator = Mutator(SEED, mode)
    names = {part for _ in range(4000) for part in mutator.record()[0].split("+")}
    assert {"typed", "add", "borrow", "twice", "byte", "flip", "cut", "join", "order", "none"} <= names


Patch = Callable[[pytest.MonkeyPatch], None]


def _edited(branch: Branch, edit: Callable[[Column], Column]) -> Branch:
    leaves = tuple(edit(leaf) for leaf in branch.leaves)
    return replace(branch, leaves=leaves, branches=tuple(_edited(inner, edit) for inner in branch.branches))


def _with(form: Form, edit: Callable[[Column], Column]) -> Patch:
    """The form with another opinion of its columns, and nothing else changed."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        root = _edited(form._root, edit)
        monkeypatch.setattr(form, "_root", root)
        monkeypatch.setattr(form, "_columns", tuple(root.columns()))
        monkeypatch.setattr(form, "_plan", form._planned)
        if form._payload:
            monkeypatch.setattr(form, "_payload", _edited(form._payload, edit))

    return patch


def _unmasked(form: Form, *names: str) -> Patch:
    def edit(column: Column) -> Column:
        return replace(column, kind=replace(column.kind, masks=())) if column.name in names else column

    return _with(form, edit)


def _not_required(form: Form, name: str) -> Patch:
    return _with(form, lambda column: replace(column, required=False) if column.name == name else column)


def _of_everyone(form: Form, name: str) -> Patch:
    return _with(form, lambda column: replace(column, owners=None) if column.name == name else column)


def _unruled(form: Form) -> Patch:
    """The form without its models' validators."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(form, "_rules", [])
        monkeypatch.setattr(form, "_plan", form._planned)

    return patch


def _set(target: object, name: str, value: object) -> Patch:
    return lambda monkeypatch: monkeypatch.setattr(target, name, value)


_instants = plain.instants


_texts = engine._texts


def _filled(leaf: Column, attributes: list[dict[str, bytes]]) -> pl.Series:
    return _texts(leaf, attributes).fill_null("1.0")


CANONICAL, ENTCORE = canonical.FORM, documents.FORM
BROKEN: dict[str, tuple[str, Patch]] = {
    "nothing looks inside ignored fields": ("canonical", _set(engine, "hidden_faults", lambda _: [])),
    "deep nesting unseen": ("canonical", _set(screen, "DEEPEST", 100_000)),
    "long records trusted": ("canonical", _set(screen, "LONGEST_BYTES", 10**9)),
    "a UAI of any spelling": ("canonical", _unmasked(CANONICAL, "data.uai")),
    "an id of any length": ("canonical", _unmasked(CANONICAL, "id")),
    "a source of any length": ("canonical", _unmasked(CANONICAL, "source")),
    "a user of any length": ("canonical", _unmasked(CANONICAL, "data.user")),
    "a kind of any spelling": ("canonical", _unmasked(CANONICAL, "data.kind")),
    "a class of any spelling": ("canonical", _unmasked(CANONICAL, "data.classes")),
    "any year": ("canonical", _unmasked(CANONICAL, "time")),
    "microseconds lost": ("canonical", _set(plain, "instants", lambda text: _instants(text).dt.truncate("1ms"))),
    "a profile not required": ("canonical", _not_required(CANONICAL, "data.profile")),
    "an application not required": ("canonical", _not_required(CANONICAL, "data.app")),
    "a stage on every type": ("canonical", _of_everyone(CANONICAL, "data.stage")),
    "no school": ("canonical", _unruled(CANONICAL)),
    "headers of any length": ("binary", _unmasked(CANONICAL, "id", "source")),
    "headers missing": ("binary", _set(engine, "_texts", _filled)),
    "a document's school unasked": ("entcore", _unruled(ENTCORE)),
    "a module of any spelling": ("entcore", _unmasked(ENTCORE, "module")),
    "a user id of any length": ("entcore", _unmasked(ENTCORE, "user")),
    "any $date": ("entcore", _unmasked(ENTCORE, "time")),
    "nothing looks inside ignored fields of an event": ("caliper", _set(translated, "hidden_faults", lambda _: [])),
    "any user of a statement": ("xapi", _unmasked(CANONICAL, "data.user")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_form_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each planted fault that would accept too much shows up as a disagreement."""
    mode, patch = BROKEN[name]
    patch(monkeypatch)
    assert _any_disagreement(mode), f"{FOUND_WITHIN} records did not show it"


def _any_disagreement(mode: str) -> bool:
    size = 4000
    return any(run(mode, SEED + n, records=size).disagreements for n in range(FOUND_WITHIN // size))


def test_clean_records_never_meet_pydantic() -> None:
    """What platforms plainly send takes the fast path, or the speed would be for nothing."""
    for mode in MODES:
        assert sum(_slow(mode, seed) for seed in range(3)) == 0, mode


def _slow(mode: str, seed: int) -> int:
    generator = Generator(seed)
    if mode == "binary":
        both = [generator.binary(invalid=0) for _ in range(1000)]
        return door.decode([value for _, value in both], [headers for headers, _ in both], KEY).slow
    return door.decode([getattr(generator, mode)(0) for _ in range(1000)], None, KEY).slow
