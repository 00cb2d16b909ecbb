"""CT objects that can't be read, with the part of the header that tells whether they matter."""

from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from lungprep.errors import DataError
from lungprep.image.dicom.objects import data_start, read_object
from lungprep.image.dicom.parsing import BROKEN, BrokenFile, parse
from lungprep.image.dicom.slices import TAGS, Slice

IDENTITY = ("ImageType", "SOPClassUID", "SeriesInstanceUID")


@dataclass(frozen=True)
class BrokenObject:
    """A CT object, or one of unknown kind, that can't be read.

    Attributes
    ----------
    header : Slice
        Key of the object, with the tags of `IDENTITY` that were read completely.
    error : DataError
        The fault.
    """

    header: Slice
    error: DataError


def read_or_break(key: str, content: bytes) -> list[Slice] | str | BrokenObject:
    """Call `objects.read_object`; return a `BrokenObject` instead of an error."""
    try:
        return read_object(key, content)
    except DataError as error:
        return BrokenObject(Slice(key, _identity(content)), error)


def _identity(content: bytes) -> Dataset:
    """Read the tags that tell which series an object belongs to.

    The last element of a truncated file may be incomplete, so it is left out.
    """
    try:
        dataset = parse(content, TAGS, data_start(content))
    except BrokenFile as error:
        dataset = error.dataset
    identity = Dataset()
    last = max(dataset.keys(), default=Tag(0))
    for keyword in IDENTITY:
        tag = Tag(keyword)
        if tag in dataset and tag < last:
            try:
                identity[tag] = dataset[tag]
            except BROKEN:
                continue
    return identity
