"""The contracts as documents: what is committed is what the models say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.documents import EVENTS, OTHERS, asyncapi, documents, write
from schemas.event import SHORT_TYPES

COMMITTED = Path(__file__).parents[3] / "docs" / "schema"


def test_the_committed_documents_are_the_generated_ones() -> None:
    """No drift; if this fails: python -m schemas.documents docs/schema."""
    assert {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.glob("*.json")} == documents()


def test_writing_takes_away_what_is_no_longer_made(tmp_path: Path) -> None:
    """A model that went leaves no schema behind."""
    (tmp_path / "gone.json").write_text("{}")
    assert sorted(write(tmp_path)) == sorted(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*EVENTS, *OTHERS])
def test_every_field_is_described(name: str) -> None:
    """Unit and source stand in the description of each field of each model."""
    for where, field in _properties({**EVENTS, **OTHERS}[name].model_json_schema()):
        assert field.get("description"), where


def _properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for owner in (schema, *schema.get("$defs", {}).values()):
        for name, field in owner.get("properties", {}).items():
            yield f"{owner.get('title')}.{name}", field


def test_every_reference_leads_somewhere() -> None:
    """In the AsyncAPI document, and each event's message in both modes on its topic."""
    made = asyncapi()
    for reference in _references(made):
        target: Any = made
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
    addresses = {channel["address"]: set(channel["messages"]) for channel in made["channels"].values()}
    for model, short in zip(EVENTS.values(), SHORT_TYPES.values(), strict=True):
        topic: str = getattr(model, "topic")  # noqa: B009  a class variable of each event
        assert {f"{short}_structured", f"{short}_binary"} <= addresses[topic]
    assert "ent.dead_letter.v1" in addresses


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for name, inner in node.items():
            if name == "$ref":
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


def test_the_schema_says_that_an_event_names_its_school() -> None:
    """The rule across two fields is in the document too, for those who check before they send."""
    data = json.loads(documents()["login.json"])["$defs"]["LoginData"]
    assert [option["required"] for option in data["anyOf"]] == [["uai"], ["structures"]]
