"""Where slices come from and results go: an S3 prefix or a folder, behind one interface."""

from lungprep.stores.address import Address
from lungprep.stores.base import Entry, S3Options, Store


def open_store(address: Address, options: S3Options, *, answered: bool = False) -> Store:
    """Open the store at an address; nothing is requested yet.

    Parameters
    ----------
    address : Address
        An S3 prefix or a folder.
    options : S3Options
        How to speak to S3; unused for a folder.
    answered : bool
        Whether the store is known to answer, as in a job of a run that has listed it. Then it is
        waited for while it restarts; otherwise an address without a server fails in seconds.
    """
    if address.is_s3:
        from lungprep.stores.s3 import S3Prefix

        return S3Prefix(address, options, answered=answered)
    from lungprep.stores.folder import Folder

    return Folder(address)


__all__ = ["Address", "Entry", "S3Options", "Store", "open_store"]
