"""The stored pixel values of one slice (PS3.5 8, Encoding of Pixel Data)."""

import numpy as np
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
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

from lungprep.dicom import BROKEN, Slice
from lungprep.errors import UndecodablePixels, UnsupportedEncoding
from lungprep.hu import Stored

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
JPEG = {JPEGLossless, JPEGLosslessSV1, JPEGLSLossless}
END_OF_IMAGE = b"\xff\xd9"


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
        _check_end(slice_)
        pixels: Stored = pixel_array(dataset, raw=True)
    except BROKEN as error:
        reason = str(error).splitlines()[0]
        raise UndecodablePixels(f"{key} can't be decoded: {reason}", "upload it again") from error
    return pixels


def _check_end(slice_: Slice) -> None:
    """Refuse a JPEG stream without its end: CharLS decodes what there is and invents the rest."""
    if slice_.dataset.file_meta.TransferSyntaxUID in JPEG:
        frame = get_frame(slice_.dataset.PixelData, 0, number_of_frames=1)
        if not frame.rstrip(b"\0").endswith(END_OF_IMAGE):
            raise UndecodablePixels(
                f"{slice_.key} has JPEG data that breaks off", "upload it again"
            )


def _check_format(slice_: Slice) -> None:
    dataset = slice_.dataset
    syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
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
