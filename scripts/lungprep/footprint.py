"""What a patient's objects will take in memory, by their listing and one header."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from pydicom.tag import Tag
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from lungprep.dicom.kinds import CT, kind_of
from lungprep.dicom.parsing import BROKEN, BrokenFile, Tags, is_dicom, parse
from lungprep.stores import Entry, Store
from lungprep.stores.base import CONNECTIONS

# The elements below come before the pixels and, but for large private ones, within this much.
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
# Of lossless codes on chests; a header that says more is broken.
MOST_RATIO = 20
RAW = {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian}


@dataclass(frozen=True)
class Footprint:
    """What lies under a patient's prefix.

    Attributes
    ----------
    objects : int
        How many.
    stored_bytes : int
        Of all of them.
    arriving_bytes : int
        Of the largest ones that may be on their way at a time.
    decoded_bytes : int
        Of all of them as volumes of int16, if they are like the one whose header was read.
    streams : bool
        Whether objects can be let go while the volume grows: slices, one after another along z. A
        multi-frame object is one piece, and a sagittal slice touches all of the volume.
    """

    objects: int
    stored_bytes: int
    arriving_bytes: int
    decoded_bytes: int
    streams: bool = True


def look_up(source: Store, folder: str = "") -> Footprint:
    """List a patient's objects and read the start of one: two requests.

    Parameters
    ----------
    source : Store
        Where the patient lies.
    folder : str
        Where below that, ``a/b/``.

    Raises
    ------
    StoreError
        Where the store does not answer.
    """
    entries = source.entries(below=True, folder=folder)
    if not entries:
        return Footprint(0, 0, 0, 0)
    return footprint(entries, source.read_start(typical(entries).key, HEADER_BYTES))


def typical(entries: Sequence[Entry]) -> Entry:
    """The object up to whose size lies half of all bytes: a slice, or the one that holds all.

    Parameters
    ----------
    entries : sequence of Entry
        At least one.
    """
    by_size = sorted(entries, key=lambda entry: (entry.size, entry.key))
    half = sum(entry.size for entry in entries) / 2
    sums = accumulate(entry.size for entry in by_size)
    return next(entry for entry, sum_ in zip(by_size, sums, strict=True) if sum_ >= half)


def footprint(entries: Sequence[Entry], start: bytes) -> Footprint:
    """Put together a listing and the start of its typical object, whatever that is.

    Parameters
    ----------
    entries : sequence of Entry
        At least one.
    start : bytes
        `HEADER_BYTES` of the object, or all of it.
    """
    sizes = sorted(entry.size for entry in entries)
    stored, arriving = sum(sizes), sum(sizes[-CONNECTIONS:])
    decoded, streams = _decoded_bytes(start, len(entries), stored)
    return Footprint(len(entries), stored, arriving, decoded, streams)


def _decoded_bytes(start: bytes, objects: int, stored: int) -> tuple[int, bool]:
    """Bytes of the volume, and whether it can grow as the objects go."""
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
    """Whether the slices of an orientation follow one another along z, more than along y or x."""
    a, b, c, d, e, f = cosines
    return abs(a * e - b * d) >= max(abs(c), abs(f))
