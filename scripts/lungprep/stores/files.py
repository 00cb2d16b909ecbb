"""Files of a folder that others may write to: never touch a file outside it, and never hang."""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EAGAIN, EINVAL, EISDIR, ELOOP, ENOTDIR, ENXIO, EWOULDBLOCK
from pathlib import Path

UNFINISHED = ".unfinished-"
# Time that another writer of the same file may hold its lock, s: a volume takes seconds.
LOCK_S = 60.0
LOCK_PAUSE_S = 0.05
# How often to remove something planted under the name of an unfinished file.
TIMES = 5
# Opening a pipe must not block.
_SAFE = os.O_NONBLOCK | os.O_CLOEXEC
_PARENT = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class NotRegular(OSError):
    """A pipe, a device or a link was found instead of a file."""


class Locked(OSError):
    """Another process holds the lock of a file."""


@contextmanager
def parent_of(root: Path, key: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """Open the folder of a key without following a link below the root.

    Parameters
    ----------
    root : Path
        Folder as the user named it; links in its own path are followed.
    key : str
        Key relative to the root.
    make : bool
        Whether to create missing folders.

    Yields
    ------
    descriptor : int
        Descriptor of the folder.
    name : str
        Name of the file in it.
    """
    *folders, name = key.split("/")
    if make:
        root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(root, _PARENT)
    try:
        for folder in folders:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(folder, dir_fd=descriptor)
            deeper = _opened(folder, _PARENT | os.O_NOFOLLOW, descriptor, root / key)
            os.close(descriptor)
            descriptor = deeper
        yield descriptor, name
    finally:
        os.close(descriptor)


def _opened(name: str, flags: int, folder: int, path: Path) -> int:
    try:
        return os.open(name, flags, 0o666, dir_fd=folder)
    except OSError as error:
        if error.errno in (ELOOP, ENXIO) or (error.errno == ENOTDIR and _is_link(name, folder)):
            raise NotRegular(EINVAL, "is a link, a pipe or a device", str(path)) from error
        if error.errno == EISDIR:
            raise IsADirectoryError(EISDIR, "is a folder", str(path)) from error
        raise


def _is_link(name: str, folder: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


@contextmanager
def opened(path: Path, *, follow: bool, root: Path | None = None) -> Iterator[int]:
    """Open a regular file for reading.

    Parameters
    ----------
    path : Path
        Path of the file, relative to the root if one is given.
    follow : bool
        Whether to follow links, as in a source.
    root : Path, optional
        Root of the store; needed if links are not followed.

    Raises
    ------
    NotRegular
        For a pipe, a device, or a link that is not followed.
    """
    if follow or root is None:
        descriptor = os.open(path, os.O_RDONLY | _SAFE)
    else:
        with parent_of(root, path.as_posix()) as (folder, name):
            flags = os.O_RDONLY | os.O_NOFOLLOW | _SAFE
            descriptor = _opened(name, flags, folder, root / path)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegular(EINVAL, "is a link, a pipe or a device", str(path))
        yield descriptor
    finally:
        os.close(descriptor)


def content_of(descriptor: int, size: int) -> bytes:
    """First bytes of an open file, at most `size`; asking for one more could block."""
    # A single read suffices, except for sizes beyond the system's limit per read.
    parts = []
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


@contextmanager
def only_writer(folder: int, name: str, path: Path) -> Iterator[int]:
    """Open an empty file as its only writer; a file left by a killed writer is taken over.

    The file's name follows from the object's name, so that the next attempt removes leftovers.
    While this process waits for the lock, another may rename the file to its final name: then the
    file is opened anew. Anything planted under the name (a link, a pipe, a hard link to a file
    elsewhere) is removed, never written to.

    Yields
    ------
    int
        Descriptor of the open file.

    Raises
    ------
    NotRegular
        If something is planted again and again.
    Locked
        If another process holds the lock for longer than `LOCK_S`.
    """
    planted, deadline = 0, time.monotonic() + LOCK_S
    while True:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | _SAFE
        try:
            descriptor = _opened(name, flags, folder, path)
        except NotRegular:
            planted += 1
            if planted > TIMES:
                raise
            os.unlink(name, dir_fd=folder)
            continue
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                planted += 1
                if planted > TIMES:
                    raise NotRegular(EINVAL, "is a link, a pipe or a device", str(path))
                os.unlink(name, dir_fd=folder)
                continue
            if not _locked(descriptor, deadline, path) or not _is(descriptor, name, folder):
                continue
            if os.fstat(descriptor).st_size:
                os.truncate(descriptor, 0)
            yield descriptor
            return
        finally:
            os.close(descriptor)


def _locked(descriptor: int, deadline: float, path: Path) -> bool:
    """Take the lock of an open file; some file systems do not support locks."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (EAGAIN, EWOULDBLOCK):
                return True
        else:
            return True
        if time.monotonic() > deadline:
            raise Locked(EAGAIN, f"has been locked by another process for {LOCK_S:g} s", str(path))
        time.sleep(LOCK_PAUSE_S)


def _is(descriptor: int, name: str, folder: int) -> bool:
    try:
        there = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)
