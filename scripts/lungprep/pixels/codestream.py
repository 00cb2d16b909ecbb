"""What an encoded frame says about itself, read before any decoder sees it.

Decoders allocate what a stream's own header asks for, and invent what a stream that breaks off no
longer holds. The structure of a stream tells both beforehand, at the cost of a few markers:
JPEG lossless (ISO/IEC 10918-1, annexes B and H), JPEG-LS (ISO/IEC 14495-1, annex C), JPEG 2000
(ISO/IEC 15444-1, annex A) and HTJ2K (ISO/IEC 15444-15).
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
# Frames of any other coding process: DHT, JPG and DAC lie among their numbers.
FRAMES = {*range(0xC0, 0xD0), JPEG_LS} - {0xC4, 0xC8, 0xCC}
PRESET = 0xF8
FILL = 0xFF
# In a scan of JPEG a zero byte follows each FF, in one of JPEG-LS a zero bit; all else is a marker.
# Markers of restart (D0 to D7) are part of the data, and more FF may lie before any marker.
MARKER_IN_SCAN = {
    LOSSLESS_HUFFMAN: re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]"),
    JPEG_LS: re.compile(rb"\xff+[\x80-\xcf\xd8-\xfe]"),
}


@dataclass(frozen=True)
class Codestream:
    """What the markers of a stream say.

    Attributes
    ----------
    rows, columns, components : int
        Size of the image.
    precision : int
        Bits of a value.
    near : int
        How far a decoded value may lie from the original one: NEAR of JPEG-LS; 0 elsewhere.
    reversible : bool
        Whether the transform can be undone exactly; false for the 9-7 filter of JPEG 2000.
    signed : bool
        Whether the stream itself tells signs apart, as JPEG 2000 can; JPEG and JPEG-LS never do.
    length : int
        Bytes up to the end marker, and with it; decoders read no further.
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
        The frame; what lies behind its end marker is passed over.
    process : int
        `LOSSLESS_HUFFMAN` or `JPEG_LS`: the only kind of frame that is let through.

    Raises
    ------
    struct.error, IndexError
        Where a segment is too short.
    ValueError
        Where the stream breaks off, is coded by another process, or is more than one plain scan.
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
    """Marker, start and stop of each segment, up to the first scan's header."""
    if not stream.startswith(START):
        raise ValueError("no JPEG stream")
    position = 2
    while position + 4 <= len(stream):
        prefix, marker, length = struct.unpack_from(">BBH", stream, position)
        if prefix == marker == FILL:
            position += 1
            continue
        start, position = position + 4, position + 2 + length
        if prefix != FILL or length < 3 or position > len(stream):
            raise ValueError("a JPEG segment that breaks off")
        yield marker, start, position


def check_rest(stream: bytes, end: int, start_marker: bytes) -> None:
    """Refuse another image behind the first.

    All else is passed over: an even length takes one byte (PS3.5 A.4), which exporters take from
    whatever lies in their memory, and some fill up more than that.

    Raises
    ------
    ValueError
        Where an image starts behind the end of the stream.
    """
    if stream.find(start_marker, end) >= 0:
        raise ValueError("more than one image in a frame")


def _with_scan(
    found: Codestream, stream: bytes, header: tuple[int, int], process: int
) -> Codestream:
    """Check the scan's header, and that its data runs to the end of the image."""
    start, stop = header
    if stop - start != 4 + 2 * stream[start]:
        raise ValueError("a JPEG scan header of the wrong length")
    if stream[start] != 1:
        return found  # of several components: refused by its size
    table, selector, interleave, transform = stream[start + 2 : stop]
    if transform & 15:
        raise ValueError("a JPEG scan with a point transform, which drops bits")
    end = MARKER_IN_SCAN[process].search(stream, stop)
    if end is None or not end[0].endswith(END):
        raise ValueError("JPEG data that breaks off")
    check_rest(stream, end.end(), START + b"\xff")
    found = replace(found, length=end.end())
    if process == LOSSLESS_HUFFMAN:
        return found
    if table or interleave:
        raise ValueError("a JPEG-LS scan with a mapping table or interleaved components")
    return replace(found, near=selector)
