"""The preview picture: six planes with the outline of the lungs, volumes, and flags in words.

Radiological convention: the head is up. Axial planes are seen from the feet and coronal planes from
the front, so the patient's right is on the viewer's left. Sagittal planes are seen from the
patient's left. All planes have the same scale. Letters and lines can be read in a picture that is
300 pixels wide.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from lungprep.image.segmentation import Lungs
from lungprep.image.volume import Volume
from lungprep.publish.flags import in_words
from lungprep.publish.preview.canvas import (
    ALARM,
    BLUE,
    GREYS,
    INK,
    ORANGE,
    PALE,
    Picture,
    beside,
    encode,
    paper,
    solid,
    text,
)
from lungprep.publish.preview.views import View, views

WIDE = 992
_GAP, _FRAME = 12, 10
_CELL, _HIGHEST = (WIDE - 4 * _GAP) // 3, 350
# The usual lung window: level -600, width 1500.
_BLACK_HU, _WHITE_HU = -1350.0, 150.0
_COLOURS = {1: BLUE, 2: ORANGE}
_TITLE, _FLAG, _FIGURE, _NOTE, _SMALL = 1.7, 1.45, 1.45, 1.1, 0.6
_RULER_CM = 5


def preview(
    volume: Volume, lungs: Lungs, title: str = "", *, scan_flags: Sequence[str] = ()
) -> bytes:
    """Draw coronal, sagittal and axial planes with the outline of the lungs.

    Parameters
    ----------
    volume : Volume
        HU, canonical axes (z, y, x).
    lungs : Lungs
        Lungs found in `volume`.
    title : str
        Title above the planes; characters outside ASCII become question marks.
    scan_flags : sequence of str
        Flags of the scan, shown in a paler line because they do not concern the mask.

    Returns
    -------
    bytes
        A PNG, `WIDE` pixels wide. The right lung is blue and the left lung orange; flags of the
        lungs give the picture a yellow header and frame.
    """
    shown = views(volume, lungs)
    high, wide = (max(sizes) for sizes in zip(*(view.size_mm for view in shown), strict=True))
    scale = min(_HIGHEST / high, _CELL / wide)
    cells = [_cell(view, scale) for view in shown]
    rows = [beside(cells[:3], _GAP, WIDE), beside(cells[3:], _GAP, WIDE)]
    picture = np.vstack([*_head(title, lungs.flags), *rows, *_foot(lungs, scan_flags, scale)])
    if lungs.flags:
        picture[:, :_FRAME] = picture[:, -_FRAME:] = picture[-_FRAME:] = ALARM
    return encode(picture)


def _cell(view: View, scale: float) -> Picture:
    """Draw a plane, centred in its column, with its name below."""
    if not view.hu.size:
        return _centred(text(view.name, INK, _NOTE))
    high, wide = (max(int(mm * scale), 1) for mm in view.size_mm)
    grey = (view.hu - _BLACK_HU) * (GREYS / (_WHITE_HU - _BLACK_HU))
    grey = np.clip(grey, 0, GREYS - 1).astype(np.uint8)
    smooth = cv2.INTER_AREA if grey.size > wide * high else cv2.INTER_LINEAR
    plane = cv2.resize(grey, (wide, high), interpolation=smooth)
    plane = np.asarray(plane, np.uint8).reshape(high, wide)
    _outline(plane, view)
    for mm in view.levels_mm:
        row = int(mm * scale)
        plane[row - 1 : row + 1, :10] = plane[row - 1 : row + 1, -10:] = solid(INK)
    _mark(plane, view.marks)
    return np.vstack([_centred(plane), _centred(text(view.name, PALE, _SMALL))])


def _outline(plane: Picture, view: View) -> None:
    """Tint the lungs, then draw their outlines."""
    high, wide = plane.shape
    outlines = {}
    for side, colour in _COLOURS.items():
        mask = np.uint8(255) * (view.labels == side)
        mask = cv2.resize(mask, (wide, high), interpolation=cv2.INTER_LINEAR) >> 7
        mask = np.asarray(mask, np.uint8).reshape(high, wide)
        plane[mask > 0] += side * GREYS
        outlines[colour], _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    for colour, contours in outlines.items():
        cv2.drawContours(plane, contours, -1, (solid(colour),), 2, cv2.LINE_8)


def _mark(plane: Picture, marks: str) -> None:
    """Write the directions at the edges of a plane."""
    high, wide = plane.shape
    for letter, down, across in zip(marks, (0.5, 0.5, 0, 1), (0, 1, 0.5, 0.5), strict=True):
        sign = text(letter, INK, _SMALL)[4:-3]
        tall, broad = sign.shape
        if tall < high // 4 and broad < wide // 4:
            top, left = int(down * (high - tall)), int(across * (wide - broad))
            plane[top : top + tall, left : left + broad] = sign


def _centred(picture: Picture) -> Picture:
    cell = paper((picture.shape[0], _CELL))
    left = max((_CELL - picture.shape[1]) // 2, 0)
    cell[:, left : left + picture.shape[1]] = picture[:, :_CELL]
    return cell


def _line(words: str, ink: int, size: float) -> Picture:
    """Write words across the whole picture, in a smaller font if they are too long."""
    room = WIDE - 2 * _GAP
    line = text(words, ink, size)
    if line.shape[1] > room:
        line = text(words, ink, size * room / line.shape[1])
    return beside([line[:, :room]], _GAP, WIDE, ink)


def _head(title: str, flags: Sequence[str]) -> list[Picture]:
    ink = ALARM if flags else INK
    lines = [_line(title, ink, _TITLE)] if title else []
    lines += [_line(in_words(flag), ink, _FLAG) for flag in flags]
    return [paper((_GAP, WIDE), ink), *lines, paper((_GAP, WIDE), ink), paper((_GAP, WIDE))]


def _foot(lungs: Lungs, scan_flags: Sequence[str], scale: float) -> list[Picture]:
    found = lungs.findings
    right, left = found.right_ml / 1000, found.left_ml / 1000
    volumes = [
        text(f"right {right:.2f} l", BLUE, _FIGURE),
        text(f"left {left:.2f} l", ORANGE, _FIGURE),
        text(f"both {right + left:.2f} l", INK, _FIGURE),
    ]
    ruler = paper((20, round(10 * _RULER_CM * scale)))
    ruler[9:11] = ruler[2:18, :2] = ruler[2:18, -2:] = solid(INK)
    airways = "" if found.airway_ml is None else f"airways {found.airway_ml} ml, "
    figures = text(
        f"{_RULER_CM} cm     mean {found.mean_hu} HU, 15th percentile {found.perc15_hu} HU, "
        f"emphysema {found.emphysema_percent} %, {airways}"
        f"surface on the border {100 * found.border_share:.1f} %",
        PALE,
        _SMALL,
    )
    lines = [beside(volumes, _GAP, WIDE), beside([ruler, figures], _GAP, WIDE)]
    if scan_flags:
        words = ", ".join(in_words(flag) for flag in scan_flags)
        lines.append(_line(f"scan: {words}", PALE, _NOTE))
    return [*lines, paper((2 * _GAP, WIDE))]
