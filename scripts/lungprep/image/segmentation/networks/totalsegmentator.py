"""The lungs' lobes of TotalSegmentator's organ model: a 3-D U-Net of nnU-Net v2 at 1.5 mm.

Wasserthal et al., Radiology: Artificial Intelligence 5(5), 2023. The steps are those of its own
tool: spline interpolation to the model's spacing, axes as in NIfTI's RAS+ (x to the patient's
right, y to the front), tiles that overlap by a fifth, no mirroring. The labels come back by linear
interpolation of each lung, where the tool takes the nearest.
"""

from pathlib import Path
from typing import Protocol

import cc3d
import numpy as np
from numpy.typing import NDArray

from lungprep.image.resampling import resample
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.networks.regridding import labels_onto
from lungprep.image.volume import Triple, Volume
from lungprep.image.weights import lung_classes, model_folder

# Bowel gas that is taken for lung, far from it, would widen the crop.
_FRAGMENT_ML = 2.0


class Model(Protocol):
    """A network that gives classes."""

    @property
    def spacing_mm(self) -> Triple:
        """Distance between voxel centres that it was trained on, (z, y, x)."""

    def classes(self, hu: NDArray[np.int16]) -> NDArray[np.uint8]:
        """Class of each voxel; axes (z, y, x) as in RAS+."""


def label(volume: Volume, weights: Path, *, threads: int) -> NDArray[np.uint8]:
    """Label the lungs.

    Parameters
    ----------
    volume : Volume
        int16 HU, canonical axes (z, y, x), any spacing.
    weights : Path
        Folder of the model, as its authors publish it.
    threads : int
        Threads of PyTorch.

    Returns
    -------
    ndarray of uint8
        Shape of the volume: 0 outside, 1 right lung, 2 left lung.

    Raises
    ------
    ConfigError
        The folder does not hold such a model, or more than data.
    """
    folder = model_folder(weights)
    side_of = np.zeros(256, np.uint8)
    for number, side in lung_classes(folder).items():
        side_of[number] = side
    model = _load(folder, threads)
    coarse = resample(volume, model.spacing_mm, interpolation="cubic", antialias=False)
    # Both are their own inverse: from the patient's left and back to the right and front.
    classes = model.classes(np.ascontiguousarray(coarse.hu[:, ::-1, ::-1]))
    sides = side_of[classes][:, ::-1, ::-1]
    return labels_onto(_without_fragments(sides, coarse), coarse.grid, volume.grid)


def _load(folder: Path, threads: int) -> Model:
    from lungprep.image.segmentation.networks import nnunet

    return nnunet.load(folder, threads=threads)


def _without_fragments(sides: NDArray[np.uint8], coarse: Volume) -> NDArray[np.uint8]:
    least = round(_FRAGMENT_ML / coarse.grid.voxel_ml)
    kept = np.zeros(sides.shape, np.uint8)
    for side in (RIGHT, LEFT):
        kept[cc3d.dust(sides == side, threshold=least, connectivity=6)] = side
    return kept
