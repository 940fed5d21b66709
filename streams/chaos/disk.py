"""A small disk for the database, so that it can be full: a tmpfs where we may mount one.

A limit on the size of files (RLIMIT_FSIZE) is no stand-in: under it chDB 26.9 confirms parts that it wrote only in
part, which it does not on a disk that is full (docs/adr/0015).
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_SIZE_MB: Final = 512
_BLOCK: Final = bytes(64 * 1024)
_BALLAST: Final = ".ballast"


class SmallDisk:
    """A file system of its own at `folder` while this is entered; what is in it is copied to `kept` at the end."""

    def __init__(self, folder: Path, kept: Path) -> None:
        self.folder = folder
        self.mounted = False
        self._kept = kept

    def fill(self) -> None:
        """Leave no room."""
        with contextlib.suppress(OSError), (self.folder / _BALLAST).open("ab", buffering=0) as ballast:
            while ballast.write(_BLOCK) == len(_BLOCK):
                pass

    def free(self) -> None:
        """Give the room back."""
        (self.folder / _BALLAST).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE_MB}m,mode=0700", "ent-chaos", str(self.folder)]
        self.mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.mounted:
            self.free()
            shutil.copytree(self.folder, self._kept, symlinks=True, dirs_exist_ok=True)
            subprocess.run(["umount", "--lazy", str(self.folder)], capture_output=True, check=True)
            self.mounted = False
