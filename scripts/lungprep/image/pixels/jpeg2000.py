"""Read the markers of a JPEG 2000 or HTJ2K frame (ISO/IEC 15444-1 annex A; 15444-15)."""

import struct
from collections.abc import Iterator
from dataclasses import replace

from lungprep.image.pixels.codestream import END, Codestream, check_rest

CODESTREAM = b"\xff\x4f\xff\x51"
# Some exporters wrap the codestream in the boxes of a .jp2 file (15444-1 annex I).
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
SIZ, COD, COC, SOT, SOD, EOC = 0xFF51, 0xFF52, 0xFF53, 0xFF90, 0xFF93, 0xFFD9
REVERSIBLE = 1
# Far more than any exporter writes, but still quick to decode.
MOST_TILES = 4096
MOST_LAYERS = 1024
# Coded data looks random, and an empty packet is one zero byte. A longer run of equal bytes at the
# end of a tile therefore replaces lost data.
LONGEST_RUN = 16
PRECINCTS = 64


def read_jpeg2000(stream: bytes) -> Codestream:
    """Read size and transforms of a codestream, and check that all of its tiles are present.

    Parameters
    ----------
    stream : bytes
        The frame from SOC on, as returned by `unwrapped`; bytes after EOC are ignored.

    Returns
    -------
    Codestream
        Properties of the stream.

    Raises
    ------
    struct.error, IndexError
        If a segment is too short.
    ValueError
        If the stream is truncated or invalid.
    """
    if not stream.startswith(CODESTREAM):
        raise ValueError("not a JPEG 2000 stream")
    size: Codestream | None = None
    tiles, end, packets, filters, found = 0, 0, 0, set(), set()
    for marker, start, stop in _segments(stream):
        segment = stream[start:stop]
        if marker == SIZ:
            size, tiles = _size(segment)
        elif marker == COD:
            style, layers, levels, transform = struct.unpack(">BxHxB3xB", segment[:10])
            if layers > MOST_LAYERS:
                raise ValueError(f"a JPEG 2000 stream of {layers} layers")
            filters.add(transform)
            packets = layers * (levels + 1) * (PRECINCTS if style & 1 else 1)
        elif marker == COC:
            filters.add(segment[6])
        elif marker == SOT:
            found.add(segment[:2])
        elif marker == EOC:
            end = start
    if size is None or not filters:
        raise ValueError("a JPEG 2000 stream without its size or coding style")
    if len(found) != tiles:
        raise ValueError(f"{len(found)} of {tiles} JPEG 2000 tiles")
    data = stream[: end - len(END)]
    if len(data) - len(data.rstrip(data[-1:])) > packets * tiles + LONGEST_RUN:
        raise ValueError("truncated JPEG 2000 data")
    check_rest(stream, end, CODESTREAM)
    return replace(size, reversible=filters == {REVERSIBLE}, length=end)


def _size(segment: bytes) -> tuple[Codestream, int]:
    """Return the size of the image, and the number of its tiles."""
    right, bottom, left, top, *tile, components = struct.unpack_from(">2x8LH", segment)
    samples = segment[36:]
    columns, rows = right - left, bottom - top
    if len(samples) != 3 * components or set(samples[1::3] + samples[2::3]) != {1}:
        raise ValueError("a JPEG 2000 stream with components of several sizes")
    if min(columns, rows, *tile[:2]) < 1:
        raise ValueError("a JPEG 2000 stream of size 0")
    across, down = (
        -(-(end - offset) // step)
        for end, offset, step in zip((right, bottom), tile[2:], tile[:2], strict=True)
    )
    if not 0 < across * down <= MOST_TILES:
        raise ValueError(f"a JPEG 2000 stream of {across} x {down} tiles")
    precision, signed = (samples[0] & 0x7F) + 1, bool(samples[0] & 0x80)
    return Codestream(rows, columns, components, precision, signed=signed), across * down


def _segments(stream: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and stop of each segment of the main header and of all tile-parts.

    The last marker is EOC; its start and stop are the end of the stream.
    """
    position, tile_stop, is_coded = 2, 0, False
    while position + 2 <= len(stream):
        (marker,) = struct.unpack_from(">H", stream, position)
        if marker == EOC and is_coded:
            yield EOC, position + 2, position + 2
            return
        if marker == SOD:
            if not position < tile_stop <= len(stream):
                break
            position, is_coded = tile_stop, True
            continue
        (length,) = struct.unpack_from(">2xH", stream, position)
        start, stop = position + 4, position + 2 + length
        if marker < 0xFF00 or length < 3 or stop > len(stream):
            break
        if marker == SOT:
            is_coded = False
            # In the last tile-part, a length of 0 means all data up to EOC. Coded data never
            # contains EOC (15444-1 A.1.1: markers above FF8F are unambiguous).
            (tile_bytes,) = struct.unpack_from(">2xL", stream, start)
            tile_stop = position + tile_bytes if tile_bytes else stream.find(END, stop)
        yield marker, start, stop
        position = stop
    raise ValueError("truncated JPEG 2000 data")


def unwrapped(frame: bytes) -> bytes:
    """Return the codestream in the boxes of a .jp2 file; any other frame is returned unchanged."""
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
