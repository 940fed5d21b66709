"""The command line: `ent`, or `python -m streams`."""

import os


def main() -> None:
    """Run the command line."""
    # We plan with one core per process: a pool of polars threads only adds waiting. Read when polars is imported.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    from streams.commands import main as run

    run()


if __name__ == "__main__":
    main()
