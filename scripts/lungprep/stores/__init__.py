"""Sources of slices and targets of results: an S3 prefix or a folder, behind one interface."""

from lungprep.stores.address import Address
from lungprep.stores.base import Entry, S3Options, Store


def open_store(address: Address, options: S3Options, *, answered: bool = False) -> Store:
    """Open the store at an address, without any request yet.

    Parameters
    ----------
    address : Address
        S3 prefix or folder.
    options : S3Options
        Settings for S3; unused for a folder.
    answered : bool
        Whether the store is known to answer, as in a job of a run that has listed it. If so,
        requests wait while the store restarts; otherwise an address without a server fails in
        seconds.
    """
    if address.is_s3:
        from lungprep.stores.s3 import S3Prefix

        return S3Prefix(address, options, answered=answered)
    from lungprep.stores.folder import Folder

    return Folder(address)


__all__ = ["Address", "Entry", "S3Options", "Store", "open_store"]
