"""A CT slice, and the tags that are read from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import Tag

from lungprep.errors import MissingTag, SliceTooLarge
from lungprep.image.dicom.kinds import ENHANCED
from lungprep.image.dicom.multiframe import GROUP_OF
from lungprep.image.dicom.overlays import OVERLAYS
from lungprep.image.dicom.parsing import Tags
from lungprep.image.pixels.encapsulation import Spans

# Tags that identify the person and the examination: compared between slices, never shown. They are
# kept separately and unconverted, because an invalid name is not a fault of the image.
IDENTITY = [
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "StudyInstanceUID",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "SeriesDescription",
    "ProtocolName",
    "SeriesNumber",
    "ImageComments",
]
HEADER = [
    "SOPClassUID",
    "Modality",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "AcquisitionNumber",
    "AcquisitionTime",
    "ContentTime",
    "InstanceNumber",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "NominalPercentageOfCardiacPhase",
    "NominalPercentageOfRespiratoryPhase",
    "TriggerTime",
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
TAGS: Tags = [*(Tag(keyword) for keyword in [*HEADER, *IDENTITY, "PixelData"]), *OVERLAYS]
CONVERTED = [Tag(k) for k in [*HEADER, "PixelData"] if k not in SEQUENCES]
IDENTITY_TAGS = [(keyword, Tag(keyword)) for keyword in IDENTITY]

# More than any CT scanner makes.
MOST_PIXELS = 8192 * 8192
# Characters that pad values: white space, and NUL even under VRs that do not allow it.
BLANK = " \t\r\n\v\f\0"
EXPORT_AGAIN = "export the series again with its geometry and rescale tags"


@dataclass(frozen=True)
class Slice:
    """A CT slice, not yet decoded: an object, or one frame of an object.

    Attributes
    ----------
    key : str
        Name in the store, for messages; the name of a frame ends in its number, from 1.
    dataset : pydicom.Dataset
        The tags of `HEADER` and the pixel data of the object. The values of a frame are under the
        keywords of single-frame images.
    frame : int
        Index of the frame in the pixel data.
    frames : int
        Number of frames in the pixel data.
    spans : tuple of tuple of int
        Start and stop of the encoded frame's fragments in the pixel data; empty if unknown.
    identity : mapping of str to str
        The tags of `IDENTITY` that are present. None of their values may reach an output.
    """

    key: str
    dataset: Dataset
    frame: int = 0
    frames: int = 1
    spans: Spans = ()
    identity: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID; empty if it is absent."""
        return self.text("SeriesInstanceUID")

    def text(self, keyword: str) -> str:
        """Return a tag's value as stripped text; empty if the tag is absent."""
        value = self.dataset.get(keyword)
        values = value if isinstance(value, MultiValue | list) else [value]
        return "\\".join("" if v is None else str(v).strip(BLANK) for v in values)

    def written(self, keyword: str) -> str:
        """Return a tag of `IDENTITY` as it was written, stripped; empty if it is absent."""
        return self.identity.get(keyword, "")

    def numbers(self, keyword: str, count: int) -> tuple[float, ...]:
        """Return the `count` numbers of a tag.

        Raises
        ------
        MissingTag
            If the tag is absent or empty, or has another count or a value that is not finite.
        """
        value = self.dataset.get(keyword)
        values = value if isinstance(value, MultiValue | list) else [value]
        try:
            numbers = tuple(float(v) for v in values)
        except (TypeError, ValueError):
            numbers = _padded_numbers(self.text(keyword))
        if len(numbers) != count or not np.isfinite(numbers).all():
            found = (list(numbers) or "text") if value not in (None, "") else None
            raise MissingTag(
                f"{self.key} has no usable {self._place(keyword)} (found {found})", EXPORT_AGAIN
            )
        return numbers

    def integer(self, keyword: str, default: int) -> int:
        """Return a tag's whole number; `default` if the tag is absent or empty."""
        if self.dataset.get(keyword) in (None, ""):
            return default
        return int(self.numbers(keyword, 1)[0])

    def _place(self, keyword: str) -> str:
        """Return a keyword, in an enhanced object with the functional group that should hold it."""
        in_group = self.text("SOPClassUID") in ENHANCED and keyword in GROUP_OF
        return f"{keyword} in its {GROUP_OF[keyword]}" if in_group else keyword


def _padded_numbers(text: str) -> tuple[float, ...]:
    """Read numbers from text with padding or empty values at the end; empty if it has others."""
    try:
        return tuple(float(v.strip(BLANK)) for v in text.rstrip("\\" + BLANK).split("\\"))
    except ValueError:
        return ()


def check_size(key: str, rows: int, columns: int) -> None:
    """Refuse a slice of more pixels than any scanner makes, before memory is allocated for it.

    Raises
    ------
    SliceTooLarge
        If the slice has more than 8192 x 8192 pixels.
    """
    if rows * columns > MOST_PIXELS:
        raise SliceTooLarge(
            f"{key} announces {rows} x {columns} pixels, more than any CT scanner makes",
            "upload it again",
        )
