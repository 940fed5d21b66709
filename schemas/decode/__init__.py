"""The fast decoder: a narrow form derived from the pydantic models, beside which the models stay the law.

Law: for any bytes, what is accepted is exactly what pydantic accepts, with equal values, and what is refused is refused
with pydantic's own reason. The narrow form takes only what is certainly valid; every other record goes to pydantic, one
by one. So a false refusal of the narrow form costs time and never an event, and only a false acceptance would break the
law: that is what `tests/fuzz` hunts. The door that callers use is `schemas.formats.decode`.
"""
