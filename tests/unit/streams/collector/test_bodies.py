"""Bodies: every spelling of a batch comes to its records, and no body unpacks beyond its limit."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from contextlib import suppress

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.collector.bodies import BodyError, decompress, records_of

LIMIT = 1 << 20
JSON = "application/json"


def status_of(body: bytes, encoding: str = "", kind: str = JSON, most: int = 100) -> int:
    with pytest.raises(BodyError) as caught:
        records_of(decompress(body, encoding, LIMIT), kind, {}, most)
    return caught.value.status


def bomb(encoding: str, size: int) -> bytes:
    """Zeros, as small as the encoding makes them."""
    if encoding == "gzip":
        return gzip.compress(bytes(size), 9)
    return zstandard.ZstdCompressor(level=19).compress(bytes(size))


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_refused_before_it_bursts(encoding: str) -> None:
    """256 MB in a few kilobytes: 413, and little memory is ever held."""
    body = bomb(encoding, 256 << 20)
    assert len(body) < LIMIT
    tracemalloc.start()
    assert status_of(body, encoding) == 413
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20


def test_a_bomb_within_a_bomb_is_one_layer() -> None:
    """Only the encoding that is named is taken off."""
    inner = gzip.compress(bytes(LIMIT))
    assert decompress(gzip.compress(inner), "gzip", LIMIT) == inner


def test_a_zstd_window_larger_than_the_limit_is_refused() -> None:
    """A frame's head alone can ask for gigabytes."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = frame.compress(b"x") + frame.flush()
    assert status_of(body, "zstd") == 400


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_what_is_not_one_whole_stream_is_refused(encoding: str) -> None:
    """Cut short, with something behind it, or of another kind: an unfinished body may not pass for a whole one."""
    whole = gzip.compress(b"[]") if encoding == "gzip" else zstandard.compress(b"[]")
    assert decompress(whole, encoding, LIMIT) == b"[]"
    for body in (whole[:-1], whole + b"x", whole + whole, b"[]", b"", zlib.compress(b"[]")):
        assert status_of(body, encoding) == 400, body


def test_an_unknown_encoding_is_told_those_that_are_taken() -> None:
    """`br` and stacked encodings are not."""
    for encoding in ("br", "deflate", "gzip, gzip", "identity, gzip"):
        assert status_of(b"[]", encoding) == 415


@pytest.mark.parametrize(
    ("body", "kind", "values"),
    [
        (b'{"a":1}', JSON, [b'{"a":1}']),
        (b' \n[{"a":1} , {"b":[2]},3]', JSON, [b'{"a":1}', b'{"b":[2]}', b"3"]),
        (b"[]", "application/cloudevents-batch+json; charset=utf-8", []),
        (b'{"a":1}', "application/cloudevents+json", [b'{"a":1}']),
        (b'{"sensor":"s","sendTime":"t","data":[{"a":1},{}]}', JSON, [b'{"a":1}', b"{}"]),
        (b'{"sensor":"s","data":{"a":1}}', JSON, [b'{"sensor":"s","data":{"a":1}}']),
        (b'{"a":1}\n\n {"b":\r\n\n', "application/x-ndjson", [b'{"a":1}', b' {"b":\r']),
    ],
)
def test_a_body_comes_to_its_records(body: bytes, kind: str, values: list[bytes]) -> None:
    """One document, a list, an envelope of Caliper, lines: what is within each is left to the formats."""
    assert [value.strip() for value in records_of(body, kind, {}, 100).values] == [value.strip() for value in values]


def test_a_binary_event_has_its_attributes_beside_it() -> None:
    """Headers are percent-decoded (CloudEvents' HTTP binding, 3.1.3.2), and of structured mode they are not read."""
    headers = {"ce-id": "a%20%C3%A9", "ce-type": "fr.ent.login.v1", "ce-subject": "x"}
    found = records_of(b"{}", JSON, headers, 1)
    assert found.values == [b"{}"]
    assert found.headers == [
        [("ce_id", "a é".encode()), ("ce_type", b"fr.ent.login.v1"), ("content-type", b"application/json")]
    ]
    assert records_of(b"{}", "application/cloudevents+json", headers, 1).headers is None


@pytest.mark.parametrize("body", [b"", b"null", b'"a"', b"[", b'[{"a":1}', b"[1] [2]", b"\xff", b"[" * 5000, b'{"a":'])
def test_what_is_no_batch_is_refused_as_a_whole(body: bytes) -> None:
    """There is no telling where its records are."""
    assert status_of(body) == 400


def test_an_envelope_without_a_list_is_refused() -> None:
    """Its data must be a list of events."""
    assert status_of(b'{"sensor":"s","sendTime":"t","data":{}}') == 400


def test_too_many_records_and_unknown_types_are_refused() -> None:
    """With the number that is taken, and the types that are."""
    assert status_of(b"[1,2,3]", most=2) == 413
    assert status_of(b"1\n2\n3", kind="application/x-ndjson", most=2) == 413
    assert status_of(b"a=1", kind="application/x-www-form-urlencoded") == 415
    assert status_of(b"{}", kind="") == 415


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", "gzip", "zstd"]), st.sampled_from([JSON, "application/x-ndjson"]))
def test_no_body_raises_anything_else(body: bytes, encoding: str, kind: str) -> None:
    """Any bytes come to records or to a BodyError."""
    with suppress(BodyError):
        assert len(records_of(decompress(body, encoding, LIMIT), kind, {}, 100).values) <= 100
