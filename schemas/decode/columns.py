"""The columns of some models that share one form: every leaf field, with its path and the models that have it."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.decode.plain import Kind, UnknownKindError, kind_of

_CONFIG = {"extra": "ignore", "frozen": True}


@dataclass(frozen=True)
class Column:
    """A leaf field."""

    path: tuple[str, ...]
    wire: str
    """Its name in JSON."""
    kind: Kind
    required: bool
    default: object
    owners: frozenset[str] | None
    """Tags of the models that have it; None: all."""

    @property
    def name(self) -> str:
        """The path with dots: the column's name in the frame and the attribute's path in the model."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Branch:
    """A model within the models, or the models themselves."""

    path: tuple[str, ...]
    wire: str
    leaves: tuple[Column, ...]
    branches: tuple[Branch, ...]
    nullable: bool
    struct: type[msgspec.Struct]
    blank: Any
    """A struct without values, which stands for a record that was not read."""

    def columns(self) -> Iterator[Column]:
        """All leaves, this branch's first."""
        yield from self.leaves
        for branch in self.branches:
            yield from branch.columns()

    def values(self, objects: list[Any], *, whole: bool = True) -> Iterator[tuple[Column, list[Any]]]:
        """Each leaf with its values in these structs; `whole` says that none of them is None."""
        for leaf in self.leaves:
            yield leaf, _got(objects, leaf.path[-1], whole=whole)
        for branch in self.branches:
            yield from branch.values(_got(objects, branch.path[-1], whole=whole), whole=whole and not branch.nullable)


def _got(objects: list[Any], name: str, *, whole: bool) -> list[Any]:
    get = attrgetter(name)
    if whole:
        return list(map(get, objects))
    return [None if item is None else get(item) for item in objects] if any(objects) else objects


_Fields = Mapping[str, FieldInfo]
"""A field as each model has it, by tag."""


class Tree:
    """The form of some models by tag.

    `absent` names JSON fields whose presence makes a record doubtful; `tag` is the field whose Literal tells the models
    apart, if there is one.

    Raises:
        UnknownKindError: the models use something that has no plain form.
    """

    def __init__(
        self, models: Mapping[str, type[BaseModel]], *, tag: str | None = None, absent: tuple[str, ...] = ()
    ) -> None:
        self._everyone = frozenset(models)
        self._tag = tag
        self._absent = absent
        self.rules: dict[str, frozenset[str]] = {}
        """Model validators by name, with the tags of the models that have them."""
        self.root = self._branch(models, (), "", nullable=False)

    def _branch(
        self, models: Mapping[str, type[BaseModel]], path: tuple[str, ...], wire: str, *, nullable: bool
    ) -> Branch:
        fields: dict[str, dict[str, FieldInfo]] = {}
        for tag, model in models.items():
            self._check(model, tag)
            for name, field in model.model_fields.items():
                fields.setdefault(name, {})[tag] = field
        leaves: list[Column] = []
        branches: list[Branch] = []
        for name, by_tag in fields.items():
            inner = {tag: found for tag, field in by_tag.items() if (found := _model_of(field)) is not None}
            if inner.keys() == by_tag.keys():
                branches.append(self._nested((*path, name), by_tag, inner))
            elif not path and name == self._tag:
                leaves.append(_tag((name,), by_tag))
            else:
                leaves.append(self._leaf((*path, name), by_tag))
        absent = self._absent if not path else ()
        struct = _struct(path, leaves, branches, absent)
        inside = {branch.path[-1]: None if branch.nullable else branch.blank for branch in branches}
        blank = struct(**dict.fromkeys(leaf.path[-1] for leaf in leaves), **inside)
        return Branch(path, wire, tuple(leaves), tuple(branches), nullable, struct, blank)

    def _check(self, model: type[BaseModel], tag: str) -> None:
        made = model.__pydantic_decorators__
        if dict(model.model_config) != _CONFIG or made.field_validators or made.validators or made.root_validators:
            raise UnknownKindError(f"{model.__name__}: its settings or validators have no plain form")
        for name, validator in made.model_validators.items():
            if validator.info.mode != "after":
                raise UnknownKindError(f"{model.__name__}.{name}: only validators that run after the fields are known")
            self.rules[name] = self.rules.get(name, frozenset()) | {tag}

    def _nested(self, path: tuple[str, ...], by_tag: _Fields, inner: Mapping[str, type[BaseModel]]) -> Branch:
        nullable = {type(None) in typing.get_args(field.annotation) for field in by_tag.values()}
        required = {field.is_required() for field in by_tag.values()}
        whole = by_tag.keys() == self._everyone and nullable == {False} and required == {True}
        optional = (
            nullable == {True} and required == {False} and all(field.default is None for field in by_tag.values())
        )
        if any(field.metadata for field in by_tag.values()) or not (whole or optional):
            raise UnknownKindError(
                f"{'.'.join(path)}: a model within models is required by all of them, or may be null"
            )
        return self._branch(inner, path, _wire(path, by_tag), nullable=optional)

    def _leaf(self, path: tuple[str, ...], by_tag: _Fields) -> Column:
        where = ".".join(path)
        field = next(iter(by_tag.values()))
        if len({repr((f.annotation, f.metadata, f.is_required(), f.default)) for f in by_tag.values()}) != 1:
            raise UnknownKindError(f"{where} differs between the models")
        kind = kind_of(where, field.annotation, field.metadata)
        required = field.is_required()
        default = None if required else field.default
        if type(default) not in {bool, int, str, type(None)}:
            raise UnknownKindError(f"{where}: the default {default!r}")
        if not required and default is None and not kind.nullable:
            raise UnknownKindError(f"{where}: null by default and yet not nullable")
        owners = None if by_tag.keys() == self._everyone else frozenset(by_tag)
        return Column(path, _wire(path, by_tag), kind, required, default, owners)


