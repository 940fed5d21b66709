"""The plain kinds of field: for each annotation that the models use, what msgspec takes and what polars checks.

An annotation, constraint or validator that is not known here stops the import with `UnknownKindError`: teach it here
first.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import chain
from typing import Annotated, Any, Literal

import annotated_types as at
import msgspec
import polars as pl
import pyarrow as pa
from pydantic import AwareDatetime, BeforeValidator
from pydantic.fields import FieldInfo
from pydantic.types import StringConstraints

from schemas.event import spelt_as_a_time

INSTANT = pl.Datetime("us", "UTC")
TIME_PLAIN = (
    r"^(?:20[0-9]{2}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"|20(?:[02468][048]|[13579][26])-02-29)"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])$"
)
"""RFC 3339 with a `T` and capital letters, in this century, to the microsecond: pyarrow and pydantic read it alike."""
_LARGEST_UINT32 = 2**32 - 1

Mask = Callable[[pl.Expr], pl.Expr]
"""Whether the values of a column hold a constraint; null of a null."""
Reading = tuple[pl.Series, pl.Series | None]
"""A column, and which of its values are sure (None: all of them)."""


class UnknownKindError(TypeError):
    """The models use something that has no plain form; teach `schemas.decode.plain` before deploying them."""


@dataclass(frozen=True)
class Plain:
    """Stands in a field's `Annotated` beside a validator of our own and says what it plainly takes.

    `read` gets the values as msgspec made them of `struct_type`, None where the field is absent or null, and must give
    what the validator gives, or mark the value as not sure.
    """

    struct_type: object
    dtype: pl.DataType
    read: Callable[[list[Any]], Reading]


@dataclass(frozen=True)
class Kind:
    """The plain form of one field."""

    struct_type: object
    dtype: pl.DataType
    read: Callable[[list[Any]], Reading]
    from_text: Callable[[pl.Series], pl.Series] | None = None
    """From a column of text to this one, null where it is not plainly spelt: for values that travel as headers."""
    masks: tuple[Mask, ...] = ()
    nullable: bool = False


def instants(text: pl.Series) -> pl.Series:
    """Plainly spelt times to microseconds UTC; null for any other text."""
    plain = text.str.contains(TIME_PLAIN)
    if not plain.all():
        text = text.set(~plain, None)
    arrow = text.to_arrow(compat_level=pl.CompatLevel.oldest())
    return typing.cast("pl.Series", pl.from_arrow(arrow.cast(pa.timestamp("us", "UTC"))))


def strings_of_lists(values: list[Any]) -> pl.Series:
    """Lists of strings to a column: polars' own way is forty times slower."""
    return typing.cast("pl.Series", pl.from_arrow(pa.array(values, pa.list_(pa.string()))))


def kind_of(where: str, annotation: object, metadata: Iterable[object]) -> Kind:
    """The plain form of an annotation.

    Raises:
        UnknownKindError: there is none.
    """
    items = list(chain.from_iterable(item.metadata if isinstance(item, FieldInfo) else [item] for item in metadata))
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        inner, *more = typing.get_args(annotation)
        return kind_of(where, inner, [*more, *items])
    declared = next((item for item in items if isinstance(item, Plain)), None)
    rest = [item for item in items if not isinstance(item, Plain)]
    if declared is not None:
        bounds = [item for item in rest if not isinstance(item, BeforeValidator)]
        nullable = type(None) in typing.get_args(annotation)
        kind = Kind(declared.struct_type, declared.dtype, declared.read, nullable=nullable)
        return replace(kind, masks=tuple(_bound(where, item) for item in bounds))
    if origin in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        if len(members) != 1 or len(typing.get_args(annotation)) != 2:
            raise UnknownKindError(f"{where}: {annotation!r}")
        return replace(kind_of(where, members[0], rest), nullable=True)
    return _simple(where, annotation, rest)


def _simple(where: str, annotation: object, items: list[object]) -> Kind:
    origin = typing.get_origin(annotation)
    if annotation is AwareDatetime:
        bounds = [item for item in items if not _is_validator(item, spelt_as_a_time)]
        return Kind(str, INSTANT, _read_instants, instants, tuple(_bound(where, item) for item in bounds))
    if annotation is str:
        masks = tuple(chain.from_iterable(_of_a_string(where, item) for item in items))
        return Kind(str, pl.String(), _reader(pl.String()), lambda text: text, masks)
    if annotation is int:
        return _integer(where, items)
    if origin is list:
        return _list(where, typing.get_args(annotation)[0], items)
    if items:
        raise UnknownKindError(f"{where}: {items!r}")
    if annotation is bool:
        return Kind(bool, pl.Boolean(), _reader(pl.Boolean()))
    if origin is Literal:
        return _names(typing.get_args(annotation), where)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return _names(tuple(member.value for member in annotation), where)
    raise UnknownKindError(f"{where}: {annotation!r}")


