"""What holds for all tests."""

from hypothesis import settings

# Every test has a time limit; a limit for each example would fail where the machine is busy with another suite.
settings.register_profile("ent", deadline=None)
settings.load_profile("ent")