def _struct(
    path: tuple[str, ...], leaves: list[Column], branches: list[Branch], absent: tuple[str, ...]
) -> type[msgspec.Struct]:
    required: list[tuple[str, Any]] = []
    optional: list[tuple[str, Any, Any]] = [(name, msgspec.UnsetType, msgspec.UNSET) for name in absent]
    for leaf in leaves:
        taken: Any = leaf.kind.struct_type
        if leaf.kind.nullable or (leaf.required and leaf.owners is not None):
            taken = taken | None
        if leaf.required and leaf.owners is None:
            required.append((leaf.path[-1], taken))
        else:
            optional.append((leaf.path[-1], taken, leaf.default))
    for branch in branches:
        if branch.nullable:
            optional.append((branch.path[-1], branch.struct | None, None))
        else:
            required.append((branch.path[-1], branch.struct))
    names = {leaf.path[-1]: leaf.wire for leaf in leaves} | {branch.path[-1]: branch.wire for branch in branches}
    return msgspec.defstruct("_".join(("Plain", *path)), [*required, *optional], rename=names, gc=False)


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    annotation: object = field.annotation
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        annotation = members[0] if len(members) == 1 else None
    if typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _tag(path: tuple[str, ...], by_tag: _Fields) -> Column:
    names = tuple(name for field in by_tag.values() for name in typing.get_args(field.annotation))
    kind = kind_of(path[-1], typing.Literal[names], [])
    if names != tuple(by_tag) or not all(field.is_required() for field in by_tag.values()):
        raise UnknownKindError(f"{path[-1]}: each model has one tag of its own")
    return Column(path, _wire(path, by_tag), kind, required=True, default=None, owners=None)


def _wire(path: tuple[str, ...], by_tag: _Fields) -> str:
    names = {field.validation_alias or path[-1] for field in by_tag.values()}
    (name, *others) = names
    if others or not isinstance(name, str):
        raise UnknownKindError(f"{'.'.join(path)}: one name in JSON, not {names!r}")
    return name