def _reader(dtype: pl.DataType) -> Callable[[list[Any]], Reading]:
    return lambda values: (pl.Series("", values, dtype), None)


def _read_instants(values: list[Any]) -> Reading:
    text = pl.Series("", values, pl.String)
    column = instants(text)
    return column, None if column.null_count() == text.null_count() else column.is_not_null() | text.is_null()


def _names(names: tuple[object, ...], where: str) -> Kind:
    if not all(isinstance(name, str) for name in names):
        raise UnknownKindError(f"{where}: {names!r}")
    dtype = pl.Enum([str(name) for name in names])
    return Kind(Literal[names], dtype, _reader(dtype), lambda text: text.cast(dtype, strict=False))


def _integer(where: str, items: list[object]) -> Kind:
    least = [item.ge for item in items if isinstance(item, at.Ge)]
    most = [item.le for item in items if isinstance(item, at.Le)]
    if len(least) != 1 or len(most) != 1 or len(items) != 2:
        raise UnknownKindError(f"{where}: {items!r}")
    low, high = typing.cast("int", least[0]), typing.cast("int", most[0])
    if low < 0 or high > _LARGEST_UINT32:
        raise UnknownKindError(f"{where}: {low} to {high} does not fit 32 bits")
    return Kind(Annotated[int, msgspec.Meta(ge=low, le=high)], pl.UInt32(), _reader(pl.UInt32()))


def _list(where: str, inner: object, items: list[object]) -> Kind:
    kind = kind_of(where, inner, [])
    if kind.struct_type is not str or kind.dtype != pl.String() or kind.nullable:
        raise UnknownKindError(f"{where}: list of {inner!r}")
    masks = [_of_items(mask) for mask in kind.masks]
    for item in items:
        if not isinstance(item, at.MinLen | at.MaxLen):
            raise UnknownKindError(f"{where}: {item!r}")
        masks.append(_of_a_length(item, lambda column: column.list.len()))
    return Kind(list[str], pl.List(pl.String()), lambda values: (strings_of_lists(values), None), None, tuple(masks))


def _of_a_length(item: at.MinLen | at.MaxLen, length: Mask) -> Mask:
    if isinstance(item, at.MinLen):
        least = item.min_length
        return lambda column: length(column) >= least
    most = item.max_length
    return lambda column: length(column) <= most


def _of_items(mask: Mask) -> Mask:
    """A mask over lists of which every item holds a constraint."""
    return lambda column: column.list.eval(mask(pl.element())).list.all()


def _of_a_string(where: str, item: object) -> list[Mask]:
    if not isinstance(item, StringConstraints):
        raise UnknownKindError(f"{where}: {item!r}")
    if item.strip_whitespace or item.to_lower or item.to_upper or item.strict or item.ascii_only:
        raise UnknownKindError(f"{where}: {item!r}")
    masks: list[Mask] = []
    if item.min_length is not None:
        masks.append(_of_a_length(at.MinLen(item.min_length), lambda column: column.str.len_chars()))
    if item.max_length is not None:
        masks.append(_of_a_length(at.MaxLen(item.max_length), lambda column: column.str.len_chars()))
    pattern = item.pattern
    if pattern is not None:
        if not isinstance(pattern, str):  # pydantic hands a compiled pattern to Python's engine, not to Rust's
            raise UnknownKindError(f"{where}: {item!r}")
        masks.append(lambda column: column.str.contains(pattern))
    return masks


def _bound(where: str, item: object) -> Mask:
    match item:
        case at.Ge(ge=bound):
            return partial(_compared, pl.Expr.ge, bound)
        case at.Le(le=bound):
            return partial(_compared, pl.Expr.le, bound)
        case at.Lt(lt=bound):
            return partial(_compared, pl.Expr.lt, bound)
    raise UnknownKindError(f"{where}: {item!r}")


def _compared(compare: Callable[[pl.Expr, object], pl.Expr], bound: object, column: pl.Expr) -> pl.Expr:
    return compare(column, bound)


def _is_validator(item: object, of: Callable[[object], object]) -> bool:
    return isinstance(item, BeforeValidator) and item.func is of
