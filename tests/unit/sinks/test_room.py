"""What the embedded database does when its disk is nearly full, on a disk that only says so."""

from __future__ import annotations

import pytest

from sinks.clickhouse.embedded.refusal import Refusal
from sinks.clickhouse.embedded.room import Room

LEAST = 100
AMPLE = 2 * LEAST
NOT_ENOUGH_SPACE, UNKNOWN_STATUS_OF_INSERT = 243, 319


class Disk:
    """A disk with `free` bytes, and the engine on it."""

    def __init__(self) -> None:
        self.free = AMPLE
        self.merges = True
        self.opened = 0
        self.opens = True
        self.room = Room(lambda: self.free, LEAST, self.stop, self.go_on, self.reopen)

    def stop(self) -> None:
        self.merges = False

    def go_on(self) -> None:
        self.merges = True

    def reopen(self) -> bool:
        self.opened += self.opens
        self.merges = True  # as a table that was opened anew does
        return self.opens

    def refusal_of_an_insert(self) -> int:
        with pytest.raises(Refusal) as refused:
            self.room.enter()
        return refused.value.code


def test_nothing_is_written_or_merged_until_there_is_ample_room_again() -> None:
    disk = Disk()
    disk.free = LEAST - 1
    assert disk.refusal_of_an_insert() == NOT_ENOUGH_SPACE
    assert not disk.merges
    disk.room.tend()
    assert (disk.merges, disk.opened) == (False, 1), "it waits for room before the sources are gone"
    disk.free = AMPLE - 1
    disk.room.tend()
    assert disk.refusal_of_an_insert() == NOT_ENOUGH_SPACE
    disk.free = AMPLE
    disk.room.tend()
    assert disk.merges
    disk.room.leave(disk.room.enter())


def test_an_insert_that_saw_little_room_is_uncertain_also_when_there_is_room_again() -> None:
    disk = Disk()
    sign = disk.room.enter()
    disk.free = 0
    disk.room.tend()
    disk.free = AMPLE
    disk.room.tend()
    with pytest.raises(Refusal) as uncertain:
        disk.room.leave(sign)
    assert uncertain.value.code == UNKNOWN_STATUS_OF_INSERT


def test_a_broken_part_opens_the_tables_anew_until_it_can_be_done() -> None:
    disk = Disk()
    disk.room.doubt()
    disk.opens = False
    disk.room.tend()
    assert disk.refusal_of_an_insert() == NOT_ENOUGH_SPACE
    disk.opens = True
    disk.room.tend()
    disk.room.tend()
    assert disk.opened == 1
    disk.room.leave(disk.room.enter())
