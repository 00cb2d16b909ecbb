"""Translation of the system's errors in a folder into typed errors of one line."""

from errno import ELOOP, ENOENT
from pathlib import Path

from lungprep.errors import (
    AccessRefused,
    ObjectNotFound,
    RequestRefused,
    StoreError,
    StoreUnreachable,
)
from lungprep.stores.address import Address
from lungprep.stores.files import Locked, NotRegular

#: Errors of links that lead nowhere, or in a circle.
NOWHERE = {ENOENT, ELOOP}


def explain(
    address: Address, error: OSError, key: str = "", *, writing: bool = False
) -> StoreError:
    """Typed error for an error of the system.

    Parameters
    ----------
    address : Address
        Address of the folder.
    error : OSError
        Error of the system.
    key : str
        Key of the object.
    writing : bool
        Whether the object was being written.
    """
    where = error.filename or f"{address}{key}"
    if isinstance(where, str) and not where.startswith("/"):
        where = f"{address}{key}"
    if isinstance(error, NotRegular):
        return RequestRefused(f"{where} {error.strerror}", "remove it")
    if isinstance(error, Locked):
        return StoreUnreachable(f"{where} {error.strerror}", "end that process, then run again")
    if error.errno in NOWHERE and Path(where).is_symlink():
        return ObjectNotFound(f"{where} is a link that leads nowhere", "repair it, or remove it")
    if isinstance(error, IsADirectoryError):
        return RequestRefused(f"{where} is a folder where a file is expected", "remove it")
    if writing and isinstance(error, NotADirectoryError | FileExistsError):
        return RequestRefused(
            f"{where} can't be created: part of its path is not a folder", "remove it"
        )
    # A file where a folder is expected contains no objects.
    absent = FileNotFoundError if writing else (FileNotFoundError, NotADirectoryError)
    if isinstance(error, absent):
        what = "does not exist" if isinstance(error, FileNotFoundError) else "is not in a folder"
        return ObjectNotFound(f"{where} {what}", "check the path")
    if isinstance(error, PermissionError):
        return AccessRefused(f"{where} may not be opened", "check its permissions")
    return StoreUnreachable(f"{where} failed: {error.strerror}", "check the disk, then run again")
