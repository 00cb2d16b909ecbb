"""The stored pixel values of one slice (PS3.5 8, Encoding of Pixel Data)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from lungprep.errors import UndecodablePixels, UnsupportedEncoding
from lungprep.image.dicom.overlays import overlay_bits
from lungprep.image.dicom.parsing import BROKEN
from lungprep.image.dicom.slices import Slice, check_size
from lungprep.image.hounsfield.scale import Stored
from lungprep.image.pixels.cells import (
    Cells,
    Layout,
    Mask,
    as_signed_by_header,
    bits_beyond,
    may_reach_beyond,
    stored_values,
)
from lungprep.image.pixels.codestream import Codestream
from lungprep.image.pixels.decoders import SYNTAXES, decode
from lungprep.image.pixels.encapsulation import frame_spans
from lungprep.image.pixels.rle import decode_rle

NATIVE = {
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
}
ENCAPSULATED = {RLELossless, *SYNTAXES}
# Defined terms of PhotometricInterpretation (PS3.3 C.7.6.3.1.2), which messages may quote.
PHOTOMETRIC = {"MONOCHROME1", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}


@dataclass(frozen=True)
class Decoded:
    """The decoded pixel data of a slice.

    Attributes
    ----------
    stored : ndarray of int16 or uint16
        Stored values, shape (rows, columns).
    cells : ndarray of uint16
        Cells of 16 bits that the values were read from; some bits may not belong to the value.
    beyond : ndarray of bool or None
        Pixels with ignored bits that were set, from `lungprep.image.pixels.cells.bits_beyond`.
    stream : Codestream or None
        Properties of the encoded stream; None if the pixel data is native or RLE.
    """

    stored: Stored
    cells: Cells
    beyond: Mask | None
    stream: Codestream | None


def stored_pixels(slice_: Slice) -> Stored:
    """Decode the stored values of a slice.

    Returns
    -------
    ndarray of int16 or uint16
        Shape (rows, columns), signed according to PixelRepresentation, without the bits outside
        BitsStored (old overlays, PS3.5 8.1.1).

    Raises
    ------
    UnsupportedEncoding
        If the transfer syntax is unknown or lossy with 8 bits, if the image is in colour, if
        BitsAllocated is not 16, or if the signs of the encoded values can't be determined.
    UndecodablePixels
        If the pixel data is absent, short or broken, or the stream has another size than the
        header.
    SliceTooLarge
        If the slice has more pixels than any scanner makes.
    """
    return decoded_pixels(slice_).stored


def decoded_pixels(slice_: Slice) -> Decoded:
    """Decode a slice like `stored_pixels`, and return its cells and stream properties too."""
    layout = _layout(slice_)
    content = slice_.dataset.get("PixelData")
    if not isinstance(content, bytes | memoryview):
        raise UndecodablePixels(f"{slice_.key} has no pixel data", "upload it again")
    if slice_.dataset.file_meta.TransferSyntaxUID in NATIVE:
        cells, stream = _native(slice_, content, layout), None
    else:
        cells, stream = _encoded(slice_, content, layout)
    cells = cells.reshape(layout.rows, layout.columns)
    beyond = None
    if may_reach_beyond(cells, layout):
        beyond = bits_beyond(cells, layout, overlay_bits(slice_.dataset))
    return Decoded(stored_values(cells, layout), cells, beyond, stream)


def _encoded(
    slice_: Slice, content: bytes | memoryview, layout: Layout
) -> tuple[Cells, Codestream | None]:
    """Decode a frame of encapsulated pixel data."""
    syntax = slice_.dataset.file_meta.TransferSyntaxUID
    try:
        spans = slice_.spans or frame_spans(content, slice_.frames)[slice_.frame]
        frame = b"".join(content[start:stop] for start, stop in spans)
        if syntax == RLELossless:
            return decode_rle(frame, layout.rows * layout.columns), None
        cells, stream = decode(frame, syntax, (layout.rows, layout.columns), layout.bits)
    except BROKEN as error:
        reason = str(error).partition("\n")[0]
        raise UndecodablePixels(
            f"{slice_.key} can't be decoded: {reason}", "upload it again"
        ) from error
    signed = as_signed_by_header(cells, stream, layout)
    if signed is None:
        raise UnsupportedEncoding(
            f"{slice_.key} has {'' if stream.signed else 'un'}signed values of {stream.precision} "
            f"bits in its stream where its header says {'' if layout.signed else 'un'}signed ones "
            f"of {layout.bits} bits, so that negative values can't be recognised",
            "export it again without compression",
        )
    return signed, stream


def _layout(slice_: Slice) -> Layout:
    dataset, key = slice_.dataset, slice_.key
    syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
    if syntax not in NATIVE | ENCAPSULATED:
        known = not syntax.is_private and syntax.name != syntax
        name = f"{syntax.name} ({syntax})" if known else "an unknown transfer syntax"
        raise UnsupportedEncoding(
            f"{key} is encoded as {name}, which can't be trusted to keep HU",
            "supply the lossless original",
        )
    expected = {"SamplesPerPixel": 1, "BitsAllocated": 16, "NumberOfFrames": slice_.frames}
    for keyword, value in expected.items():
        # Some exporters write NumberOfFrames 0 for a single frame.
        found = slice_.integer(keyword, value) or (keyword == "NumberOfFrames" and value)
        if found != value:
            raise UnsupportedEncoding(
                f"{key} has {keyword} {found} where {value} is read", "convert the series"
            )
    photometric = slice_.text("PhotometricInterpretation").upper() or "MONOCHROME2"
    if photometric != "MONOCHROME2":
        name = photometric if photometric in PHOTOMETRIC else "of unknown colours"
        raise UnsupportedEncoding(f"{key} is {name} where CT is MONOCHROME2", "convert the series")
    rows, columns = (int(slice_.numbers(keyword, 1)[0]) for keyword in ("Rows", "Columns"))
    check_size(key, rows, columns)
    # BitsStored and PixelRepresentation are never guessed: a wrong sign turns dark into bright.
    bits, signed = (
        int(slice_.numbers(keyword, 1)[0]) for keyword in ("BitsStored", "PixelRepresentation")
    )
    high_bit = slice_.integer("HighBit", bits - 1)
    if not 0 < bits <= high_bit + 1 <= 16:
        raise UnsupportedEncoding(
            f"{key} has BitsStored {bits} and HighBit {high_bit}", "convert the series"
        )
    return Layout(rows, columns, bits, high_bit, bool(signed))


def _native(slice_: Slice, content: bytes | memoryview, layout: Layout) -> NDArray[np.uint16]:
    """View a frame of native pixel data as an array."""
    pixels = layout.rows * layout.columns
    needed = 2 * pixels * slice_.frames
    # A surplus row or column is not padding: Rows, Columns or NumberOfFrames must be wrong.
    if not needed <= len(content) < needed + 2 * min(layout.rows, layout.columns):
        frames = f"{slice_.frames} x " if slice_.frames > 1 else ""
        raise UndecodablePixels(
            f"{slice_.key} has {len(content)} bytes of pixels where "
            f"{frames}{layout.rows} x {layout.columns} need {needed}",
            "upload it again",
        )
    order = ">" if slice_.dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
    offset = 2 * pixels * slice_.frame
    cells = np.frombuffer(content, dtype=order + "u2", count=pixels, offset=offset)
    return cells.astype(np.uint16, copy=False)
