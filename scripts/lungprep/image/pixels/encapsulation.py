"""Find the encoded frames in encapsulated pixel data (PS3.5 A.4)."""

import struct

ITEM = struct.Struct("<HHL")
ITEM_TAG = (0xFFFE, 0xE000)
DELIMITER_TAG = (0xFFFE, 0xE0DD)

Spans = tuple[tuple[int, int], ...]


def frame_spans(pixel_data: bytes | memoryview, frames: int) -> list[Spans]:
    """Find the fragments of every frame, in one pass.

    Parameters
    ----------
    pixel_data : bytes or memoryview
        Value of the PixelData element: a Basic Offset Table, which may be empty, and fragments.
    frames : int
        Number of frames.

    Returns
    -------
    list of tuple
        For each frame, the start and stop of each of its fragments within `pixel_data`.

    Raises
    ------
    ValueError
        If an item is truncated, or if neither the Basic Offset Table nor the number of fragments
        tells which fragments make up a frame.
    """
    table, *fragments = _items(pixel_data)
    if not fragments:
        raise ValueError("no encoded frame")
    if frames == 1:
        return [tuple(fragments)]
    if len(fragments) == frames:
        return [(fragment,) for fragment in fragments]
    offsets = struct.unpack_from(f"<{(table[1] - table[0]) // 4}L", pixel_data, table[0])
    firsts = {start - ITEM.size - table[1]: i for i, (start, _) in enumerate(fragments)}
    indices = [firsts.get(offset, -1) for offset in offsets]
    if len(offsets) != frames or indices[0] != 0 or sorted(set(indices)) != indices:
        raise ValueError(f"{len(fragments)} fragments for {frames} frames")
    stops = [*indices[1:], len(fragments)]
    return [tuple(fragments[a:b]) for a, b in zip(indices, stops, strict=True)]


def _items(pixel_data: bytes | memoryview) -> list[tuple[int, int]]:
    spans = []
    position = 0
    while position + ITEM.size <= len(pixel_data):
        group, element, length = ITEM.unpack_from(pixel_data, position)
        if (group, element) == DELIMITER_TAG:
            break
        start = position + ITEM.size
        position = start + length
        if (group, element) != ITEM_TAG or position > len(pixel_data):
            raise ValueError("pixel data that is truncated or not in fragments")
        spans.append((start, position))
    if not spans:
        raise ValueError("no items of pixel data")
    return spans
