"""Pictures of one byte per pixel: greys, tinted greys and text in a palette, written as a PNG.

With a palette the file is a third as large as in true colour, and takes a third of the time to
write. OpenCV can't write a palette.
"""

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

# Red, green, blue. Blue and orange can be told apart in the common kinds of colour blindness, and
# yellow is the brightest colour of the picture.
_PAPER, _YELLOW = (20, 20, 20), (255, 214, 0)
_BLUE, _ORANGE = (64, 176, 255), (255, 128, 20)
#: Shades of each of the three grey ramps: plain, tinted blue, tinted orange.
GREYS = 64
_TINTS = ((0.0, _BLUE), (0.12, _BLUE), (0.12, _ORANGE))
# Ink and paper of each ramp for text; these ramps follow the greys in the palette.
_SHADES = 8
_TEXTS = (
    ((240, 240, 240), _PAPER),
    ((165, 165, 165), _PAPER),
    (_BLUE, _PAPER),
    (_ORANGE, _PAPER),
    ((0, 0, 0), _YELLOW),
)
INK, PALE, BLUE, ORANGE, ALARM = (len(_TINTS) * GREYS + _SHADES * i for i in range(len(_TEXTS)))

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def paper(shape: tuple[int, int], ink: int = INK) -> Picture:
    """Make an empty picture (rows, columns) in the background colour of `ink`."""
    return np.full(shape, ink, np.uint8)


def solid(ink: int) -> int:
    """Return the palette index of an ink's pure colour, for lines."""
    return ink + _SHADES - 1


def text(words: str, ink: int, size: float = 0.9) -> Picture:
    """Draw words in one line.

    Parameters
    ----------
    words : str
        The words; characters outside ASCII become question marks.
    ink : int
        `INK`, `PALE`, `BLUE`, `ORANGE`, or `ALARM` (black on yellow).
    size : float
        Font size; 1 is about 22 pixels from the baseline to the top of a capital.

    Returns
    -------
    Picture
        The line, as wide as its words.
    """
    words = words.encode("ascii", "replace").decode()
    weight = 2 if size > 0.6 else 1
    (wide, _), _ = cv2.getTextSize(words, _FONT, size, weight)
    line = np.zeros((round(36 * size), wide + 2), np.uint8)
    cv2.putText(line, words, (1, round(27 * size)), _FONT, size, (255,), weight, cv2.LINE_AA)
    return np.asarray((line >> 5) + np.uint8(ink), np.uint8)


def beside(pictures: list[Picture], gap: int, wide: int, ink: int = INK) -> Picture:
    """Place pictures of any height from left to right on paper of a given width."""
    row = paper((max(p.shape[0] for p in pictures), wide), ink)
    left = gap
    for picture in pictures:
        high, across = picture.shape
        row[:high, left : left + across] = picture[:, : max(wide - left, 0)]
        left += across + gap
    return row


def encode(picture: Picture) -> bytes:
    """Encode the picture as an indexed PNG (ISO/IEC 15948)."""
    high, wide = picture.shape
    rows = np.zeros((high, wide + 1), np.uint8)
    rows[:, 1:] = picture
    header = struct.pack(">2I5B", wide, high, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", _palette().tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 4)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _palette() -> Picture:
    """Return the colours by index: red, green, blue."""
    grey = np.linspace(0, 255, GREYS)[:, np.newaxis]
    ramps = [(1 - share) * grey + share * np.array(tint) for share, tint in _TINTS]
    shade = np.linspace(0, 1, _SHADES)[:, np.newaxis]
    ramps += [shade * np.array(ink) + (1 - shade) * np.array(on) for ink, on in _TEXTS]
    return np.rint(np.vstack(ramps)).astype(np.uint8)
