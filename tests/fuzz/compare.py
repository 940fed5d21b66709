"""The differential test: what the door answers beside what the models alone answer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.formats import Decoded, Headers, decode
from schemas.formats.door import decode_by_the_law
from schemas.pseudonym import Key
from tests.fuzz.mutate import Mutator

MODES = ("canonical", "binary", "entcore", "caliper", "xapi")
KEY = Key(bytes(range(32)))


@dataclass
class Tally:
    """What a run of the fuzzer came to."""

    records: int = 0
    accepted: int = 0
    slow: int = 0
    disagreements: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: dict[tuple[str, str], str] = field(default_factory=dict)

    def __str__(self) -> str:
        fast = self.records - self.slow
        told = (f"{self.records} records", f"{self.accepted} accepted by the law", f"{fast} never met pydantic")
        lines = [", ".join((*told, f"{self.disagreements.total()} disagreements"))]
        lines += [f"{n} x {kind}: {self.samples[kind]}" for kind, n in self.disagreements.most_common(20)]
        return "\n".join(lines)


def differences(
    records: Sequence[bytes], headers: Sequence[Headers | None] | None, only: str | None
) -> tuple[list[tuple[int, object, object]], Decoded, int]:
    """(index, ours, the law's) wherever they differ; the law's whole answer; how many records pydantic saw."""
    ours, law = decode(records, headers, KEY, only=only), decode_by_the_law(records, headers, KEY, only=only)
    if ours.frame.schema != law.frame.schema:
        return [(0, ours.frame.schema, law.frame.schema)], law, ours.slow
    if ours.frame.equals(law.frame) and ours.refusals == law.refusals and ours.drops == law.drops:
        return [], law, ours.slow
    a, b = _by_index(ours), _by_index(law)
    return [(i, a.get(i), b.get(i)) for i in range(len(records)) if a.get(i) != b.get(i)], law, ours.slow


def run(mode: str, seed: int, *, records: int | None = None, seconds: float | None = None, size: int = 500) -> Tally:
    """Fuzz until so many records were tried or so much time has passed."""
    mutator = Mutator(seed, mode)
    tally = Tally()
    end = None if seconds is None else time.monotonic() + seconds
    while (records is None or tally.records < records) and (end is None or time.monotonic() < end):
        made = [mutator.record() for _ in range(size)]
        headers = [one[1] for one in made] if mode == "binary" else None
        only = (None, None, "canonical" if mode == "binary" else mode)[mutator.rng.randrange(3)]
        wrong, law, slow = differences([one[2] for one in made], headers, only)
        tally.records += size
        tally.accepted += law.frame.height
        tally.slow += slow
        for index, ours, theirs in wrong:
            kind = (made[index][0], type(theirs).__name__)
            tally.disagreements[kind] += 1
            tally.samples.setdefault(kind, f"{made[index][1:]!r:.900}\n   ours {ours!r}\n   law  {theirs!r}")
    return tally


def _by_index(answer: Decoded) -> dict[int, object]:
    rows: dict[int, object] = {row[0]: row for row in answer.frame.rows()}
    return rows | {refusal.index: refusal for refusal in answer.refusals} | dict(answer.drops)
