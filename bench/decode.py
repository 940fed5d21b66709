"""Events per CPU-second of the whole step from records to frame, refusals and drops, beside the models alone.

    python bench/decode.py [--report FILE]

Records of about 400 bytes (canonical), 220 bytes and headers (binary), 330 (entcore), 600 (Caliper) and 550 (xAPI), 1 %
of them invalid.
Both ways run in turn, so that what else the machine does hits both: compare the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as in the worker; polars reads it at import

import polars as pl

from schemas.formats import Decoded, Headers, decode
from schemas.formats.door import decode_by_the_law
from schemas.pseudonym import Key, Pseudonyms, event_ids
from tests.fuzz.compare import MODES
from tests.fuzz.generate import Generator

RECORDS = 20_000
ROUNDS = 5
SIZES = (100, 1_000, 10_000)
KEY = Key(bytes(range(32)))
Decoder = Callable[[Sequence[bytes], Sequence[Headers | None] | None], Decoded]
FORMAT_OF = {mode: "canonical" if mode == "binary" else mode for mode in MODES}


def records_of(mode: str) -> tuple[list[bytes], list[Headers | None] | None]:
    """Seeded records of one kind."""
    generator = Generator(3)
    if mode == "binary":
        both = [generator.binary() for _ in range(RECORDS)]
        return [value for _, value in both], [headers for headers, _ in both]
    make = getattr(generator, mode)
    return [make() for _ in range(RECORDS)], None


def measure(mode: str, size: int) -> dict[str, float]:
    """Medians, in events per CPU-second, and the share of records that pydantic saw."""
    records, headers = records_of(mode)
    starts = range(0, RECORDS, size)
    ways: dict[str, Decoder] = {
        "models": partial(decode_by_the_law, event_key=KEY, only=FORMAT_OF[mode]),  # spared the search for the format
        "fast": partial(decode, event_key=KEY),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    slow = 0
    for _ in range(ROUNDS):
        for way, decoder in ways.items():
            begun = time.process_time()
            answers = [decoder(records[at : at + size], headers[at : at + size] if headers else None) for at in starts]
            seconds[way].append(time.process_time() - begun)
            slow = sum(answer.slow for answer in answers)
    speeds = {way: RECORDS / statistics.median(times) for way, times in seconds.items()}
    return {**speeds, "ratio": speeds["fast"] / speeds["models"], "slow_share": slow / RECORDS}


def measure_identities() -> dict[str, float]:
    """Nanoseconds of CPU per row of pseudonyms and event ids, over a batch of the largest size."""
    frame = decode(records_of("canonical")[0][: SIZES[-1]], None, KEY).frame
    pseudonyms = Pseudonyms(KEY)
    steps: dict[str, Callable[[], pl.Series]] = {
        "user keys": lambda: pseudonyms.keys(frame["user"]),
        "session keys": lambda: pseudonyms.keys(frame["session"]),
        "event ids": lambda: event_ids(frame["source"], frame["id"]),
    }
    return {
        name: statistics.median(_seconds(step) for _ in range(ROUNDS)) / len(frame) * 1e9
        for name, step in steps.items()
    }


def _seconds(step: Callable[[], object]) -> float:
    begun = time.process_time()
    step()
    return time.process_time() - begun


def main() -> None:
    """Print a table, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=Path)
    told = parser.parse_args()
    report: dict[str, dict[str, float]] = {}
    print(f"{'':24}{'models k/s':>12}{'fast k/s':>12}{'ratio':>8}{'slow':>8}")
    for mode in MODES:
        for size in SIZES:
            row = report[f"{mode} {size}"] = measure(mode, size)
            speeds = f"{row['models'] / 1e3:12.0f}{row['fast'] / 1e3:12.0f}"
            print(f"{mode:12}{size:>12,}{speeds}{row['ratio']:8.1f}{row['slow_share']:8.1%}")
    report["ns per row"] = measure_identities()
    print(", ".join(f"{name} {ns:.0f} ns" for name, ns in report["ns per row"].items()))
    if told.report:
        told.report.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
