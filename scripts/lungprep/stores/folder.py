"""A folder as a store."""

import logging
import os
import stat
from collections.abc import Collection
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from lungprep.errors import TransferMismatch, printable
from lungprep.stores.address import Address
from lungprep.stores.base import Entry
from lungprep.stores.files import (
    UNFINISHED,
    content_of,
    only_writer,
    opened,
    parent_of,
)
from lungprep.stores.folder_errors import NOWHERE, explain
from lungprep.stores.level import Level
from lungprep.stores.links import level_of

logger = logging.getLogger(__name__)


class Folder:
    """Objects as files below a folder; a write goes to an unfinished name and is renamed.

    In a source, whose objects are listed at any depth, links are followed. A folder that several
    paths lead to is listed once, otherwise a circle of links would never end. In a target no link
    is followed, because others may have planted it. Files that are not regular (pipes, devices)
    are ignored: reading one might never end.

    Parameters
    ----------
    address : Address
        Address of the folder. The first `write` creates it.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._path = Path(address.prefix)
        # Time of the last change (ctime) of each listed file of a source.
        self._listed: dict[str, int] = {}

    def level(self) -> Level:
        """See `Store.level`; a link to slices in another folder here does not count as a folder."""
        try:
            with os.scandir(self._path) as items:
                return level_of(self._path, list(items))
        except OSError as error:
            raise explain(self.address, error) from error

    def entries(self, *, below: bool = False, folder: str = "") -> list[Entry]:
        """See `Store.entries`; a folder that does not exist yet holds nothing."""
        try:
            if not (self._path / folder).exists():
                return []
            return sorted(self._walk(self._path / folder, below))
        except OSError as error:
            raise explain(self.address, error) from error

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
                    elif not item.name.startswith(UNFINISHED) and (below or not item.is_symlink()):
                        found += self._file(item, below)
        return found

    def _file(self, item: os.DirEntry[str], below: bool) -> list[Entry]:
        try:
            status = item.stat()
        except OSError as error:
            # The file is gone, or is a dangling link: this matters only for a slice.
            if below or error.errno not in NOWHERE:
                raise
            return []
        if not stat.S_ISREG(status.st_mode):
            if below:
                logger.warning(
                    "ignored, because it is a pipe or a device: %s", printable(item.path)
                )
            return []
        entry = self._entry(Path(item.path), status)
        if below:
            self._listed[entry.key] = status.st_ctime_ns
        return [entry]

    def _entry(self, path: Path, status: os.stat_result) -> Entry:
        key = path.relative_to(self._path).as_posix()
        return Entry(key, status.st_size, _etag(status))

    def read(self, key: str, expected: Entry | None = None) -> bytes:
        """See `Store.read`.

        With `expected`, size and times are compared before and after. Links are followed only for
        keys that were listed at any depth, as slices are; never for results.
        """
        try:
            with self._opened(key, follow=key in self._listed) as file:
                before = os.fstat(file)
                content = content_of(file, before.st_size)
                after = os.fstat(file)
        except OSError as error:
            raise explain(self.address, error, key) from error
        if expected is None:
            return content
        path = self._path / key
        if len(content) != expected.size:
            raise TransferMismatch(
                f"{path} has {len(content)} bytes, but the listing says {expected.size}",
                "let the upload finish, then run again",
            )
        unchanged = (
            before.st_ctime_ns == after.st_ctime_ns
            and self._listed.get(key, before.st_ctime_ns) == before.st_ctime_ns
        )
        if _etag(before) != expected.etag or _etag(after) != expected.etag or not unchanged:
            raise TransferMismatch(
                f"{path} was replaced while it was being read", "run again when uploads are over"
            )
        return content

    def read_again(self, expected: Entry) -> bytes:
        """See `Store.read_again`; for a file, one more read decides."""
        return self.read(expected.key, expected)

    def read_start(self, key: str, size: int) -> bytes:
        """See `Store.read_start`."""
        try:
            with self._opened(key, follow=True) as file:
                return content_of(file, min(size, os.fstat(file).st_size))
        except OSError as error:
            raise explain(self.address, error, key) from error

    def _opened(self, key: str, *, follow: bool) -> AbstractContextManager[int]:
        return opened(self._path / key if follow else Path(key), follow=follow, root=self._path)

    def write(self, key: str, content: bytes | memoryview) -> Entry:
        """See `Store.write`; anything planted under the name is replaced, and no link followed."""
        path = self._path / key
        try:
            with parent_of(self._path, key, make=True) as (folder, name):
                unfinished = f"{UNFINISHED}{name}"
                with only_writer(folder, unfinished, path.with_name(unfinished)) as file:
                    try:
                        _write(file, memoryview(content).cast("B"))
                        os.fsync(file)
                        os.replace(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
                    except OSError:
                        with suppress(FileNotFoundError):
                            os.unlink(unfinished, dir_fd=folder)
                        raise
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            raise explain(self.address, error, key, writing=True) from error
        if status.st_size != len(content):
            raise TransferMismatch(
                f"{path} has {status.st_size} bytes after {len(content)} were written",
                "check the file system, then run again",
            )
        return self._entry(path, status)

    def stat(self, key: str) -> Entry | None:
        """See `Store.stat`; a link does not count as an object."""
        try:
            with parent_of(self._path, key) as (folder, name):
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise explain(self.address, error, key) from error
        return self._entry(self._path / key, status) if stat.S_ISREG(status.st_mode) else None

    def discard(self, key: str) -> None:
        """See `Store.discard`."""
        try:
            with parent_of(self._path, key) as (folder, name):
                os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise explain(self.address, error, key) from error

    def abort_abandoned(self, keys: Collection[str]) -> int:
        """See `Store.abort_abandoned`; a folder has no uploads in parts."""
        return 0


def _is_folder(item: os.DirEntry[str], *, strict: bool) -> bool:
    try:
        return item.is_dir()
    except OSError:
        # A link that leads to itself.
        if strict:
            raise
        return False


def _etag(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def _write(file: int, content: memoryview) -> None:
    while content:
        content = content[os.write(file, content) :]
