"""Estimate the memory of a patient's objects from their listing and one header."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from pydicom.tag import Tag
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from lungprep.image.dicom.kinds import CT, kind_of
from lungprep.image.dicom.parsing import BROKEN, BrokenFile, Tags, is_dicom, parse
from lungprep.stores import Entry, Store
from lungprep.stores.base import CONNECTIONS

# The elements below precede the pixel data. Unless a header has large private elements, they are
# within this number of bytes.
HEADER_BYTES = 1 << 16
TAGS: Tags = [
    Tag(keyword)
    for keyword in (
        "SOPClassUID",
        "Modality",
        "ImageOrientationPatient",
        "NumberOfFrames",
        "Rows",
        "Columns",
    )
]
AXIAL = (1, 0, 0, 0, 1, 0)
# Largest ratio of lossless compression of chest CT; a header that implies more is broken.
MOST_RATIO = 20
RAW = {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian}


@dataclass(frozen=True)
class Footprint:
    """Sizes of the objects under a patient's prefix.

    Attributes
    ----------
    objects : int
        Number of objects.
    stored_bytes : int
        Size of all objects.
    arriving_bytes : int
        Size of the largest objects that can be in transfer at the same time.
    decoded_bytes : int
        Size of the int16 volume, if all objects are like the one whose header was read.
    streams : bool
        Whether objects can be freed while the volume grows. This holds for slices along z: a
        multi-frame object is freed at the end, and a sagittal slice touches the whole volume.
    """

    objects: int
    stored_bytes: int
    arriving_bytes: int
    decoded_bytes: int
    streams: bool = True


def look_up(source: Store, folder: str = "") -> Footprint:
    """List a patient's objects and read the start of one, with two requests.

    Parameters
    ----------
    source : Store
        Store with the patient's objects.
    folder : str
        Folder below the store's prefix, such as ``a/b/``.

    Raises
    ------
    StoreError
        If the store does not answer.
    """
    entries = source.entries(below=True, folder=folder)
    if not entries:
        return Footprint(0, 0, 0, 0)
    return footprint(entries, source.read_start(typical(entries).key, HEADER_BYTES))


def typical(entries: Sequence[Entry]) -> Entry:
    """Return a typical object: a slice, or the one object that holds most of the bytes.

    Objects up to the size of this one hold half of all bytes.

    Parameters
    ----------
    entries : sequence of Entry
        Listed objects, at least one.
    """
    by_size = sorted(entries, key=lambda entry: (entry.size, entry.key))
    half = sum(entry.size for entry in entries) / 2
    sums = accumulate(entry.size for entry in by_size)
    return next(entry for entry, sum_ in zip(by_size, sums, strict=True) if sum_ >= half)


def footprint(entries: Sequence[Entry], start: bytes) -> Footprint:
    """Combine a listing with the start of its typical object, of whatever kind.

    Parameters
    ----------
    entries : sequence of Entry
        Listed objects, at least one.
    start : bytes
        First `HEADER_BYTES` of the object, or the whole object if it is shorter.
    """
    sizes = sorted(entry.size for entry in entries)
    stored, arriving = sum(sizes), sum(sizes[-CONNECTIONS:])
    decoded, streams = _decoded_bytes(start, len(entries), stored)
    return Footprint(len(entries), stored, arriving, decoded, streams)


def _decoded_bytes(start: bytes, objects: int, stored: int) -> tuple[int, bool]:
    """Return the size of the volume, and whether objects can be freed while it grows."""
    if not is_dicom(start):
        return stored, True
    try:
        header = parse(start, TAGS)
    except BrokenFile as error:
        header = error.dataset
    try:
        if kind_of(header) != CT:
            return stored, True
        frames = int(header.get("NumberOfFrames") or 1)
        pixels = int(header.get("Rows") or 0) * int(header.get("Columns") or 0)
        axial = _is_axial([float(v) for v in header.get("ImageOrientationPatient") or AXIAL])
    except BROKEN:
        return stored, True
    raw = str(header.file_meta.get("TransferSyntaxUID", "")) in RAW
    most = stored if raw else MOST_RATIO * stored
    return min(2 * pixels * frames * objects, most), axial and frames == 1


def _is_axial(cosines: Sequence[float]) -> bool:
    """Whether slices of an orientation are stacked along z rather than along y or x."""
    a, b, c, d, e, f = cosines
    return abs(a * e - b * d) >= max(abs(c), abs(f))
