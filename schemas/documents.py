"""The contracts as documents: a JSON Schema of every model that travels, and an AsyncAPI 3 description of the topics.

`python -m schemas.documents docs/schema` writes them; a test holds them to the models.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.dead_letter import DeadLetter
from schemas.directory import Manifest, ProfileRecord, School, SchoolClass
from schemas.event import MODELS, SHORT_TYPES
from schemas.formats.attributes import NAMES, PREFIX

VERSION: Final = "1.0.0"
"""Of the contracts: the major number is the `v1` of topics and types."""
DEAD_LETTER_TOPIC: Final = "ent.dead_letter.v1"
EVENTS: Final[dict[str, type[BaseModel]]] = dict(zip(SHORT_TYPES.values(), MODELS, strict=True))
OTHERS: Final[dict[str, type[BaseModel]]] = {
    "dead_letter": DeadLetter,
    "school": School,
    "class": SchoolClass,
    "profile": ProfileRecord,
    "manifest": Manifest,
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COMPONENT = "#/components/schemas/{model}"
_CHANNELS: Final[dict[str, tuple[str, tuple[str, ...], str]]] = {
    "login": ("ent.login.v1", ("login", "activation"), "Connections and first activations, keyed by school."),
    "app_visit": ("ent.app_visit.v1", ("app_visit",), "Openings of applications, keyed by school."),
    "notification": ("ent.notification.v1", ("notification",), "Notifications emitted and opened, keyed by school."),
    "dead_letter": (DEAD_LETTER_TOPIC, ("dead_letter",), "Records that became no event, redacted."),
    "school": (
        School.topic,
        ("school", "manifest"),
        "Schools of the directory; compacted, keyed by UAI and day.",
    ),
    "class": (SchoolClass.topic, ("class",), "Classes of the directory; compacted, keyed by class and day."),
    "profile": (ProfileRecord.topic, ("profile",), "Profiles; compacted, keyed by profile."),
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """File name -> JSON Schema of one model, complete in itself."""
    return {
        f"{name}.json": {"$schema": _DIALECT, "$id": f"urn:ent:schema:{name}:v1", **model.model_json_schema()}
        for name, model in (EVENTS | OTHERS).items()
    }


def asyncapi() -> dict[str, Any]:
    """The topics, their messages in both of CloudEvents' modes on Kafka, and who sends and receives them."""
    models = [*EVENTS.values(), *map(_data_of, EVENTS.values()), *OTHERS.values()]
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=_COMPONENT)
    messages = {name: _message(name, model) for name, model in OTHERS.items()}
    for name, model in EVENTS.items():
        messages[f"{name}_structured"] = _structured(name, model)
        messages[f"{name}_binary"] = _binary(name, model)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ENT Telemetry",
            "version": VERSION,
            "description": "Events of school ENTs on Kafka, the directory beside them, and what was refused.",
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(*told) for name, told in _CHANNELS.items()},
        "operations": {
            f"{'send' if name == 'dead_letter' else 'receive'}_{name}": {
                "action": "send" if name == "dead_letter" else "receive",
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name in _CHANNELS
        },
        "components": {"messages": messages, "schemas": definitions["$defs"]},
    }


def documents() -> dict[str, str]:
    """File name -> text of every document."""
    every = {**json_schemas(), "asyncapi.json": asyncapi()}
    return {name: json.dumps(made, ensure_ascii=False, indent=2) + "\n" for name, made in every.items()}


def write(folder: Path) -> Iterable[Path]:
    """Write every document into the folder, and take away JSON files there that are none of them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = documents()
    for stale in folder.glob("*.json"):
        if stale.name not in made:
            stale.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in made]


def _channel(address: str, names: tuple[str, ...], description: str) -> dict[str, Any]:
    messages = [message for name in names for message in _messages_of(name)]
    return {
        "address": address,
        "description": description,
        "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in messages},
    }


def _messages_of(name: str) -> tuple[str, ...]:
    return (f"{name}_structured", f"{name}_binary") if name in EVENTS else (name,)


def _message(name: str, model: type[BaseModel]) -> dict[str, Any]:
    return {
        "name": name,
        "summary": (model.__doc__ or "").partition("\n")[0],
        "contentType": "application/json",
        "payload": {"$ref": _COMPONENT.format(model=model.__name__)},
    }


def _structured(name: str, model: type[BaseModel]) -> dict[str, Any]:
    return {
        **_message(name, model),
        "title": f"{name}, structured mode: the value is the whole CloudEvent",
        "contentType": "application/cloudevents+json",
    }


def _data_of(model: type[BaseModel]) -> type[BaseModel]:
    data: object = model.model_fields["data"].annotation
    if not isinstance(data, type) or not issubclass(data, BaseModel):
        raise TypeError(f"{model.__name__}.data is no model, so it has no binary mode")
    return data


def _binary(name: str, model: type[BaseModel]) -> dict[str, Any]:
    properties = model.model_json_schema()["properties"]
    return {
        **_message(name, _data_of(model)),
        "title": f"{name}, binary mode: CloudEvents' attributes are headers, the value is the data",
        "headers": {
            "type": "object",
            "required": [PREFIX + attribute for attribute in NAMES],
            "properties": {PREFIX + attribute: properties[attribute] for attribute in NAMES},
        },
    }


if __name__ == "__main__":
    match sys.argv[1:]:
        case [target]:
            for path in write(Path(target)):
                sys.stdout.write(f"{path}\n")
        case _:
            sys.exit("usage: python -m schemas.documents FOLDER")
