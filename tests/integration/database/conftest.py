"""One embedded database per module of these tests."""

from tests.database import database

__all__ = ["database"]
