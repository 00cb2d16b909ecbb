"""One DICOM object: whether it is a CT slice, and its stored pixels."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from lungprep.errors import MissingTag, UndecodablePixels, UnsupportedEncoding
from lungprep.hu import Stored

HEADER = [
    "SOPClassUID",
    "SOPInstanceUID",
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
UNCOMPRESSED = {
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
}
LOSSLESS = {
    RLELossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEG2000Lossless,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
}
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
    try:
        dataset = dcmread(BytesIO(content), specific_tags=[*HEADER, "PixelData"])
        for tag in list(dataset.keys()):
            dataset[tag]  # pydicom converts a value, or finds that it can't, when it is asked for
        sop_class = dataset.get("SOPClassUID")
        is_ct = sop_class in {CTImageStorage, EnhancedCTImageStorage} or (
            not sop_class and dataset.get("Modality") == "CT"
        )
    except InvalidDicomError:
        return None
    except BROKEN as error:
        raise UndecodablePixels(
            f"{key} is a broken DICOM file ({type(error).__name__}: {error})", "upload it again"
        ) from error
    return Slice(key, dataset) if is_ct else None


def stored_pixels(slice_: Slice) -> Stored:
    """Decode the stored values of a slice, exactly.

    Returns
    -------
    ndarray of int16 or uint16
        Shape (rows, columns), signed as PixelRepresentation says, bits above BitsStored (old
        overlays) removed (PS3.5 8.1.1).

    Raises
    ------
    UnsupportedEncoding
        For a lossy or unknown transfer syntax, colour, several frames, or other than 16 bits.
    UndecodablePixels
        For absent, short or broken pixel data.
    """
    dataset, key = slice_.dataset, slice_.key
    _check_format(slice_)
    if "PixelData" not in dataset:
        raise UndecodablePixels(f"{key} has no pixel data", "upload it again")
    if dataset.file_meta.TransferSyntaxUID in UNCOMPRESSED:
        return _native_pixels(slice_)
    try:
        pixels: Stored = pixel_array(dataset, raw=True)
    except BROKEN as error:
        reason = str(error).splitlines()[0]
        raise UndecodablePixels(f"{key} can't be decoded: {reason}", "upload it again") from error
    return pixels


def _check_format(slice_: Slice) -> None:
    dataset = slice_.dataset
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax not in UNCOMPRESSED | LOSSLESS:
        name = f"{syntax.name} ({syntax})" if syntax else "no transfer syntax"
        raise UnsupportedEncoding(
            f"{slice_.key} is encoded as {name}, which is not known to be lossless",
            "supply the lossless original",
        )
    expected = {"SamplesPerPixel": 1, "BitsAllocated": 16, "NumberOfFrames": 1}
    for keyword, value in expected.items():
        found = slice_.integer(keyword, value)
        if found != value:
            raise UnsupportedEncoding(
                f"{slice_.key} has {keyword} {found} where {value} is read", "convert the series"
            )
    photometric = dataset.get("PhotometricInterpretation", "MONOCHROME2")
    if photometric != "MONOCHROME2":
        raise UnsupportedEncoding(
            f"{slice_.key} is {photometric} where CT is MONOCHROME2", "convert the series"
        )


def _native_pixels(slice_: Slice) -> Stored:
    """View uncompressed pixel data as an array."""
    dataset = slice_.dataset
    rows, columns = (slice_.integer(keyword, 0) for keyword in ("Rows", "Columns"))
    content = dataset.PixelData
    if len(content) < rows * columns * 2:
        raise UndecodablePixels(
            f"{slice_.key} has {len(content)} bytes of pixels where {rows} x {columns} need "
            f"{rows * columns * 2}",
            "upload it again",
        )
    order = ">" if dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
    kind = "i2" if slice_.integer("PixelRepresentation", 0) else "u2"
    pixels = np.frombuffer(content, dtype=order + kind, count=rows * columns)
    pixels = pixels.astype(kind, copy=False).reshape(rows, columns)
    bits = slice_.integer("BitsStored", 16)
    high_bit = slice_.integer("HighBit", bits - 1)
    if not 0 < bits <= high_bit + 1 <= 16:
        raise UnsupportedEncoding(
            f"{slice_.key} has BitsStored {bits} and HighBit {high_bit}", "convert the series"
        )
    if (bits, high_bit) != (16, 15):
        # Left then right: clears overlay bits of unsigned values, extends the sign of signed ones.
        pixels = (pixels << (15 - high_bit)) >> (16 - bits)
    return pixels
