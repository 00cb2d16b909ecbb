"""A real series with a published right answer: tilted, a slice missing, converted to NIfTI."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from corpus.case import load_case
from corpus.files import unpack
from corpus.oracles import from_slices
from corpus.real_file_cases import ANY_LENGTH, BAD, REPAIR, folder

SERIES = BAD / "geometry/sliceincrement"
pytestmark = pytest.mark.skipif(
    not SERIES.exists(), reason="the collection of real bad inputs is not here"
)


def places_mm(volume):
    """Patient coordinates (z, y, x, 3) of the voxels of a volume whose slices do not stack evenly.

    Slices follow along z: each has a height of its own, and is shifted along y and x.
    """
    grid, slicing = volume.grid, volume.slicing
    assert slicing.axis == 0
    index = np.stack(np.indices(grid.shape), axis=-1).astype(float)
    shifts = np.array(slicing.shifts_mm)[:, None, None, :]
    index[..., 0] = np.array(slicing.positions_mm)[:, None, None] / grid.spacing_mm[0]
    index[..., 1:] += shifts / grid.spacing_mm[1:]
    return index[..., ::-1] @ grid.affine[:3, :3].T + grid.origin_mm


def test_repair_agrees_with_the_published_volume():
    """The published grid has the last slice's pixels at its own voxel centres: they must be ours.

    Its other slices lie between ours: it takes the distance of slices along the table, 0.778 mm,
    for that along their normal. Those are compared with an evaluation of our own, at 1 mm.
    """
    files = folder(SERIES / "002")
    volume, _ = load_case(files, ANY_LENGTH | REPAIR)
    image = sitk.ReadImage(SERIES / "002_ground_truth.nii.gz")
    published = sitk.GetArrayFromImage(image)
    axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    last = places_mm(volume)[-1].reshape(-1, 3)
    index = (last - image.GetOrigin()) @ np.linalg.inv(axes).T
    np.testing.assert_allclose(index, np.rint(index), atol=0.01)
    x, y, z = np.rint(index).astype(int).T
    assert set(z) == {4}
    found = published[z, y, x]
    filled = found == 0
    assert filled.mean() < 0.15, "it ends short of the last rows"
    np.testing.assert_array_equal(found[~filled], volume.hu[-1].ravel()[~filled])
    from_slices(unpack(files), volume)
