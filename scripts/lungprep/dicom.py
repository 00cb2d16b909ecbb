"""One DICOM object: whether it is a CT slice, and the tags that matter."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage

from lungprep.errors import MissingTag, UndecodablePixels

HEADER = [
    "SOPClassUID",
    "Modality",
    "SeriesInstanceUID",
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
    "ImageType",
    "PatientPosition",
    "Manufacturer",
    "ManufacturerModelName",
    "ConvolutionKernel",
    "SliceThickness",
    "KVP",
]
CT_CLASSES = {CTImageStorage, EnhancedCTImageStorage}
# What pydicom and its decoders raise on broken files; found by truncating and flipping bytes.
BROKEN = (
    AttributeError,
    BytesLengthException,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    struct.error,
    TypeError,
    ValueError,
    zlib.error,
)


@dataclass(frozen=True)
class Slice:
    """A CT image object, not yet decoded.

    Attributes
    ----------
    key : str
        Name in the store, for messages.
    dataset : pydicom.Dataset
        The tags of `HEADER` and the pixel data.
    """

    key: str
    dataset: Dataset

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID; empty where it is absent."""
        return str(self.dataset.get("SeriesInstanceUID", ""))

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
            raise MissingTag(
                f"{self.key} has no usable {keyword} (found {value!r})",
                "export the series again with its geometry and rescale tags",
            )
        return numbers

    def integer(self, keyword: str, default: int) -> int:
        """A whole number, or `default` where the tag is absent or empty."""
        if self.dataset.get(keyword) in (None, ""):
            return default
        return int(self.numbers(keyword, 1)[0])


def read_slice(key: str, content: bytes) -> Slice | None:
    """Parse an object; None where it is no DICOM file or no CT image.

    Parameters
    ----------
    key : str
        Name in the store, for messages.
    content : bytes
        The whole object.

    Raises
    ------
    UndecodablePixels
        For a file that starts as DICOM and breaks off or makes no sense.
    """
    if content[128:132] != b"DICM" and content[:2] == b"\x08\x00":
        raise UndecodablePixels(
            f"{key} starts with data elements in place of a DICOM file header", "export it again"
        )
    try:
        dataset = dcmread(BytesIO(content), specific_tags=[*HEADER, "PixelData"])
        for tag in list(dataset.keys()):
            dataset[tag]  # pydicom converts a value, or finds that it can't, when it is asked for
        announced = str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    except InvalidDicomError:
        return None
    except BROKEN as error:
        raise UndecodablePixels(
            f"{key} is a broken DICOM file ({type(error).__name__}: {error})", "upload it again"
        ) from error
    sop_class = str(dataset.get("SOPClassUID", ""))
    if announced in CT_CLASSES and "PixelData" not in dataset:
        # Where compressed pixels break off, pydicom returns what it had by then, or nothing.
        raise UndecodablePixels(
            f"{key} has no pixel data, or breaks off within it", "upload it again"
        )
    is_ct = sop_class in CT_CLASSES or (not sop_class and dataset.get("Modality") == "CT")
    return Slice(key, dataset) if is_ct else None
