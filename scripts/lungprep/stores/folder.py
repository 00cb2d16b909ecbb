"""A folder as a store."""

import fcntl
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from errno import ELOOP, ENOENT
from pathlib import Path
from typing import BinaryIO

from lungprep.errors import (
    AccessRefused,
    ObjectNotFound,
    StoreError,
    StoreUnreachable,
    TransferMismatch,
)
from lungprep.stores.address import Address
from lungprep.stores.base import Entry
from lungprep.stores.level import Level
from lungprep.stores.links import level_of

UNFINISHED = ".unfinished-"
# Of links that lead to nothing, or in a circle.
NOWHERE = {ENOENT, ELOOP}


class Folder:
    """Objects as files below a folder; a write goes to an unfinished name and is renamed.

    Links are followed, and a folder that several lead to is listed once, or some would go round in
    circles. What is no regular file (a pipe, a device) is no object: reading it might never end.

    Parameters
    ----------
    address : Address
        The folder. It is made by the first `write`.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._path = Path(address.prefix)

    def level(self) -> Level:
        """See `Store.level`; a link to slices that another folder here has is no folder."""
        try:
            with os.scandir(self._path) as items:
                return level_of(self._path, list(items))
        except OSError as error:
            raise self._explain(error) from error

    def entries(self, *, below: bool = False, folder: str = "") -> list[Entry]:
        """See `Store.entries`; a folder that does not exist yet holds nothing."""
        try:
            if not (self._path / folder).exists():
                return []
            return sorted(self._walk(self._path / folder, below))
        except OSError as error:
            raise self._explain(error) from error

    def _walk(self, start: Path, below: bool) -> list[Entry]:
        found: list[Entry] = []
        listed: set[tuple[int, int]] = set()
        waiting = [start]
        for folder in waiting:
            status = folder.stat()
            if (identity := (status.st_dev, status.st_ino)) in listed:
                continue
            listed.add(identity)
            with os.scandir(folder) as items:
                for item in sorted(items, key=lambda item: item.name):
                    if _is_folder(item, strict=below):
                        waiting += [Path(item.path)] if below else []
                    elif not item.name.startswith(UNFINISHED):
                        found += self._file(item, below)
        return found

    def _file(self, item: os.DirEntry[str], below: bool) -> list[Entry]:
        try:
            status = item.stat()
        except OSError as error:
            # Gone since, or a link to nowhere: of no account but for a slice.
            if below or error.errno not in NOWHERE:
                raise
            return []
        return [self._entry(Path(item.path), status)] if stat.S_ISREG(status.st_mode) else []

    def _entry(self, path: Path, status: os.stat_result) -> Entry:
        key = path.relative_to(self._path).as_posix()
        return Entry(key, status.st_size, f"{status.st_mtime_ns:x}-{status.st_size:x}")

    def read(self, key: str, expected: Entry | None = None) -> bytes:
        """See `Store.read`."""
        try:
            content = (self._path / key).read_bytes()
        except OSError as error:
            raise self._explain(error, key) from error
        if expected and len(content) != expected.size:
            raise TransferMismatch(
                f"{self.address}{key} has {len(content)} bytes where the listing said "
                f"{expected.size}",
                "let the upload finish, then run again",
            )
        return content

    def read_start(self, key: str, size: int) -> bytes:
        """See `Store.read_start`."""
        try:
            with (self._path / key).open("rb") as file:
                return file.read(size)
        except OSError as error:
            raise self._explain(error, key) from error

    def write(self, key: str, content: bytes | memoryview) -> Entry:
        """See `Store.write`."""
        path = self._path / key
        unfinished = path.with_name(f"{UNFINISHED}{path.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with _only_writer(unfinished) as file:
                try:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                    unfinished.replace(path)
                except OSError:
                    unfinished.unlink(missing_ok=True)
                    raise
            status = path.stat()
        except OSError as error:
            raise self._explain(error, key) from error
        if status.st_size != len(content):
            raise TransferMismatch(
                f"{path} has {status.st_size} bytes after {len(content)} were written",
                "check the file system, then run again",
            )
        return self._entry(path, status)

    def stat(self, key: str) -> Entry | None:
        """See `Store.stat`."""
        path = self._path / key
        try:
            return self._entry(path, path.stat())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._explain(error, key) from error

    def discard(self, key: str) -> None:
        """See `Store.discard`."""
        try:
            (self._path / key).unlink(missing_ok=True)
        except OSError as error:
            raise self._explain(error, key) from error

    def abort_abandoned(self, keys: Collection[str]) -> int:
        """See `Store.abort_abandoned`; a folder has no uploads in parts."""
        return 0

    def _explain(self, error: OSError, key: str = "") -> StoreError:
        where = error.filename or f"{self.address}{key}"
        if error.errno in NOWHERE and Path(where).is_symlink():
            return ObjectNotFound(f"{where} is a link that leads nowhere", "mend it, or remove it")
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return ObjectNotFound(f"{where} does not exist", "check the path")
        if isinstance(error, PermissionError):
            return AccessRefused(f"{where} may not be opened", "check its permissions")
        return StoreUnreachable(
            f"{where} failed: {error.strerror}", "check the disk, then run again"
        )


def _is_folder(item: os.DirEntry[str], *, strict: bool) -> bool:
    try:
        return item.is_dir()
    except OSError:
        # A link in a circle.
        if strict:
            raise
        return False


@contextmanager
def _only_writer(path: Path) -> Iterator[BinaryIO]:
    """Open a file, empty, as the only one who writes it; what a killed writer left is taken over.

    Its name is that of the object, so that the next try removes what is left. While one waits for
    the lock, another may have given the file its final name: then it is opened anew.
    """
    while True:
        with path.open("ab") as file:
            with suppress(OSError):
                # Not every file system knows locks.
                fcntl.flock(file, fcntl.LOCK_EX)
            if _is(file, path):
                if os.fstat(file.fileno()).st_size:
                    file.truncate(0)
                yield file
                return


def _is(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
