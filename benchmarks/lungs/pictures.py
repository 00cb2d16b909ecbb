"""A picture per case: axial, coronal and sagittal, the truth and the mask outlined.

What is wrongly in, or under the other side's label, is tinted red, what is missing yellow.
"""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.volume import Grid

Picture = NDArray[np.uint8]
_HIGH = 420
_BLACK_HU, _WHITE_HU = -1250.0, 250.0
# Blue, green, red: the truth in green, the mask's right in blue and left in orange.
_TRUTH, _RIGHT, _LEFT = (80, 220, 80), (255, 170, 50), (30, 140, 255)
_WRONGLY_IN, _WRONGLY_OUT = (60, 60, 255), (60, 230, 230)


def draw(
    hu: NDArray[np.int16],
    grid: Grid,
    labels: Picture | None,
    truth: Picture | None,
    title: str,
    at: Sequence[int] | None = None,
    high: int = _HIGH,
) -> Picture:
    """Three planes side by side.

    Parameters
    ----------
    hu : ndarray of int16
        Axes (z, y, x).
    grid : Grid
        Of the volume.
    labels, truth : ndarray of uint8 or None
        Mask (right blue, left orange) and true lungs (green): 1 and 2, other values are no lung.
    title : str
        ASCII.
    at : sequence of int, optional
        Plane (z, y, x); by default where mask and truth differ most, or the middle.
    high : int
        Pixels of each plane's height.

    Returns
    -------
    ndarray of uint8
        Rows, columns, blue green red.
    """
    panels = []
    for plane, spacing in _planes(at or _worst(labels, truth, hu.shape), grid.spacing_mm):
        panels.append(_panel(hu, labels, truth, plane, spacing, high))
    row = np.hstack(panels)
    head = np.full((26, row.shape[1], 3), 24, np.uint8)
    cv2.putText(head, title, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (240,) * 3, 1, cv2.LINE_AA)
    return np.vstack([head, row])


def middle(lesions: Sequence[NDArray[np.bool_]]) -> tuple[int, int, int]:
    """The plane of each axis through the middle of lesions."""
    z, y, x = (
        int(np.average(np.arange(p.size), weights=p)) for p in _profiles(np.any(lesions, axis=0))
    )
    return z, y, x


def _lungs(labels: Picture) -> Picture:
    return np.where(labels <= 2, labels, 0).astype(np.uint8)


def _worst(
    labels: Picture | None, truth: Picture | None, shape: tuple[int, ...]
) -> tuple[int, int, int]:
    """The plane of each axis with the most wrong voxels; if there are none, the mask's middle."""
    known = [m for m in (labels, None if truth is None else _lungs(truth)) if m is not None]
    if len(known) == 2 and (known[0] != known[1]).any():
        z, y, x = (int(p.argmax()) for p in _profiles(known[0] != known[1]))
    elif known and known[0].any():
        z, y, x = middle([known[0] > 0])
    else:
        z, y, x = (n // 2 for n in shape)
    return z, y, x


def _profiles(mask: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Voxels per index of each axis."""
    return [mask.sum(axis=axes) for axes in ((1, 2), (0, 2), (0, 1))]


def _planes(at: Sequence[int], spacing: Sequence[float]) -> Iterator[tuple[tuple, tuple]]:
    (z, y, x), (dz, dy, dx) = at, spacing
    yield np.s_[z, :, :], (dy, dx)
    yield np.s_[::-1, y, :], (dz, dx)
    yield np.s_[::-1, :, x], (dz, dy)


def _panel(
    hu: NDArray[np.int16],
    labels: Picture | None,
    truth: Picture | None,
    plane: tuple,
    spacing: tuple[float, float],
    high: int,
) -> Picture:
    part = hu[plane]
    scale = high / (part.shape[0] * spacing[0])
    size = (max(int(part.shape[1] * spacing[1] * scale), 1), high)
    grey = np.clip((part - _BLACK_HU) * (255 / (_WHITE_HU - _BLACK_HU)), 0, 255).astype(np.uint8)
    panel = cv2.cvtColor(cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR), cv2.COLOR_GRAY2BGR)
    if truth is not None and labels is not None:
        true, found = _lungs(truth[plane]), labels[plane]
        _tint(panel, (found > 0) & (found != true), _WRONGLY_IN)
        _tint(panel, (true > 0) & (found == 0), _WRONGLY_OUT)
    if truth is not None:
        for side in (1, 2):
            _outline(panel, truth[plane] == side, _TRUTH)
    if labels is not None:
        for side, colour in ((1, _RIGHT), (2, _LEFT)):
            _outline(panel, labels[plane] == side, colour)
    return panel


def _tint(panel: Picture, mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    size = panel.shape[1::-1]
    where = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    panel[where] = panel[where] // 2 + np.array(colour, np.uint8) // 2


def _outline(panel: Picture, mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    size = panel.shape[1::-1]
    large = cv2.resize(np.uint8(255) * mask, size, interpolation=cv2.INTER_LINEAR)
    _, large = cv2.threshold(large, 127, 255, cv2.THRESH_BINARY)
    outlines, _ = cv2.findContours(large, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(panel, outlines, -1, colour, 1, cv2.LINE_AA)
