"""Decode encapsulated frames (PS3.5 8.2 and A.4) after a check of their streams."""

import struct
from contextlib import suppress

import jpeg_ls  # type: ignore[import-untyped]
import numpy as np
from libjpeg.utils import decode as decode_jpeg
from numpy.typing import NDArray
from openjpeg.utils import decode_pixel_data as decode_jpeg_2000
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from lungprep.image.pixels.codestream import END, JPEG_LS, LOSSLESS_HUFFMAN, Codestream, read_jpeg
from lungprep.image.pixels.jpeg2000 import read_jpeg2000, unwrapped
from lungprep.image.pixels.jpeg_lossless import check_length

JPEG_SYNTAXES = {JPEGLossless, JPEGLosslessSV1}
JPEG_LS_SYNTAXES = {JPEGLSLossless, JPEGLSNearLossless}
JPEG_2000_SYNTAXES = {JPEG2000Lossless, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K}
# Most zero bytes at the end of valid data: a value has 16 bits, and the code before it holds a 1.
MOST_ZEROS = 8
SYNTAXES = JPEG_SYNTAXES | JPEG_LS_SYNTAXES | JPEG_2000_SYNTAXES


def decode(
    frame: bytes, syntax: str, shape: tuple[int, int], bits: int
) -> tuple[NDArray[np.uint16], Codestream]:
    """Decode a JPEG, JPEG-LS, JPEG 2000 or HTJ2K frame.

    Parameters
    ----------
    frame : bytes
        The encoded frame, padded or not.
    syntax : str
        Transfer syntax UID.
    shape : tuple of int
        Rows and columns according to the header.
    bits : int
        BitsStored according to the header, for messages. The precision of the stream may be
        higher, up to 16: many exporters encode whole cells of 16 bits. It may be lower: some
        exporters encode only the bits that the values need.

    Returns
    -------
    cells : ndarray of uint16
        Shape (rows, columns). Negative values are in two's complement: of 16 bits if the stream is
        signed, otherwise of the stream's precision.
    stream : Codestream
        Properties of the stream.

    Raises
    ------
    ValueError
        If the stream's coding process is not that of the transfer syntax, or its size is not that
        of the header (both before any decoder runs), or if the stream is truncated.
    RuntimeError
        If the decoder fails.
    """
    if syntax in JPEG_2000_SYNTAXES:
        frame = unwrapped(frame)
    stream = _read(frame, syntax)
    said = (*shape, 1)
    found = (stream.rows, stream.columns, stream.components)
    if found != said or stream.precision > 16:
        raise ValueError(
            f"the stream holds {_size(*found, stream.precision)} where the header says "
            f"{_size(*said, bits)}"
        )
    frame = frame[: stream.length]
    kind = "i" if stream.signed else "u"
    values = np.frombuffer(_run(frame, syntax), f"<{kind}{1 + (stream.precision > 8)}")
    if values.size != shape[0] * shape[1]:
        raise ValueError(f"{values.size} values decoded where {shape[0] * shape[1]} are needed")
    cells = values.astype(np.uint16, copy=False).reshape(shape)
    if syntax in JPEG_SYNTAXES:
        check_length(frame, stream, cells)
    return cells, stream


def _size(rows: int, columns: int, components: int, bits: int) -> str:
    return f"{rows} x {columns} x {components} values of {bits} bits"


def _read(frame: bytes, syntax: str) -> Codestream:
    try:
        if syntax in JPEG_2000_SYNTAXES:
            return read_jpeg2000(frame)
        return read_jpeg(frame, JPEG_LS if syntax in JPEG_LS_SYNTAXES else LOSSLESS_HUFFMAN)
    except (struct.error, IndexError) as error:
        raise ValueError("an encoded stream with a segment that is too short") from error


def _run(frame: bytes, syntax: str) -> bytes:
    if syntax in JPEG_2000_SYNTAXES:
        return bytes(decode_jpeg_2000(frame, version=2))
    if syntax in JPEG_LS_SYNTAXES:
        return _run_jpeg_ls(frame)
    return decode_jpeg(frame, reshape=False).tobytes()


def _run_jpeg_ls(frame: bytes) -> bytes:
    """Decode JPEG-LS, with or without zeros before its end marker.

    Some encoders pad the data with zeros, which CharLS refuses since version 2.3. It also refuses
    data that is too short, so the number of zeros that it accepts is the right one.
    """
    try:
        return bytes(jpeg_ls.decode_pixel_data(frame)[0])
    except RuntimeError:
        data = frame[: -len(END)]
        for zeros in range(min(len(data) - len(data.rstrip(b"\0")), MOST_ZEROS)):
            with suppress(RuntimeError):
                rest = data.rstrip(b"\0") + bytes(zeros) + END
                return bytes(jpeg_ls.decode_pixel_data(rest)[0])
        raise
