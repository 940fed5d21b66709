"""What the plain form does not know stops the import, so a model cannot outgrow it unnoticed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

import polars as pl
import pytest
from annotated_types import Gt
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    field_validator,
    model_validator,
)

from schemas.decode.form import Form, names_a_school
from schemas.decode.plain import UnknownKindError, instants
from schemas.event import Identifier, Instant, Login, LoginData, Profile


def form_of(model: type[BaseModel], **told: Any) -> Form:
    rules = told.pop("rules", {"_names_a_school": names_a_school("data.uai", "data.structures")})
    return Form("tried", TypeAdapter(model), {"fr.ent.login.v1": model}, tag="type", rules=rules, **told)


def login(annotation: object = None, default: object = ..., **namespace: object) -> type[BaseModel]:
    """Our login, with one more or one changed field in its data."""
    fields = {} if annotation is None else {"__annotations__": {"user": annotation}}
    value = {} if default is ... else {"user": default}
    data = type("Data", (LoginData,), {"__module__": __name__, **fields, **value, **namespace})
    return type("Event", (Login,), {"__module__": __name__, "__annotations__": {"data": data}})


def test_our_own_models_have_a_form() -> None:
    """The helper of this test builds what the others vary."""
    assert form_of(login(Identifier)).schema["data.user"] == pl.String()


@pytest.mark.parametrize(
    "model",
    [
        login(float),
        login(int),
        login(bytes),
        login(str | int),
        login(dict[str, str], {}),
        login(list[int]),
        login(list[str], []),
        login(Profile, Profile.AUTRE),
        login(Annotated[str, StringConstraints(strip_whitespace=True)]),
        login(Annotated[str, StringConstraints(to_lower=True)]),
        login(Annotated[str, StringConstraints(pattern=re.compile("^a+$"))]),
        login(Annotated[str, Gt("a")]),
        login(Annotated[str, BeforeValidator(str)]),
        login(str, Field(validation_alias="other", max_length=3, strict=True)),
        login(datetime),
        login(model_config=ConfigDict(strict=True)),
        login(model_config=ConfigDict(str_strip_whitespace=True)),
        login(_check=field_validator("user")(lambda value: value)),
        login(_whole=model_validator(mode="before")(lambda value: value)),
        login(_also=model_validator(mode="after")(lambda self: self)),
    ],
    ids=repr,
)
def test_a_model_that_the_form_does_not_know_stops_the_start(model: type[BaseModel]) -> None:
    """Types, constraints, validators and settings without a plain form are refused, never skipped."""
    with pytest.raises(UnknownKindError):
        form_of(model)


def test_a_forgotten_validator_stops_the_start() -> None:
    """Each validator of a model needs its column form, and each column form its validator."""
    with pytest.raises(UnknownKindError, match="_names_a_school"):
        form_of(Login, rules={})
    with pytest.raises(UnknownKindError, match="_more"):
        form_of(Login, rules={"_names_a_school": names_a_school("data.uai"), "_more": pl.lit(value=True)})


def test_one_name_with_two_meanings_stops_the_start() -> None:
    """A field that differs between the models of one form has no single column."""
    other = type("Other", (Login,), {"__module__": __name__, "__annotations__": {"id": str}})
    with pytest.raises(UnknownKindError):
        Form("tried", TypeAdapter(Login), {"a": Login, "b": other}, tag="type", rules={})


TIME = TypeAdapter(Instant)
SPELT = st.from_regex(
    re.compile(
        r"20[0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,7})?(Z|[+-][0-2][0-9]:[0-6][0-9])"
    ),
    fullmatch=True,
)


@settings(deadline=None)
@given(st.lists(SPELT, max_size=20))
def test_a_plain_time_is_what_pydantic_makes_of_it(texts: list[str]) -> None:
    """What the plain form reads, pydantic accepts within its bounds, as the same instant."""
    for text, ours in zip(texts, instants(pl.Series(texts, dtype=pl.String)), strict=True):
        if ours is not None and ours.year >= 2015:
            assert TIME.validate_python(text) == ours
