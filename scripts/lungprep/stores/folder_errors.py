"""One typed line for what the system says of a folder."""

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

#: Of links that lead to nothing, or in a circle.
NOWHERE = {ENOENT, ELOOP}


def explain(
    address: Address, error: OSError, key: str = "", *, writing: bool = False
) -> StoreError:
    """Typed error for what the system said.

    Parameters
    ----------
    address : Address
        The folder.
    error : OSError
        What was said.
    key : str
        Of which object.
    writing : bool
        Whether that was to be written.
    """
    where = error.filename or f"{address}{key}"
    if isinstance(where, str) and not where.startswith("/"):
        where = f"{address}{key}"
    if isinstance(error, NotRegular):
        return RequestRefused(f"{where} {error.strerror}", "remove it")
    if isinstance(error, Locked):
        return StoreUnreachable(f"{where} {error.strerror}", "end that process, then run again")
    if error.errno in NOWHERE and Path(where).is_symlink():
        return ObjectNotFound(f"{where} is a link that leads nowhere", "mend it, or remove it")
    if isinstance(error, IsADirectoryError):
        return RequestRefused(f"{where} is a folder, in the place of a file", "remove it")
    if writing and isinstance(error, NotADirectoryError | FileExistsError):
        return RequestRefused(f"{where} can't be made: what is there is no folder", "remove it")
    # A file in the place of a folder holds nothing, and takes nothing either.
    absent = FileNotFoundError if writing else (FileNotFoundError, NotADirectoryError)
    if isinstance(error, absent):
        what = "does not exist" if isinstance(error, FileNotFoundError) else "is in no folder"
        return ObjectNotFound(f"{where} {what}", "check the path")
    if isinstance(error, PermissionError):
        return AccessRefused(f"{where} may not be opened", "check its permissions")
    return StoreUnreachable(f"{where} failed: {error.strerror}", "check the disk, then run again")
