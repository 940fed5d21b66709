"""A school's connections drop: what is expected, what is seen, and how sure one can be. Arrays in, findings out.

Nothing here reads a clock, a file or a database. Axes are always school, profile, (weekday,) bin of the day.
"""
