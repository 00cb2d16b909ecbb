"""Where slices come from and results go: an S3 prefix or a folder, behind one interface."""

from lungprep.stores.address import Address
from lungprep.stores.base import Entry, S3Options, Store


def open_store(address: Address, options: S3Options) -> Store:
    """Open the store at an address; nothing is requested yet.

    Parameters
    ----------
    address : Address
        An S3 prefix or a folder.
    options : S3Options
        How to speak to S3; unused for a folder.
    """
    if address.is_s3:
        from lungprep.stores.s3 import S3Prefix

        return S3Prefix(address, options)
    from lungprep.stores.folder import Folder

    return Folder(address)


__all__ = ["Address", "Entry", "S3Options", "Store", "open_store"]
