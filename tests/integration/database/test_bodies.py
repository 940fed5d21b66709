"""Inserts arrive whole, however they are compressed and cut into pieces, or not at all."""

import gzip
import zlib
from collections.abc import Callable, Iterator

import clickhouse_connect
import lz4.frame
import pytest
import zstandard

from sinks.clickhouse.embedded.process import EmbeddedDatabase
from tests.integration.database.raw import ask, credentials, send_and_hang_up

ROWS = 500_000
INSERT = {"query": "INSERT INTO ent.numbers (n) FORMAT TSV"}
DATA = b"".join(b"%d\n" % n for n in range(5000))
FRAMES: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "lz4": lz4.frame.compress,
    "zstd": zstandard.compress,
}


@pytest.fixture(autouse=True)
def table(database: EmbeddedDatabase) -> Iterator[None]:
    """An empty table of numbers."""
    ask(database, "CREATE DATABASE IF NOT EXISTS ent")
    ask(database, "CREATE TABLE ent.numbers (n UInt64, label LowCardinality(String)) ENGINE = MergeTree ORDER BY n")
    yield
    ask(database, "DROP TABLE ent.numbers")


def stored(database: EmbeddedDatabase) -> tuple[int, int]:
    """How many rows there are, and their sum."""
    count, total = ask(database, "SELECT count(), sum(n) FROM ent.numbers").text.split()
    return int(count), int(total)


