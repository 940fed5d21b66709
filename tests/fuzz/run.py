"""The long form of the fuzzer: `python -m tests.fuzz.run --records 1000000 --seed 7`. Exit 1 where anything differs."""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.compare import MODES, run


def main() -> int:
    """Every mode in turn, the records shared out among them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="records in all")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--mode", choices=MODES, action="append", help="only this one; may be given again")
    told = parser.parse_args()
    modes = told.mode or list(MODES)
    found = 0
    for mode in modes:
        tally = run(mode, told.seed, records=told.records // len(modes))
        sys.stdout.write(f"{mode}: {tally}\n")
        found += tally.disagreements.total()
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
