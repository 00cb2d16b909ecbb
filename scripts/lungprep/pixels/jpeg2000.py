"""What a JPEG 2000 or HTJ2K frame says about itself (ISO/IEC 15444-1 annex A; 15444-15)."""

import struct
from collections.abc import Iterator
from dataclasses import replace

from lungprep.pixels.codestream import Codestream

CODESTREAM = b"\xff\x4f\xff\x51"
END = b"\xff\xd9"
# Some exporters wrap the codestream in the boxes of a .jp2 file (15444-1 annex I).
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
SIZ, COD, COC, SOT, SOD = 0xFF51, 0xFF52, 0xFF53, 0xFF90, 0xFF93
REVERSIBLE = 1
# Far more than any exporter writes, and few enough to decode in no time.
MOST_TILES = 4096
MOST_LAYERS = 1024


def read_jpeg2000(stream: bytes) -> Codestream:
    """Read the markers of a codestream: its size, its transforms, and that its tiles are all there.

    Parameters
    ----------
    stream : bytes
        The frame from SOC to EOC, as `unwrapped` gives it.

    Raises
    ------
    struct.error, IndexError
        Where a segment is too short.
    ValueError
        Where the stream breaks off or makes no sense.
    """
    if not stream.startswith(CODESTREAM):
        raise ValueError("no JPEG 2000 stream")
    size: Codestream | None = None
    tiles, filters, found = 0, set(), set()
    for marker, start, stop in _segments(stream):
        segment = stream[start:stop]
        if marker == SIZ:
            size, tiles = _size(segment)
        elif marker == COD:
            layers, transform = struct.unpack(">2xH5xB", segment[:10])
            if layers > MOST_LAYERS:
                raise ValueError(f"a JPEG 2000 stream of {layers} layers")
            filters.add(transform)
        elif marker == COC:
            filters.add(segment[6])
        elif marker == SOT:
            found.add(segment[:2])
    if size is None or not filters:
        raise ValueError("a JPEG 2000 stream without its size or coding style")
    if len(found) != tiles:
        raise ValueError(f"{len(found)} of {tiles} JPEG 2000 tiles")
    return replace(size, reversible=filters == {REVERSIBLE})


def _size(segment: bytes) -> tuple[Codestream, int]:
    """Size of the image, and the number of its tiles."""
    right, bottom, left, top, *tile, components = struct.unpack_from(">2x8LH", segment)
    samples = segment[36:]
    columns, rows = right - left, bottom - top
    if len(samples) != 3 * components or set(samples[1::3] + samples[2::3]) != {1}:
        raise ValueError("a JPEG 2000 stream with components of several sizes")
    if min(columns, rows, *tile[:2]) < 1:
        raise ValueError("a JPEG 2000 stream of no size")
    across, down = (
        -(-(end - offset) // step)
        for end, offset, step in zip((right, bottom), tile[2:], tile[:2], strict=True)
    )
    if not 0 < across * down <= MOST_TILES:
        raise ValueError(f"a JPEG 2000 stream of {across} x {down} tiles")
    # The sign is not of interest: the bits are the same, and PixelRepresentation tells it.
    return Codestream(rows, columns, components, (samples[0] & 0x7F) + 1), across * down


def _segments(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and stop of each segment of the main header and those of all tile-parts."""
    position, tile_stop = 2, 0
    end = len(stream) - 2
    while position < end:
        (marker,) = struct.unpack_from(">H", stream, position)
        if marker == SOD:
            if not position < tile_stop <= end:
                break
            position = tile_stop
            continue
        (length,) = struct.unpack_from(">H", stream, position + 2)
        start, stop = position + 4, position + 2 + length
        if marker < 0xFF00 or length < 3 or stop > end:
            break
        if marker == SOT:
            # A length of 0 is allowed in the last tile-part: all that is left.
            (tile_bytes,) = struct.unpack_from(">2xL", stream, start)
            tile_stop = position + tile_bytes if tile_bytes else end
        yield marker, start, stop
        position = stop
    if position != end or stream[end:] != END or not tile_stop:
        raise ValueError("JPEG 2000 data that breaks off")


def unwrapped(frame: bytes) -> bytes:
    """The codestream in the boxes of a .jp2 file, or the frame as it is."""
    if not frame.startswith(JP2):
        return frame
    position = 0
    while position + 8 <= len(frame):
        length, kind = struct.unpack_from(">L4s", frame, position)
        if kind == b"jp2c":
            return frame[position + 8 : position + length if length else None]
        if length < 8:
            break
        position += length
    raise ValueError("a .jp2 file without a codestream")
