"""What a user may choose about the published arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Keep = Literal["keep"]
DType = Literal["int16", "uint8", "float32"]
Shape = Literal["ball", "diamond"]


@dataclass(frozen=True)
class ExportOptions:
    """Keys of the config that a preset sets; rules/schemas/config.schema.yaml explains each.

    The defaults are those of the preset ``hu``. "keep" leaves things as they are.

    Attributes
    ----------
    hull : bool
        Fill each axial slice of each lung to its convex hull.
    hull_growth : float
        A slice whose hull is larger than this many times its lung keeps the lung.
    dilate_mm : float
        How far lungs, or hulls, are then widened.
    dilate_shape : {"ball", "diamond"}
        By which body: all within a distance, or within a sum of distances along the axes.
    crop_margin_mm : sequence of 3 pairs of float, or "keep"
        Kept around the undilated lungs, (z, y, x), each below and above; or the whole grid.
    outside_hu : int or "keep"
        HU of voxels outside the widened lungs.
    bone_hu : int or "keep"
        Voxels in the widened lungs, but not in the lungs, above this HU take `outside_hu` as well.
    window_hu : pair of float, or "keep"
        HU that become 0 and 1 (0 and 255 of uint8); what lies beyond is clipped.
    zero_centre : float
        Subtracted after that.
    dtype : {"int16", "uint8", "float32"}
        Of the stored values.
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
