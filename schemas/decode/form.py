"""The narrow form at work: many records at once to columns, the rest one by one to the models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec
import polars as pl
from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas.decode.columns import Column, Tree
from schemas.decode.outcome import Judged, Refusal, Taken
from schemas.decode.plain import UnknownKindError, strings_of_lists
from schemas.decode.refusing import refusal_of
from schemas.decode.screen import doubtful as hidden_faults
from schemas.decode.screen import texts

Attributes = Mapping[str, bytes | None]
TAG = "tag"
_SURE = "sure"
_PLANS_KEPT = 256


@dataclass(frozen=True)
class Split:
    """Records whose envelope travels beside them: CloudEvents in Kafka's binary mode."""

    texts: pl.Series
    records: Sequence[bytes]
    attributes: Sequence[Attributes]


class Form:
    """The plain form of some models that one law tells apart.

    Its frames have the record's index, the tag of its model, and a column for each leaf field, named by its path with
    dots; a column is null where the model of the row does not have the field.
    """

    def __init__(
        self,
        name: str,
        law: TypeAdapter[Any],
        models: Mapping[str, type[BaseModel]],
        *,
        tag: str | pl.Expr,
        rules: Mapping[str, pl.Expr] | None = None,
        payload: str | None = None,
        absent: tuple[str, ...] = (),
    ) -> None:
        """
        Args:
            name: the format's, for refusals.
            law: what decides.
            models: the members of the law's union by tag.
            tag: the field that tells the models apart, or an expression from the columns to their tags, null where it
                is not sure.
            rules: the column forms of the models' validators, never null, by the validators' names.
            payload: the field that stays in the value when the envelope travels in headers.
            absent: JSON fields whose presence makes a record doubtful.

        Raises:
            UnknownKindError: the models use something that has no plain form.
        """
        self.name = name
        self._law = law
        self._tags = {model: tag for tag, model in models.items()}
        tree = Tree(models, tag=tag if isinstance(tag, str) else None, absent=absent)
        if tree.rules.keys() != (rules or {}).keys():
            raise UnknownKindError(f"{name}: validators {sorted(tree.rules)}, column forms of {sorted(rules or {})}")
        self._tag_type = pl.Enum(list(models))
        self._tag = (pl.col(tag) if isinstance(tag, str) else tag).cast(self._tag_type).alias(TAG)
        self._rules = [rule | ~self._belongs(tree.rules[name]) for name, rule in (rules or {}).items()]
        self._root = tree.root
        self._payload = next((branch for branch in tree.root.branches if branch.path == (payload,)), None)
        self._decode = msgspec.json.Decoder(tree.root.struct).decode
        self._decode_payload = msgspec.json.Decoder(self._payload.struct).decode if self._payload else None
        self._columns = tuple(tree.root.columns())
        self._nulls = {c.name: pl.Series(c.name, [None], c.kind.dtype) for c in self._columns}
        self._plan = lru_cache(_PLANS_KEPT)(self._planned)
        self.schema: dict[str, pl.DataType] = {
            "index": pl.UInt32(),
            TAG: self._tag_type,
            **{c.name: c.kind.dtype for c in self._columns if not (isinstance(tag, str) and c.name == tag)},
        }

    def take(self, indexes: Sequence[int], records: Sequence[bytes], text: pl.Series) -> Taken:
        """Rows of the records that are certainly valid, and the indexes of the others."""
        rows, unread = _parsed(self._decode, records, self._root.blank)
        return self._taken(indexes, [*unread, *hidden_faults(text)], self._root.values(rows), {})

    def take_split(self, indexes: Sequence[int], split: Split) -> Taken:
        """The same of records whose envelope travels beside them."""
        if self._payload is None or self._decode_payload is None:
            raise UnknownKindError(f"{self.name}: no field stays in the value")
        rows, unread = _parsed(self._decode_payload, split.records, self._payload.blank)
        given: dict[str, pl.Series] = {}
        incomplete = pl.Series([False]).new_from_index(0, len(rows))
        for leaf in self._root.leaves:
            if leaf.kind.from_text is None:
                raise UnknownKindError(f"{self.name}.{leaf.name}: no form as text, so no header can hold it")
            given[leaf.name] = leaf.kind.from_text(_texts(leaf, split.attributes)).alias(leaf.name)
            incomplete = incomplete | given[leaf.name].is_null()
        unsure = [*unread, *hidden_faults(split.texts), *incomplete.arg_true()]
        return self._taken(indexes, unsure, self._payload.values(rows), given)

    def judge(self, indexes: Iterable[int], records: Iterable[bytes]) -> Judged:
        """Each record by the law alone."""
        rows: list[tuple[object, ...]] = []
        refusals: list[Refusal] = []
        for index, record in zip(indexes, records, strict=True):
            try:
                rows.append(self._row(index, self._law.validate_json(record)))
            except ValidationError as error:
                refusals.append(refusal_of(index, error, self.name))
        return Judged(self._frame(rows), refusals)

    def _taken(
        self,
        indexes: Sequence[int],
        unsure: Iterable[int],
        read: Iterable[tuple[Column, list[Any]]],
        given: dict[str, pl.Series],
    ) -> Taken:
        count = len(indexes)
        columns = {"index": pl.Series("index", indexes, pl.UInt32), **given}
        doubtful = set(unsure)
        for leaf, values in read:
            if values.count(None) == count:
                continue
            columns[leaf.name], sure = leaf.kind.read(values)
            if sure is not None:
                doubtful.update((~sure).arg_true())
        outputs, certain = self._plan(frozenset(columns))
        columns |= {name: null.new_from_index(0, count) for name, null in self._nulls.items() if name not in columns}
        frame = pl.DataFrame(columns).with_columns(self._tag).select(*outputs, certain.alias(_SURE))
        certainty = frame.drop_in_place(_SURE)
        if not certainty.all():
            doubtful.update((~certainty).arg_true())
        if not doubtful:
            return Taken(frame, [])
        places = sorted(doubtful)
        kept = certainty.scatter(places, False)
        return Taken(frame.filter(kept), [indexes[place] for place in places])

    def _planned(self, active: frozenset[str]) -> tuple[list[pl.Expr], pl.Expr]:
        """What to select when only these columns have values: the columns of the frame, and whether a row is sure."""
        outputs = [pl.col("index", TAG)]
        certain = [pl.col(TAG).is_not_null(), *self._rules]
        for column in self._columns:
            of, belongs = pl.col(column.name), self._belongs(column.owners)
            if column.name in self.schema:
                foreign = column.owners is not None and column.name in active
                outputs.append(pl.when(belongs).then(of).alias(column.name) if foreign else of)
            if column.name in active:
                certain.extend(mask(of) | ~belongs if column.owners else mask(of) for mask in column.kind.masks)
            if column.required and column.owners:
                certain.append(of.is_not_null() | ~belongs)
        return outputs, pl.all_horizontal(certain).fill_null(value=True)  # the constraints are null of a null alone

    def _belongs(self, owners: frozenset[str] | None) -> pl.Expr:
        return pl.col(TAG).is_in(sorted(owners or ()))

    def _row(self, index: int, model: BaseModel) -> tuple[object, ...]:
        values = (_value(model, column) for column in self._columns if column.name in self.schema)
        return (index, self._tags[type(model)], *values)

    def _frame(self, rows: list[tuple[object, ...]]) -> pl.DataFrame:
        columns = zip(*rows, strict=True) if rows else [()] * len(self.schema)
        made = {}
        for (name, dtype), values in zip(self.schema.items(), columns, strict=True):
            lists = isinstance(dtype, pl.List)
            made[name] = strings_of_lists(list(values)) if lists else pl.Series(name, list(values), dtype)
        return pl.DataFrame(made, schema=self.schema)


def names_a_school(*lists: str) -> pl.Expr:
    """The column form of the validator `_names_a_school`: one of these columns of lists holds something."""
    return pl.any_horizontal([pl.col(name).list.len().fill_null(0) > 0 for name in lists])


def _parsed(decode: Callable[[bytes], Any], records: Sequence[bytes], blank: object) -> tuple[list[Any], list[int]]:
    """The records as structs, a blank for those that are not plain, and the places of these."""
    rows: list[Any] = []
    unread: list[int] = []
    rest = iter(records)
    while True:
        try:
            rows.extend(map(decode, rest))  # what was decoded before an error stays in `rows`
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            unread.append(len(rows))
            rows.append(blank)
        else:
            return rows, unread


def _texts(leaf: Column, attributes: Sequence[Attributes]) -> pl.Series:
    return texts([told.get(leaf.wire) for told in attributes])


def _value(model: object, column: Column) -> object:
    value = model
    for name in column.path:
        value = getattr(value, name, None)
        if value is None:
            return None
    if isinstance(value, StrEnum):
        return value.value
    return value.astimezone(UTC) if isinstance(value, datetime) else value
