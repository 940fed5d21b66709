"""The directory of the examples, whole and cut down to a few schools."""

import polars as pl
import pytest

from schemas.directory_row import DirectoryRows
from streams.directory.folder import read_directory_folder
from streams.simulator.mulhouse import EXAMPLE


@pytest.fixture(scope="session")
def mulhouse() -> DirectoryRows:
    """54 schools, of which 21 have the ENT."""
    return read_directory_folder(EXAMPLE).rows


@pytest.fixture(scope="session")
def few_schools(mulhouse: DirectoryRows) -> DirectoryRows:
    """Eight schools, of which one changes on 1 September 2026."""
    some = pl.col("uai").is_in(mulhouse.schools["uai"].unique().sort().head(8).to_list())
    return DirectoryRows(
        mulhouse.schools.filter(some),
        mulhouse.classes.filter(some),
        mulhouse.profiles,
        mulhouse.accounts.filter(some),
        mulhouse.manifests,
    )
