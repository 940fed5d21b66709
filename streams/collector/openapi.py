"""The collector's interface as an OpenAPI 3.1 document, made from the models and from what the code takes.

`python -m streams.collector.openapi docs/openapi.json` writes it; a test holds the file to it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from schemas.documents import VERSION
from schemas.event import MODELS
from schemas.formats.attributes import NAMES
from schemas.reason import Drop, Reason
from streams.collector.admission import OUT_OF_SCOPE
from streams.collector.bodies import ENCODINGS, JSON_TYPES, LINES_TYPE

PATH: Final = "/v1/events"
_SCHEMA: Final = "#/components/schemas/{model}"
_RESULT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["accepted", "ignored", "refused"],
    "properties": {
        "accepted": {"type": "integer", "minimum": 0, "description": "Records that Kafka has, on all replicas."},
        "ignored": {
            "type": "array",
            "description": "Valid records of types that are not counted.",
            "items": {
                "type": "object",
                "required": ["index", "reason"],
                "properties": {"index": {"type": "integer"}, "reason": {"enum": [Drop.IGNORED_TYPE.value]}},
            },
        },
        "refused": {
            "type": "array",
            "description": "Records that were not taken. Sending them again unchanged will not help.",
            "items": {
                "type": "object",
                "required": ["index", "reason", "message"],
                "properties": {
                    "index": {"type": "integer", "minimum": 0, "description": "Place in the request, from 0."},
                    "reason": {"enum": [*(reason.value for reason in Reason), OUT_OF_SCOPE]},
                    "message": {"type": "string", "description": "What is wrong and where; never what was sent."},
                },
            },
        },
    },
}
_ANSWERS: Final = {
    "202": "Every record was accepted or ignored.",
    "207": "Some records were refused; the others were accepted or ignored.",
    "422": "Every record was refused.",
}
_PROBLEMS: Final = {
    "400": "The body cannot be read as a whole. Nothing was taken.",
    "401": "No valid token.",
    "408": "The body did not come in time. Nothing was taken.",
    "413": "Too large, or too many records: send smaller batches. Nothing was taken.",
    "415": "Content-Type or Content-Encoding is not known. Nothing was taken.",
    "429": "Too many records over time. Send the same again after Retry-After.",
    "500": "A defect of the collector.",
    "503": "Kafka is away or too much is in work. Send the same again after Retry-After.",
}
_RETRY: Final = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait."}}


def document() -> dict[str, Any]:
    """The document."""
    _, definitions = models_json_schema([(model, "validation") for model in MODELS], ref_template=_SCHEMA)
    events = {"oneOf": [{"$ref": _SCHEMA.format(model=model.__name__)} for model in MODELS]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ENT Telemetry: collector",
            "version": VERSION,
            "description": "Takes events of school ENTs. A request may be repeated: an event counts once.",
        },
        "security": [{"token": []}],
        "paths": {PATH: {"post": _post(events)}},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                **definitions["$defs"],
                "Foreign": {
                    "type": "object",
                    "description": "A document of entcore, a Caliper event or envelope, or an xAPI statement; formats "
                    "may be mixed.",
                },
                "Result": _RESULT,
                "Problem": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": {"type": "string", "description": "What to do."}},
                },
            },
        },
    }


def _post(events: dict[str, Any]) -> dict[str, Any]:
    record = {"oneOf": [*events["oneOf"], {"$ref": _SCHEMA.format(model="Foreign")}]}
    batch = {"oneOf": [record, {"type": "array", "items": record}]}
    lines = {"type": "string", "description": "One document a line."}
    return {
        "summary": "Send one event or a batch",
        "operationId": "collect",
        "parameters": [
            {
                "name": "Content-Encoding",
                "in": "header",
                "schema": {"enum": list(ENCODINGS)},
                "description": "How the body is compressed.",
            },
            *(
                {
                    "name": f"ce-{name}",
                    "in": "header",
                    "schema": {"type": "string"},
                    "description": "Of a CloudEvent in binary mode: the body is then its data.",
                }
                for name in NAMES
            ),
        ],
        "requestBody": {
            "required": True,
            "content": {**{kind: {"schema": batch} for kind in JSON_TYPES}, LINES_TYPE: {"schema": lines}},
        },
        "responses": {
            **{status: _response(told, "Result") for status, told in _ANSWERS.items()},
            **{
                status: _response(told, "Problem", retry=status in {"429", "503"}) for status, told in _PROBLEMS.items()
            },
        },
    }


def _response(description: str, model: str, *, retry: bool = False) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _SCHEMA.format(model=model)}}}
    return {"description": description, "content": content, **({"headers": _RETRY} if retry else {})}


def written() -> str:
    """The document as text."""
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    match sys.argv[1:]:
        case [target]:
            Path(target).write_text(written(), encoding="utf-8")
        case _:
            sys.exit("usage: python -m streams.collector.openapi FILE")
