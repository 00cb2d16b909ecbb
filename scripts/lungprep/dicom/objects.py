"""One DICOM object: its CT slices, or what else it is."""

import struct
from contextlib import suppress

from pydicom.dataset import Dataset
from pydicom.uid import UID

from lungprep.dicom.archives import archive_kind
from lungprep.dicom.irregular import SEQUENCE_END, regular
from lungprep.dicom.kinds import CT, ENHANCED, NOT_DICOM, kind_of
from lungprep.dicom.multiframe import flattened
from lungprep.dicom.parsing import BROKEN, PREFIX, BrokenFile, is_dicom, parse
from lungprep.dicom.slices import CONVERTED, IDENTITY_TAGS, TAGS, Slice, check_size
from lungprep.errors import UndecodablePixels, UnsupportedEncoding
from lungprep.pixels.encapsulation import Spans, frame_spans

# Starts of a data set, and of file meta information, without preamble and prefix (PS3.10 7.1).
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
        The slices of a CT image object in the order of its frames; or, of any other object, what
        it is: ``not DICOM``, an archive such as ``gzip files``, its Modality, ``secondary capture``
        or ``other DICOM``.

    Raises
    ------
    UndecodablePixels
        For a CT object, or one of unknown kind, that breaks off or makes no sense.
    UnsupportedEncoding
        For several frames in an object of a class for single ones.
    SliceTooLarge
        For a CT object that announces more pixels than any scanner makes.
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
        # pydicom converts a value, or finds that it can't, when it is asked for.
        for tag in CONVERTED:
            dataset.get(tag)
        _check(key, dataset, broken)
        return _slices(key, dataset)
    except BROKEN as error:
        # Not the text of the error, which may quote the value of a broken element.
        raise _broken(key, type(error).__name__) from error


def data_start(content: bytes) -> int:
    """Where the first element starts: behind preamble and prefix, if there are any."""
    return PREFIX.stop if is_dicom(content) else 0


def _parsed(content: bytes, start: int) -> tuple[Dataset, str]:
    """The elements of a file, and how it is broken if it is."""
    try:
        return parse(content, TAGS, start), ""
    except BrokenFile as error:
        return error.dataset, str(error)


def _mended(content: bytes, dataset: Dataset) -> Dataset | None:
    """The elements of a file that lost its pixel data to an irregular element or delimiter.

    The delimiter behind encoded frames is left out by some exporters; the frames must be whole.
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
    """Take out the values whose sign only PixelRepresentation tells: that one is what is missing.

    In implicit VR, pydicom can't convert them.
    """
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        if keyword in dataset:
            del dataset[keyword]


def _is_whole(dataset: Dataset) -> bool:
    """Whether no fragment of the encoded frames breaks off."""
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
            f"{key} has no pixel data, breaks off within it, or is not encoded as its header says",
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
    """Move the tags of `IDENTITY` out of a data set, as stripped text."""
    identity = {}
    for keyword, tag in IDENTITY_TAGS:
        if tag in dataset:
            value = dataset.get_item(tag).value
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
            identity[keyword] = text.strip(" \0\t\r\n")
            del dataset[tag]
    return identity


def _check_single(key: str, dataset: Dataset) -> None:
    """Refuse several frames in an object of a class that has a place for one only."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        raise UnsupportedEncoding(
            f"{key} has {frames} frames, in an object of a class for single frames, without a "
            "place for each",
            "write each slice as an object of its own, with its ImagePositionPatient",
        )


def _frame_spans(dataset: Dataset, frames: int) -> list[Spans]:
    """Where encoded frames lie; nowhere yet, where they are not encoded or can't be found.

    Whether they can be found matters to those who decode a frame, and to no other slice.
    """
    if _is_encoded(dataset):
        with suppress(ValueError, struct.error):
            return frame_spans(dataset.PixelData, frames)
    return [()] * frames
