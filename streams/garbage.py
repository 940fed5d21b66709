"""Python's collection of cycles in a service that runs for months."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLD: Final = (20_000, 10, 10)
"""A batch makes thousands of objects that die with it; the stock threshold is 700."""


def spare_what_is_there() -> None:
    """Call once after the start: what is there now stays, so a pass need not look at it again.

    Without it a pass over 130 000 objects of libraries stops everything for 65 ms now and then. Batches of young
    objects are looked at less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLD)
