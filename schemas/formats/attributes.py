"""CloudEvents' binary mode on Kafka: the attributes travel as headers, the value is the data.

Law of the binary mode: a record is accepted exactly where its value is one complete JSON document and the structured
event with these attributes and that data is accepted; the values are equal. So nothing in the value can pass for an
attribute. Attributes that the model does not have are dropped unread; of a header given twice the last one counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from pydantic_core import from_json

from schemas.decode.form import Attributes
from schemas.decode.outcome import Refusal
from schemas.reason import Reason

Headers = Sequence[tuple[str, bytes | None]]
PREFIX = "ce_"
NAMES = ("specversion", "id", "source", "type", "time")
_HEADERS = {PREFIX + name: name for name in NAMES}
_STRUCTURED = b"application/cloudevents"


def attributes_of(headers: Headers | None) -> Attributes | None:
    """The attributes of a record in binary mode; None of one in structured mode or of no CloudEvent at all.

    The content type decides where it says `application/cloudevents`; else one `ce_` header of ours is enough.
    """
    if not headers:
        return None
    given = {_HEADERS[name]: value for name, value in headers if name in _HEADERS}
    if not given:
        return None
    kind = next((value for name, value in headers if name.lower() == "content-type"), None)
    return None if kind and kind.lower().startswith(_STRUCTURED) else given


def structured(attributes: Attributes, value: bytes) -> bytes:
    """The structured event with these attributes and this data.

    Raises:
        ValueError: the value is not one JSON document, or an attribute is no text.
    """
    from_json(value)
    told = {name: None if text is None else text.decode() for name, text in attributes.items()}
    return json.dumps(told)[:-1].encode() + (b',"data":' if told else b'"data":') + value + b"}"


def compose(
    indexes: Iterable[int], records: Iterable[bytes], attributes: Iterable[Attributes | None], format_name: str
) -> tuple[list[int], list[bytes], list[Refusal]]:
    """Each record as a structured event, and the refusals of those that cannot be one."""
    places: list[int] = []
    whole: list[bytes] = []
    refusals: list[Refusal] = []
    for index, record, told in zip(indexes, records, attributes, strict=True):
        try:
            event = record if told is None else structured(told, record)
        except UnicodeDecodeError:
            text = "an attribute in the headers is not text in UTF-8"
            refusals.append(Refusal(index, Reason.BAD_TYPE, text, format_name))
        except ValueError as error:
            refusals.append(Refusal(index, Reason.BAD_JSON, f"Invalid JSON: {error}", format_name))
        else:
            places.append(index)
            whole.append(event)
    return places, whole, refusals
