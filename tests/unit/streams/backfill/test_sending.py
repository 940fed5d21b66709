"""Sending files: what is confirmed is never sent again, and nobody is overrun."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.errors import MessageSizeTooLargeError

from streams.backfill import sending
from streams.backfill.files import FileDamagedError, digest, lines
from streams.backfill.sending import BackfillError, Sending, Sent


class Broker:
    """Takes records, and refuses from the one of a given number on."""

    def __init__(self, refuse_from: int | None = None) -> None:
        self.values: list[bytes] = []
        self.refuse_from = refuse_from

    def partitions(self, _topic: str) -> int:
        return 3

    def send(self, _topic: str, value: bytes, *, partition: int) -> None:
        assert partition in range(3)
        if self.refuse_from is not None and len(self.values) >= self.refuse_from:
            raise MessageSizeTooLargeError("too large")
        self.values.append(value)

    def flush(self) -> None:
        """All is confirmed."""


class Distance:
    """A worker that is behind by what it is told, in turn."""

    def __init__(self, *behind: int) -> None:
        self._behind = list(behind)

    def behind(self, _sent: int) -> int:
        return self._behind.pop(0) if self._behind else 0


def sending_to(broker: Any, remembered: list[Sent], distance: Distance | None = None) -> Sending:
    return Sending(broker, distance or Distance(), 10, lambda _path, _digest, sent: remembered.append(sent))


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_CHECKPOINT_LINES", 4)
    monkeypatch.setattr(sending, "_ASK_EVERY_S", 0.001)


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.ndjson"
    path.write_bytes(b"".join(b"%d\n" % n for n in range(10)))
    return path


def test_a_run_that_was_cut_goes_on_after_what_was_confirmed(feed: Path) -> None:
    remembered: list[Sent] = []
    first, second = Broker(refuse_from=6), Broker()
    with pytest.raises(BackfillError, match="line 7"):
        list(sending_to(first, remembered).send(feed, "d", Sent(0, finished=False)))
    assert remembered == [Sent(4, finished=False)]
    list(sending_to(second, remembered).send(feed, "d", remembered[-1]))
    assert second.values == [b"%d" % n for n in range(4, 10)]
    assert remembered[-1] == Sent(10, finished=True)


def test_it_waits_while_the_worker_is_too_far_behind(feed: Path) -> None:
    steps = list(sending_to(Broker(), [], Distance(30, 20, 10)).send(feed, "d", Sent(0, finished=False)))
    assert [step.waiting for step in steps] == [0, 30, 20, 0, 0]


def test_blank_lines_are_counted_and_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "feed.ndjson"
    path.write_bytes(b"\n1\r\n\n2")
    broker = Broker()
    *_, last = sending_to(broker, []).send(path, "d", Sent(0, finished=False))
    assert broker.values == [b"1", b"2"]
    assert last.sent == Sent(4, finished=True)


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": lambda raw: zstandard.ZstdCompressor().compress(raw),
}
LINES = st.lists(st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b"")), max_size=20)


@settings(max_examples=40, deadline=None)
@given(LINES, st.sampled_from(sorted(PACKED)), st.integers(0, 20))
def test_every_kind_of_file_has_the_same_lines(
    tmp_path_factory: pytest.TempPathFactory, told: list[bytes], kind: str, cut: int
) -> None:
    """Compressed in one piece or in two."""
    packed = PACKED[kind]
    whole = b"".join(line + b"\n" for line in told)
    path = tmp_path_factory.mktemp("kinds") / f"feed.ndjson{kind}"
    path.write_bytes(packed(whole[:cut]) + packed(whole[cut:]))
    assert [line for line, _ in lines(path)] == told


@pytest.mark.parametrize("kind", [".gz", ".zst"])
def test_a_cut_file_is_never_taken_for_a_whole_one(tmp_path: Path, kind: str) -> None:
    packed = PACKED[kind]
    whole = packed(b"".join(b"%d\n" % (n * n) for n in range(1000)))
    path = tmp_path / f"feed{kind}"
    for length in range(1, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(FileDamagedError, match="damaged or cut"):
            list(lines(path))


def test_a_file_is_known_by_what_is_in_it(feed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(feed.read_bytes())
    assert digest(copy) == digest(feed)
    copy.write_bytes(feed.read_bytes() + b" ")
    assert digest(copy) != digest(feed)
