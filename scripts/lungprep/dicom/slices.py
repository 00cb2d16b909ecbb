"""One DICOM object: its CT slices, or what else it is, and the tags that matter."""

import struct
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from pydicom.uid import UID

from lungprep.dicom.kinds import CT, ENHANCED, NOT_DICOM, kind_of
from lungprep.dicom.multiframe import GROUP_OF, flattened
from lungprep.dicom.parsing import BROKEN, BrokenFile, Tags, is_dicom, parse
from lungprep.errors import MissingTag, SliceTooLarge, UndecodablePixels
from lungprep.pixels.encapsulation import Spans, frame_spans

HEADER = [
    "SOPClassUID",
    "Modality",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "AcquisitionNumber",
    "AcquisitionTime",
    "ContentTime",
    "InstanceNumber",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "LossyImageCompression",
    "ImageType",
    "PatientPosition",
    "Manufacturer",
    "ManufacturerModelName",
    "ConvolutionKernel",
    "SliceThickness",
    "KVP",
]
SEQUENCES = [
    "ModalityLUTSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
HEADER += SEQUENCES
TAGS: Tags = [Tag(keyword) for keyword in [*HEADER, "PixelData"]]
CONVERTED = [tag for tag in TAGS if tag not in {Tag(keyword) for keyword in SEQUENCES}]

# Starts of a data set, and of file meta information, without preamble and prefix (PS3.10 7.1).
HEADLESS = (b"\x08\x00", b"\x02\x00\x00\x00", b"\x02\x00\x01\x00", b"\x02\x00\x02\x00")
# More than any CT scanner makes.
MOST_PIXELS = 8192 * 8192
EXPORT_AGAIN = "export the series again with its geometry and rescale tags"


@dataclass(frozen=True)
class Slice:
    """A CT slice, not yet decoded: an object, or a frame of one.

    Attributes
    ----------
    key : str
        Name in the store, for messages; that of a frame ends in its number from 1.
    dataset : pydicom.Dataset
        The tags of `HEADER` and the pixel data of the object. A frame's values stand under the
        keywords of single-frame images.
    frame : int
        Index of the frame in the pixel data.
    frames : int
        Frames in the pixel data.
    spans : tuple of tuple of int
        Where the encoded frame's fragments start and stop in the pixel data, once they are known.
    """

    key: str
    dataset: Dataset
    frame: int = 0
    frames: int = 1
    spans: Spans = ()

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID; empty where it is absent."""
        return self.text("SeriesInstanceUID")

    def text(self, keyword: str) -> str:
        """A tag's value as stripped text; empty where it is absent."""
        value = self.dataset.get(keyword)
        values = value if isinstance(value, MultiValue) else [value]
        return "\\".join("" if v is None else str(v).strip() for v in values)

    def numbers(self, keyword: str, count: int) -> tuple[float, ...]:
        """The `count` finite numbers of a tag.

        Raises
        ------
        MissingTag
            Where the tag is absent, empty, of another length or not finite.
        """
        value = self.dataset.get(keyword)
        values = value if isinstance(value, MultiValue) else [value]
        try:
            numbers = tuple(float(v) for v in values)
        except (TypeError, ValueError):
            numbers = ()
        if len(numbers) != count or not np.isfinite(numbers).all():
            found = (list(numbers) or "text") if value not in (None, "") else None
            raise MissingTag(
                f"{self.key} has no usable {self._place(keyword)} (found {found})", EXPORT_AGAIN
            )
        return numbers

    def integer(self, keyword: str, default: int) -> int:
        """A whole number, or `default` where the tag is absent or empty."""
        if self.dataset.get(keyword) in (None, ""):
            return default
        return int(self.numbers(keyword, 1)[0])

    def _place(self, keyword: str) -> str:
        """A keyword with the functional group that a frame should have it in."""
        in_group = self.text("SOPClassUID") in ENHANCED and keyword in GROUP_OF
        return f"{keyword} in its {GROUP_OF[keyword]}" if in_group else keyword


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
        it is: ``not DICOM``, its Modality, ``secondary capture`` or ``other DICOM``.

    Raises
    ------
    UndecodablePixels
        For a CT object, or one of unknown kind, that breaks off or makes no sense.
    SliceTooLarge
        For a CT object that announces more pixels than any scanner makes.
    """
    if not is_dicom(content):
        if content.startswith(HEADLESS):
            raise UndecodablePixels(
                f"{key} starts with data elements in place of a DICOM file header",
                "export it again",
            )
        return NOT_DICOM
    try:
        dataset, broken = parse(content, TAGS), ""
    except BrokenFile as error:
        dataset, broken = error.dataset, str(error)
    try:
        kind = kind_of(dataset)
        if kind not in (CT, ""):
            return kind
        # pydicom converts a value, or finds that it can't, when it is asked for.
        for tag in CONVERTED:
            dataset.get(tag)
        _check(key, dataset, broken)
        return _slices(key, dataset)
    except BROKEN as error:
        # Not the text of the error, which may quote the value of a broken element.
        raise _broken(key, type(error).__name__) from error


def check_size(key: str, rows: int, columns: int) -> None:
    """Refuse a slice of more pixels than any scanner makes, before memory is taken for it.

    Raises
    ------
    SliceTooLarge
        For more than 8192 x 8192 pixels.
    """
    if rows * columns > MOST_PIXELS:
        raise SliceTooLarge(
            f"{key} announces {rows} x {columns} pixels, more than any CT scanner makes",
            "upload it again",
        )


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
    if str(dataset.get("SOPClassUID", "")) not in ENHANCED:
        return [Slice(key, dataset)]
    frames = flattened(key, dataset)
    spans = _frame_spans(dataset, len(frames))
    return [
        Slice(f"{key} frame {index + 1}", frame, index, len(frames), spans[index])
        for index, frame in enumerate(frames)
    ]


def _frame_spans(dataset: Dataset, frames: int) -> list[Spans]:
    """Where encoded frames lie; nowhere yet, where they are not encoded or can't be found.

    Whether they can be found matters to those who decode a frame, and to no other slice.
    """
    if UID(str(dataset.file_meta.get("TransferSyntaxUID", ""))).is_encapsulated:
        with suppress(ValueError, struct.error):
            return frame_spans(dataset.PixelData, frames)
    return [()] * frames
