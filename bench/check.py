"""Whether the path became dearer: its cost beside that of decoding alone, in one run, against the committed ratios.

    python -m bench.check [--events 500000] [--write]

Exits 1 where an event of the full path costs over 15 % more, in decodings of the same events, than `bench/ratios.json`
says. Decoding is measured before and after the path in this process, so that a slower machine slows both. --write
commits what was measured: after a change that was meant, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as in the worker; polars reads it at import

from bench.backlog import events, run
from schemas.formats import decode
from schemas.pseudonym import Key

RATIOS = Path(__file__).with_name("ratios.json")
_ALLOWED = 1.15
_RECORDS = 60_000
_LOAD = 20_000
_ROUNDS = 5


def decoding_us() -> float:
    """CPU of decoding one of the backlog's events in full loads, in microseconds: the best of some rounds."""
    records = [value for _, _, value, _ in events(_RECORDS)]
    key = Key(bytes(range(32)))
    best_s = float("inf")
    for _ in range(_ROUNDS):
        start_s = time.process_time()
        for first in range(0, _RECORDS, _LOAD):
            decode(records[first : first + _LOAD], None, key)
        best_s = min(best_s, time.process_time() - start_s)
    return best_s / _RECORDS * 1e6


def ratios(count: int) -> dict[str, float]:
    """What an event costs, in decodings: of the worker, and of the worker with the database."""
    before_us = decoding_us()
    with tempfile.TemporaryDirectory(prefix="ent-bench-") as folder:
        found = run(Path(folder), count)
    decoding = (before_us + decoding_us()) / 2
    return {
        "worker": round(1e6 / found["events_per_worker_cpu_s"] / decoding, 2),
        "worker_and_database": round(1e6 / found["events_per_cpu_s_with_database"] / decoding, 2),
    }


def main() -> int:
    """Measure, compare and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--write", action="store_true", help="commit what is measured now")
    options = parser.parse_args()
    found = ratios(options.events)
    if options.write:
        RATIOS.write_text(json.dumps(found, indent=2) + "\n")
        print(f"{RATIOS.name}: {found}")
        return 0
    committed = json.loads(RATIOS.read_text())
    dearer = False
    for name, now in found.items():
        verdict = "too dear" if now > committed[name] * _ALLOWED else "good"
        dearer |= verdict != "good"
        print(f"{name:<22} {now:>6.2f} decodings, committed {committed[name]:.2f}: {verdict}")
    if dearer:
        print("find what became dearer with: python bench/backlog.py --profile FILE (needs py-spy)", file=sys.stderr)
    return int(dearer)


if __name__ == "__main__":
    sys.exit(main())