EXPECTED = (5000, 5000 * 4999 // 2)


@pytest.mark.parametrize("codec", [False, "lz4", "zstd", "gzip"])
def test_a_driver_s_half_million_rows_arrive_with_every_codec(database: EmbeddedDatabase, codec: str | bool) -> None:
    """clickhouse-connect sends each of its blocks as a frame of its own: a first frame alone would lose most rows."""
    client = clickhouse_connect.get_client(
        host="127.0.0.1",
        port=database.port,
        username=database.user,
        password=database.password.get_secret_value(),
        compress=codec,
        autogenerate_session_id=False,
    )
    numbers = range(ROWS)
    labels = ["a", "b"] * (ROWS // 2)
    client.insert("ent.numbers", [numbers, labels], column_names=["n", "label"], column_oriented=True)
    assert stored(database) == (ROWS, ROWS * (ROWS - 1) // 2)
    assert client.query("SELECT n FROM ent.numbers ORDER BY n").result_columns[0][-1] == ROWS - 1
    client.close()


@pytest.mark.parametrize("codec", FRAMES)
def test_all_frames_of_a_body_are_read(database: EmbeddedDatabase, codec: str) -> None:
    third = len(DATA) // 3
    body = b"".join(FRAMES[codec](part) for part in (DATA[:third], b"", DATA[third:]))
    assert ask(database, body, INSERT, headers={"Content-Encoding": codec}).status == 200
    assert stored(database) == EXPECTED


@pytest.mark.parametrize("codec", FRAMES)
@pytest.mark.parametrize("kept", [0.5, 0.9, 0.999])
def test_a_cut_frame_stores_nothing(database: EmbeddedDatabase, codec: str, kept: float) -> None:
    """Also when what is there would give whole rows: the first frame is whole, the second is cut."""
    whole, cut = FRAMES[codec](DATA), FRAMES[codec](DATA)
    body = whole + cut[: int(len(cut) * kept)]
    answer = ask(database, body, INSERT, headers={"Content-Encoding": codec})
    assert answer.code == 271
    assert stored(database) == (0, 0)


def test_bytes_that_are_no_frame_store_nothing(database: EmbeddedDatabase) -> None:
    for codec, frame in FRAMES.items():
        assert ask(database, frame(DATA) + b"and more", INSERT, headers={"Content-Encoding": codec}).code == 271
    assert ask(database, DATA, INSERT, headers={"Content-Encoding": "br"}).code == 48
    assert stored(database) == (0, 0)


def test_a_body_shorter_than_its_length_stores_nothing(database: EmbeddedDatabase) -> None:
    head = _head(database, f"Content-Length: {len(DATA)}")
    answer = send_and_hang_up(database, head + DATA[:-1000])
    assert b"X-ClickHouse-Exception-Code: 36" in answer
    assert stored(database) == (0, 0)


@pytest.mark.parametrize("end", [b"", b"0\r\n", b"3\r\n1\n", b"zz\r\n", b"2\r\n1\n99\r\n0\r\n\r\n"])
def test_chunks_without_their_end_store_nothing(database: EmbeddedDatabase, end: bytes) -> None:
    """A chunked body ends with an empty chunk and an empty line; the last chunk alone says that nothing is missing."""
    head = _head(database, "Transfer-Encoding: chunked")
    answer = send_and_hang_up(database, head + b"%x\r\n%s\r\n" % (len(DATA), DATA) + end)
    if end == b"0\r\n":
        assert stored(database) == EXPECTED  # the empty line that is missing carries nothing
    else:
        assert b"X-ClickHouse-Exception-Code: 36" in answer
        assert stored(database) == (0, 0)


def test_chunks_arrive_whole(database: EmbeddedDatabase) -> None:
    pieces = [DATA[at : at + 777] for at in range(0, len(DATA), 777)]
    assert ask(database, iter(pieces), INSERT).status == 200
    assert stored(database) == EXPECTED


def test_a_row_that_is_refused_refuses_its_block(database: EmbeddedDatabase) -> None:
    answer = ask(database, DATA + b"not a number\n", INSERT)
    assert answer.code in (6, 27, 72)
    assert stored(database) == (0, 0)


def test_the_connection_serves_on_after_a_refused_insert(database: EmbeddedDatabase) -> None:
    """A refused body that was read whole leaves the connection where the next request begins."""
    bad = _head(database, "Content-Length: 4") + b"bad\n"
    good = _head(database, "Content-Length: 2") + b"7\n"
    answer = send_and_hang_up(database, bad + good)
    assert [line for line in answer.splitlines() if line.startswith(b"HTTP/1.1")][1].startswith(b"HTTP/1.1 200")
    assert stored(database) == (1, 7)


def test_a_body_that_would_grow_beyond_the_limit_is_refused(database: EmbeddedDatabase) -> None:
    """Although the body that is sent is small. How much may be sent: see test_limits."""
    bomb = zstandard.compress(b"1\n" * 150 * 1024 * 1024)
    assert len(bomb) < 100_000
    assert ask(database, bomb, INSERT, headers={"Content-Encoding": "zstd"}).code == 307
    assert stored(database) == (0, 0)


@pytest.mark.parametrize("codec", FRAMES)
def test_answers_are_compressed_where_asked(database: EmbeddedDatabase, codec: str) -> None:
    open_frame: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.decompress,
        "deflate": zlib.decompress,
        "lz4": lz4.frame.decompress,
        "zstd": zstandard.decompress,
    }
    sql = "SELECT number FROM numbers(5000) FORMAT TSV"
    asked = ask(database, sql, {"enable_http_compression": "1"}, headers={"Accept-Encoding": f"br, {codec};q=0.5"})
    assert asked.headers["Content-Encoding"] == codec
    assert open_frame[codec](asked.body) == DATA
    not_asked = ask(database, sql, headers={"Accept-Encoding": codec})
    assert "Content-Encoding" not in not_asked.headers
    assert not_asked.body == DATA


def _head(database: EmbeddedDatabase, *lines: str) -> bytes:
    wanted = ["POST /?query=INSERT+INTO+ent.numbers+(n)+FORMAT+TSV HTTP/1.1", "Host: localhost", *lines]
    wanted += [f"{name}: {value}" for name, value in credentials(database).items()]
    return ("\r\n".join(wanted) + "\r\n\r\n").encode()
