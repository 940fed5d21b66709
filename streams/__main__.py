"""The command line: `ent`, or `python -m streams`."""

import ctypes
import os
import sys

_ALLOCATORS = {
    # We plan with one core per process: a pool of polars threads only adds waiting.
    "POLARS_MAX_THREADS": "1",
    # Loads are worked on in turn, each by some thread of many: several arenas would keep what all of them freed.
    "_RJEM_MALLOC_CONF": "narenas:1,dirty_decay_ms:3000,muzzy_decay_ms:0",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""Read by polars, its allocator and Arrow when they are imported; what the environment says goes before."""
_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3
"""Of glibc's malloc.h."""
_LARGE_BYTES = 16 << 20
"""What is as large goes back to the system at once: the body of an insert."""


def main() -> None:
    """Run the command line."""
    for name, value in _ALLOCATORS.items():
        os.environ.setdefault(name, value)
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    from streams.commands import main as run

    run()


if __name__ == "__main__":
    main()
