"""Read one DICOM object: its CT slices, or the kind of another object."""

import struct
from contextlib import suppress

from pydicom.dataset import Dataset
from pydicom.uid import UID

from lungprep.errors import UndecodablePixels, UnsupportedEncoding
from lungprep.image.dicom.archives import archive_kind
from lungprep.image.dicom.irregular import SEQUENCE_END, regular
from lungprep.image.dicom.kinds import CT, ENHANCED, NOT_DICOM, kind_of
from lungprep.image.dicom.multiframe import flattened
from lungprep.image.dicom.parsing import BROKEN, PREFIX, BrokenFile, is_dicom, parse
from lungprep.image.dicom.slices import CONVERTED, IDENTITY_TAGS, TAGS, Slice, check_size
from lungprep.image.pixels.encapsulation import Spans, frame_spans

# First bytes of a data set, or of file meta information, in a file without preamble and prefix
# (PS3.10 7.1).
HEADLESS = (b"\x08\x00", b"\x02\x00\x00\x00", b"\x02\x00\x01\x00", b"\x02\x00\x02\x00")


def read_object(key: str, content: bytes) -> list[Slice] | str:
    """Parse an object.

    Parameters
    ----------
    key : str
        Name in the store, for messages.
    content : bytes
        The whole object.

    Returns
    -------
    list of Slice or str
        The slices of a CT object in the order of its frames, or the kind of any other object:
        ``not DICOM``, an archive such as ``gzip files``, its Modality, ``secondary capture`` or
        ``other DICOM``.

    Raises
    ------
    UndecodablePixels
        If a CT object, or one of unknown kind, is truncated or invalid.
    UnsupportedEncoding
        If an object of a single-frame class has several frames.
    SliceTooLarge
        If a CT object announces more pixels than any scanner makes.
    """
    start = data_start(content)
    if start == 0 and not content.startswith(HEADLESS):
        return archive_kind(content) or NOT_DICOM
    dataset, broken = _parsed(content, start)
    try:
        kind = kind_of(dataset)
        if kind not in (CT, ""):
            return kind
        if start == 0:
            raise UndecodablePixels(
                f"{key} starts with data elements in place of a DICOM file header",
                "export it again",
            )
        if "PixelData" not in dataset and (mended := _mended(content, dataset)) is not None:
            dataset, broken = mended, ""
        if "PixelRepresentation" not in dataset:
            _drop_signed(dataset)
        # pydicom converts a value on first access; an invalid value must fail here, not later.
        for tag in CONVERTED:
            dataset.get(tag)
        _check(key, dataset, broken)
        return _slices(key, dataset)
    except BROKEN as error:
        # The text of the error may quote the value of a broken element, so it is left out.
        raise _broken(key, type(error).__name__) from error


def data_start(content: bytes) -> int:
    """Return the offset of the first element: after preamble and prefix, if they are present."""
    return PREFIX.stop if is_dicom(content) else 0


def _parsed(content: bytes, start: int) -> tuple[Dataset, str]:
    """Return the elements of a file, and its fault; empty if it has none."""
    try:
        return parse(content, TAGS, start), ""
    except BrokenFile as error:
        return error.dataset, str(error)


def _mended(content: bytes, dataset: Dataset) -> Dataset | None:
    """Read a file again whose pixel data was lost to an irregular element or a missing delimiter.

    Some exporters leave out the delimiter after encoded frames; the frames must be complete.
    """
    closed = content + SEQUENCE_END if _is_encoded(dataset) else None
    is_explicit = dataset.original_encoding == (False, True)
    for mended in (regular(content, PREFIX.stop) if is_explicit else None, closed):
        if mended is None:
            continue
        found, broken = _parsed(mended, PREFIX.stop)
        if "PixelData" in found and not broken and (not _is_encoded(found) or _is_whole(found)):
            return found
    return None


def _drop_signed(dataset: Dataset) -> None:
    """Drop the values whose sign only PixelRepresentation gives, since that tag is absent.

    In implicit VR, pydicom can't convert them.
    """
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        if keyword in dataset:
            del dataset[keyword]


def _is_whole(dataset: Dataset) -> bool:
    """Whether all fragments of the encoded frames are complete."""
    with suppress(*BROKEN):
        return bool(frame_spans(dataset.PixelData, int(dataset.get("NumberOfFrames") or 1)))
    return False


def _is_encoded(dataset: Dataset) -> bool:
    syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
    return syntax.is_transfer_syntax and syntax.is_encapsulated


def _check(key: str, dataset: Dataset, broken: str) -> None:
    rows, columns = (dataset.get(keyword) for keyword in ("Rows", "Columns"))
    if isinstance(rows, int) and isinstance(columns, int):
        check_size(key, rows, columns)
    if broken:
        raise _broken(key, broken)
    if "PixelData" not in dataset:
        raise UndecodablePixels(
            f"{key} has no pixel data, ends within it, or is not encoded as its header says",
            "export it again",
        )


def _broken(key: str, reason: str) -> UndecodablePixels:
    return UndecodablePixels(f"{key} is a broken DICOM file ({reason})", "upload it again")


def _slices(key: str, dataset: Dataset) -> list[Slice]:
    identity = _taken_out(dataset)
    if str(dataset.get("SOPClassUID", "")) not in ENHANCED:
        _check_single(key, dataset)
        return [Slice(key, dataset, identity=identity)]
    frames = flattened(key, dataset)
    spans = _frame_spans(dataset, len(frames))
    return [
        Slice(f"{key} frame {index + 1}", frame, index, len(frames), spans[index], identity)
        for index, frame in enumerate(frames)
    ]


def _taken_out(dataset: Dataset) -> dict[str, str]:
    """Remove the tags of `IDENTITY` from a data set, and return them as stripped text."""
    identity = {}
    for keyword, tag in IDENTITY_TAGS:
        if tag in dataset:
            value = dataset.get_item(tag).value
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
            identity[keyword] = text.strip(" \0\t\r\n")
            del dataset[tag]
    return identity


def _check_single(key: str, dataset: Dataset) -> None:
    """Refuse several frames in an object of a single-frame class, which gives one position only."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        raise UnsupportedEncoding(
            f"{key} has {frames} frames, but its class is for single frames and gives one "
            "position only",
            "write each slice as a separate object with its ImagePositionPatient",
        )


def _frame_spans(dataset: Dataset, frames: int) -> list[Spans]:
    """Return the spans of encoded frames; empty if frames are not encoded or can't be found.

    Frames that can't be found are an error only when a frame is decoded.
    """
    if _is_encoded(dataset):
        with suppress(ValueError, struct.error):
            return frame_spans(dataset.PixelData, frames)
    return [()] * frames
