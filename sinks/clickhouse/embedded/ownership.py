"""One process per folder: a lock that the operating system lets go of when its owner dies, however it dies."""

import fcntl
import os
from pathlib import Path


class FolderTaken(RuntimeError):
    """Another process holds the database's folder."""


class Ownership:
    """The lock of a folder, held from construction to `release`."""

    def __init__(self, folder: Path) -> None:
        """Create `folder` if need be and take it. Raises `FolderTaken`, or OSError where it cannot be written."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "owner.lock"
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise FolderTaken(
                f"the database in {folder} is in use by process {owner}: stop that process, or use another folder"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, str(os.getpid()).encode())

    def release(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)
