"""Read the markers of an encoded frame before a decoder runs.

A decoder allocates the memory that the stream's header asks for, and makes up the missing values of
a truncated stream. The markers reveal both faults, and reading them costs little: JPEG lossless
(ISO/IEC 10918-1, annexes B and H), JPEG-LS (ISO/IEC 14495-1, annex C), JPEG 2000 (ISO/IEC 15444-1,
annex A) and HTJ2K (ISO/IEC 15444-15).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

START = b"\xff\xd8"
END = b"\xff\xd9"
LOSSLESS_HUFFMAN = 0xC3
JPEG_LS = 0xF7
START_OF_SCAN = 0xDA
# Frame markers of all coding processes, without DHT, JPG and DAC, which have numbers in this range.
FRAMES = {*range(0xC0, 0xD0), JPEG_LS} - {0xC4, 0xC8, 0xCC}
PRESET = 0xF8
FILL = 0xFF
# In a scan, a zero byte (JPEG) or a zero bit (JPEG-LS) follows each FF; otherwise FF starts a
# marker. Restart markers (D0 to D7) are part of the data. Any marker may have more FF before it.
MARKER_IN_SCAN = {
    LOSSLESS_HUFFMAN: re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]"),
    JPEG_LS: re.compile(rb"\xff+[\x80-\xcf\xd8-\xfe]"),
}


@dataclass(frozen=True)
class Codestream:
    """Properties of a stream, according to its markers.

    Attributes
    ----------
    rows, columns, components : int
        Size of the image.
    precision : int
        Bits of a value.
    near : int
        Largest error of a decoded value: NEAR of JPEG-LS; 0 for other encodings.
    reversible : bool
        Whether the transform is exact; false for the 9-7 filter of JPEG 2000.
    signed : bool
        Whether the stream declares signed values, as JPEG 2000 can; always false for JPEG and
        JPEG-LS.
    length : int
        Bytes up to and including the end marker; decoders get no further bytes.
    """

    rows: int
    columns: int
    components: int
    precision: int
    near: int = 0
    reversible: bool = True
    signed: bool = False
    length: int = field(default=0, compare=False)


def read_jpeg(stream: bytes, process: int) -> Codestream:
    """Read the markers of a JPEG or JPEG-LS stream with one scan.

    Parameters
    ----------
    stream : bytes
        The frame; bytes after its end marker are ignored.
    process : int
        Coding process that is accepted: `LOSSLESS_HUFFMAN` or `JPEG_LS`.

    Returns
    -------
    Codestream
        Properties of the stream.

    Raises
    ------
    struct.error, IndexError
        If a segment is too short.
    ValueError
        If the stream is truncated, has another coding process, or has more than one plain scan.
    """
    found: Codestream | None = None
    for marker, start, stop in segments(stream):
        if marker in FRAMES:
            if marker != process or found is not None:
                raise ValueError(f"a JPEG stream with frame marker FF{marker:02X}")
            precision, rows, columns, components = struct.unpack_from(">BHHB", stream, start)
            found = Codestream(rows, columns, components, precision)
            if stop - start != 6 + 3 * components:
                raise ValueError("a JPEG frame header of the wrong length")
        elif marker == PRESET and stream[start] != 1:
            raise ValueError("a JPEG-LS stream with mapping tables or an oversized image")
        elif marker == START_OF_SCAN:
            if found is None:
                raise ValueError("a JPEG scan without a frame")
            return _with_scan(found, stream, (start, stop), process)
    raise ValueError("a JPEG stream without a scan")


def segments(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and stop of each segment, up to the header of the first scan."""
    if not stream.startswith(START):
        raise ValueError("not a JPEG stream")
    position = 2
    while position + 4 <= len(stream):
        prefix, marker, length = struct.unpack_from(">BBH", stream, position)
        if prefix == marker == FILL:
            position += 1
            continue
        start, position = position + 4, position + 2 + length
        if prefix != FILL or length < 3 or position > len(stream):
            raise ValueError("a truncated JPEG segment")
        yield marker, start, position


def check_rest(stream: bytes, end: int, start_marker: bytes) -> None:
    """Refuse a second image after the first.

    All other bytes after the first image are ignored. One byte may pad the frame to an even length
    (PS3.5 A.4); some exporters leave any value in it, and some add more bytes.

    Raises
    ------
    ValueError
        If an image starts after the end of the stream.
    """
    if stream.find(start_marker, end) >= 0:
        raise ValueError("more than one image in a frame")


def _with_scan(
    found: Codestream, stream: bytes, header: tuple[int, int], process: int
) -> Codestream:
    """Check the header of the scan, and that its data ends with the end-of-image marker."""
    start, stop = header
    if stop - start != 4 + 2 * stream[start]:
        raise ValueError("a JPEG scan header of the wrong length")
    if stream[start] != 1:
        return found  # several components: the caller refuses the size
    table, selector, interleave, transform = stream[start + 2 : stop]
    if transform & 15:
        raise ValueError("a JPEG scan with a point transform, which drops bits")
    end = MARKER_IN_SCAN[process].search(stream, stop)
    if end is None or not end[0].endswith(END):
        raise ValueError("truncated JPEG data")
    check_rest(stream, end.end(), START + b"\xff")
    found = replace(found, length=end.end())
    if process == LOSSLESS_HUFFMAN:
        return found
    if table or interleave:
        raise ValueError("a JPEG-LS scan with a mapping table or interleaved components")
    return replace(found, near=selector)
