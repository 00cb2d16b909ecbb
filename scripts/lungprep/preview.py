"""One picture per patient: three planes through the lungs, outlined, with volumes and flags.

Radiological convention: head up; axial seen from the feet and coronal from the front, so that the
patient's right is on the viewer's left; sagittal seen from the patient's left.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.segmentation import Lungs
from lungprep.volume import Volume

Picture = NDArray[np.uint8]

_PANEL = 400
_GAP = 8
_NAME = 28
_MARGIN_MM = 15.0
# The usual lung window: level -600, width 1500.
_BLACK_HU, _WHITE_HU = -1350.0, 150.0
# Blue, green, red. Blue and orange stay apart in the common kinds of colour blindness.
_RIGHT_COLOUR, _LEFT_COLOUR = (255, 170, 50), (30, 140, 255)
_INK, _PALE, _ALARM, _PAPER = (240, 240, 240), (160, 160, 160), (90, 90, 255), (24, 24, 24)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LINE = 34
_WORDS = {
    "unusual_lung_volume": "unusual lung volume",
    "lopsided_lungs": "one lung more than twice the other",
    "touches_field_border": "lungs cut by the field of view",
    "incomplete_coverage": "lungs cut by the first or last slice",
    "unusual_lung_density": "unusual lung density",
    "no_airway_found": "no trachea found",
}


def preview(volume: Volume, lungs: Lungs, title: str = "") -> bytes:
    """Draw axial, coronal and sagittal planes with the outline of the lungs.

    Parameters
    ----------
    volume : Volume
        HU, axes (z, y, x), canonical.
    lungs : Lungs
        Found in `volume`.
    title : str
        Shown above the planes; characters outside ASCII become question marks.

    Returns
    -------
    bytes
        A PNG 1200 pixels wide, in which the right lung is outlined in blue, the left one in
        orange.
    """
    row = np.hstack([_panel(*plane) for plane in _planes(volume, lungs)])
    head = _text([[(title, _INK)]]) if title else row[:0]
    picture = np.vstack([head, row, _text(_caption(lungs))])
    _, png = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 4])
    return png.tobytes()


def _planes(
    volume: Volume, lungs: Lungs
) -> Iterator[tuple[NDArray[np.int16], Picture, tuple[float, float], str]]:
    """Yield HU, labels, pixel spacing (down, across) and name of each plane, ready to be seen."""
    dz, dy, dx = lungs.grid.spacing_mm
    profiles = _profiles(lungs.labels > 0)
    (z, whole_z), (y, whole_y), (_, whole_x) = (
        _centre_and_extent(profile, step)
        for profile, step in zip(profiles, (dz, dy, dx), strict=True)
    )
    side = 1 if lungs.findings.right_ml >= lungs.findings.left_ml else 2
    x, _ = _centre_and_extent(_profiles(lungs.labels == side)[2], dx)
    upright = slice(whole_z.stop - 1, whole_z.start - 1 if whole_z.start else None, -1)
    for name, view, spacing in (
        ("axial", np.s_[z, whole_y, whole_x], (dy, dx)),
        ("coronal", np.s_[upright, y, whole_x], (dz, dx)),
        (
            f"sagittal, {'right' if side == 1 else 'left'} lung",
            np.s_[upright, whole_y, x],
            (dz, dy),
        ),
    ):
        yield volume.hu[view], lungs.labels[view], spacing, name


def _profiles(mask: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Voxels of the mask per index of each axis."""
    columns = mask.sum(axis=0, dtype=np.uint16)
    slices = np.array([np.count_nonzero(slice_) for slice_ in mask])
    return [slices, columns.sum(axis=1, dtype=np.int64), columns.sum(axis=0, dtype=np.int64)]


def _centre_and_extent(profile: NDArray[np.int64], step_mm: float) -> tuple[int, slice]:
    """Weighted middle of the lungs along an axis, and where they lie with a margin."""
    inside = np.flatnonzero(profile)
    margin = int(_MARGIN_MM / step_mm + 0.5)
    centre = int(np.average(np.arange(profile.size), weights=profile) + 0.5)
    return centre, slice(max(inside[0] - margin, 0), min(inside[-1] + margin + 1, profile.size))


def _panel(
    hu: NDArray[np.int16], labels: Picture, spacing_mm: tuple[float, float], name: str
) -> Picture:
    """One plane, as large as fits with square millimetres, outlined and named."""
    high, wide = (n * step for n, step in zip(hu.shape, spacing_mm, strict=True))
    scale = min((_PANEL - _NAME) / high, (_PANEL - _GAP) / wide)
    size = (max(int(wide * scale), 1), max(int(high * scale), 1))
    grey = np.clip((hu - _BLACK_HU) * (255 / (_WHITE_HU - _BLACK_HU)), 0, 255).astype(np.uint8)
    plane = cv2.cvtColor(cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR), cv2.COLOR_GRAY2BGR)
    for side, colour in ((1, _RIGHT_COLOUR), (2, _LEFT_COLOUR)):
        mask = cv2.resize(np.uint8(255) * (labels == side), size, interpolation=cv2.INTER_LINEAR)
        _, mask = cv2.threshold(mask, 127, 255, cv2.THRESH_BINARY)
        outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(plane, outlines, -1, colour, 2, cv2.LINE_AA)
    panel = np.full((_PANEL, _PANEL, 3), _PAPER, np.uint8)
    top, left = (_PANEL - _NAME - size[1]) // 2, (_PANEL - size[0]) // 2
    panel[top : top + size[1], left : left + size[0]] = plane
    cv2.putText(panel, name, (_GAP, _PANEL - 8), _FONT, 0.6, _PALE, 1, cv2.LINE_AA)
    return panel


def _caption(lungs: Lungs) -> list[list[tuple[str, tuple[int, int, int]]]]:
    """Lines of coloured words: the volumes, then the flags, two to a line."""
    right, left = lungs.findings.right_ml / 1000, lungs.findings.left_ml / 1000
    lines = [
        [
            (f"right {right:.2f} l", _RIGHT_COLOUR),
            (f"left {left:.2f} l", _LEFT_COLOUR),
            (f"both {right + left:.2f} l", _INK),
        ]
    ]
    if not lungs.flags:
        lines[0].append(("no flags", _PALE))
    words = [(_WORDS.get(flag, flag.replace("_", " ")), _ALARM) for flag in lungs.flags]
    return lines + [words[i : i + 2] for i in range(0, len(words), 2)]


def _text(lines: list[list[tuple[str, tuple[int, int, int]]]]) -> Picture:
    paper = np.full((_LINE * len(lines) + _GAP, 3 * _PANEL, 3), _PAPER, np.uint8)
    for i, words in enumerate(lines):
        x = _GAP
        for word, colour in words:
            (length, _), _ = cv2.getTextSize(word, _FONT, 0.9, 2)
            cv2.putText(paper, word, (x, _LINE * (i + 1) - 6), _FONT, 0.9, colour, 2, cv2.LINE_AA)
            x += length + 36
    return paper
