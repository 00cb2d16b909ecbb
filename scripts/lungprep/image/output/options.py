"""Options of the published arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Keep = Literal["keep"]
DType = Literal["int16", "uint8", "float32"]
Shape = Literal["ball", "diamond"]


@dataclass(frozen=True)
class ExportOptions:
    """Config keys that a preset sets; scripts/lungprep/config/schema.yaml explains each.

    The defaults are those of the preset ``hu``. "keep" turns a step off.

    Attributes
    ----------
    hull : bool
        Whether to fill each axial slice of each lung to its convex hull.
    hull_growth : float
        Largest ratio of hull to lung in a slice; a slice with a larger hull keeps its lung.
    dilate_mm : float
        Radius by which the lungs, or their hulls, are then dilated.
    dilate_shape : {"ball", "diamond"}
        Distance that the radius limits: Euclidean, or the sum of distances along the axes.
    crop_margin_mm : sequence of 3 pairs of float, or "keep"
        Margin around the undilated lungs, (z, y, x), each below and above; "keep" publishes the
        whole grid.
    outside_hu : int or "keep"
        HU of voxels outside the dilated lungs.
    bone_hu : int or "keep"
        Voxels above this HU in the dilated part around the lungs also become `outside_hu`.
    window_hu : pair of float, or "keep"
        HU that become 0 and 1 (0 and 255 in uint8); values beyond are clipped.
    zero_centre : float
        Value subtracted after the window is applied.
    dtype : {"int16", "uint8", "float32"}
        Type of the stored values.
    """

    hull: bool = False
    hull_growth: float = 1.5
    dilate_mm: float = 0.0
    dilate_shape: Shape = "ball"
    crop_margin_mm: Sequence[Sequence[float]] | Keep = ((5.0, 5.0), (5.0, 5.0), (5.0, 5.0))
    outside_hu: int | Keep = "keep"
    bone_hu: int | Keep = "keep"
    window_hu: Sequence[float] | Keep = "keep"
    zero_centre: float = 0.0
    dtype: DType = "int16"
