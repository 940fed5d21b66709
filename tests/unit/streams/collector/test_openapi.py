"""The OpenAPI document is that of the code."""

import json
import re
from pathlib import Path
from typing import Any

from streams.collector.openapi import PATH, document, written

FILE = Path(__file__).parents[4] / "docs/openapi.json"
SERVICE = (Path(__file__).parents[4] / "streams/collector/service.py").read_text()
BODIES = (Path(__file__).parents[4] / "streams/collector/bodies.py").read_text()


def test_the_file_is_the_document() -> None:
    """`python -m streams.collector.openapi docs/openapi.json` mends it."""
    assert FILE.read_text(encoding="utf-8") == written()


def test_every_reference_leads_somewhere() -> None:
    """No schema is missing, and none stands there for nothing."""
    text = json.dumps(document())
    schemas: dict[str, Any] = document()["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", text)) == set(schemas)


def test_every_status_that_the_code_answers_is_described() -> None:
    """And no other."""
    told = set(document()["paths"][PATH]["post"]["responses"])
    answered = re.findall(r"(?:_problem|_later|BodyError)\((\d{3})", SERVICE + BODIES)
    outcomes = re.findall(r"status = (\d{3}) if not refused else (\d{3}) if accepted or ignored else (\d{3})", SERVICE)[
        0
    ]
    assert told == {*answered, *outcomes}
