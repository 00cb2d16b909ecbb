"""Each preset against its original recipe, restated slowly with scipy and scikit-image."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import convex_hull_image

from lungprep.config.presets import export_options
from lungprep.config.schema import complete, read_schema
from lungprep.image.export import export
from lungprep.image.output.options import ExportOptions
from lungprep.image.volume import Grid, Volume

SCHEMA = read_schema()


def options(preset, **sections):
    config = {"source": "s", "target": "t", **sections}
    config["output"] = {"preset": preset, **config.get("output", {})}
    return ExportOptions(**export_options(complete(config, SCHEMA)))


def scan(seed, shape=(48, 52, 74), spacing=(1.0, 1.0, 1.0)):
    """Noise of all HU, and two ragged lungs, of which one may touch the border."""
    rng = np.random.default_rng(seed)
    hu = rng.integers(-1024, 3072, shape).astype(np.int16)
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    ragged = ndimage.gaussian_filter(rng.normal(size=shape), 3) * 6
    labels = np.zeros(shape, np.uint8)
    for label, centre in ((1, 20), (2, 52)):
        inside = ((z - 22) / 14) ** 2 + ((y - 27) / 15) ** 2 + ((x - centre) / 11) ** 2
        labels[inside + ragged < 1] = label
    if seed % 2:
        labels[:, 20:30, :20] = 1
    return Volume(hu, Grid(shape, spacing, (0.0, 0.0, 0.0))), labels


def grt123(hu, right, left, limit):
    """The winner's array of a scan of 1 mm, after ``savenpy``."""

    def widened(lung):
        hulls = []
        for slice_ in lung:
            hull = convex_hull_image(slice_) if slice_.any() else slice_
            hulls.append(slice_ if hull.sum() > limit * slice_.sum() else hull)
        cross = ndimage.generate_binary_structure(3, 1)
        return ndimage.binary_dilation(np.array(hulls), structure=cross, iterations=10)

    plain, dilated = right | left, widened(right) | widened(left)
    scaled = np.clip((hu.astype(float) + 1200) / (600 + 1200), 0, 1)
    image = (scaled * 255).astype(np.uint8)
    image[~dilated] = 170
    image[dilated & ~plain & (image > 210)] = 170
    box = []
    for axis, found in enumerate(np.nonzero(plain)):
        box.append(slice(max(0, found.min() - 5), min(hu.shape[axis], found.max() + 2 * 5)))
    return image[tuple(box)], box


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("limit", [1.5, 2.0])
def test_grt123(seed, limit):
    volume, labels = scan(seed)
    expected, box = grt123(volume.hu, labels == 1, labels == 2, limit)
    segment = {} if limit == 1.5 else {"hull_growth": limit}
    product = export(volume, labels, options("grt123", segment=segment))
    assert product.voxels.dtype == np.uint8
    np.testing.assert_array_equal(product.voxels, expected)
    np.testing.assert_array_equal(product.lungs, labels[tuple(box)])
    assert list(zip(product.start, product.stop, strict=True)) == [(b.start, b.stop) for b in box]
    assert product.outside == 170
    assert product.grid.position_mm((0, 0, 0)) == volume.grid.position_mm(product.start)


def test_the_limit_of_the_hulls_shows():
    """A lung of two long arms, whose hull is 1.7 times its size: one limit alone fills it."""
    volume, labels = scan(0)
    labels[:] = 0
    labels[15:30, 4:48, 4:16] = labels[15:30, 36:48, 4:70] = 1
    found = {}
    for limit in (1.5, 2.0):
        found[limit] = export(volume, labels, options("grt123", segment={"hull_growth": limit}))
    assert (found[1.5].voxels != found[2.0].voxels).any()
    for limit, product in found.items():
        expected, _ = grt123(volume.hu, labels == 1, labels == 2, limit)
        np.testing.assert_array_equal(product.voxels, expected)


def tutorial(hu, mask, spacing, radius):
    """Mask dilated by a ball, applied to the scaled image, the mean subtracted."""
    reach = [int(radius / s) for s in spacing]
    offsets = np.indices([2 * r + 1 for r in reach]) - np.reshape(reach, (3, 1, 1, 1))
    ball = ((offsets * np.reshape(spacing, (3, 1, 1, 1))) ** 2).sum(axis=0) <= radius**2 + 1e-6
    image = (hu.astype(float) - -1000) / (400 - -1000)
    image[image > 1] = 1
    image[image < 0] = 0
    image *= ndimage.binary_dilation(mask, structure=ball)
    return image - 0.25


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.7, 0.7)])
@pytest.mark.parametrize("radius", [None, 8])
def test_tutorial(seed, spacing, radius):
    volume, labels = scan(seed, spacing=spacing)
    expected = tutorial(volume.hu, labels > 0, spacing, radius or 5)
    product = export(volume, labels, options("tutorial", segment={"dilate_mm": radius}))
    assert product.voxels.dtype == np.float32
    window = tuple(slice(a, b) for a, b in zip(product.start, product.stop, strict=True))
    np.testing.assert_array_equal(product.voxels, expected[window].astype(np.float32))
    assert product.outside == -0.25
    whole = export(
        volume,
        labels,
        options("tutorial", segment={"dilate_mm": radius}, output={"crop_margin_mm": "keep"}),
    )
    np.testing.assert_array_equal(whole.voxels, expected.astype(np.float32))
    np.testing.assert_array_equal(whole.lungs, labels)
    if radius is None:
        rest = np.ones(expected.shape, bool)
        rest[window] = False
        assert (expected[rest] == -0.25).all(), "the crop leaves out nothing that is shown"


@pytest.mark.parametrize("preset", ["hu", "uncropped"])
def test_hu_are_the_volume_itself(preset):
    volume, labels = scan(0)
    product = export(volume, labels, options(preset))
    window = [slice(None)] * 3
    if preset == "hu":
        window = [slice(f.min() - 5, f.max() + 1 + 5) for f in np.nonzero(labels)]
    assert product.voxels.dtype == np.int16
    np.testing.assert_array_equal(product.voxels, volume.hu[tuple(window)])
    assert product.outside is None


@pytest.mark.parametrize("preset", ["hu", "uncropped", "tutorial", "grt123"])
def test_the_sidecars_values_lead_back_to_hu(preset):
    volume, labels = scan(1)
    product = export(volume, labels, options(preset))
    values = product.values()
    assert values["dtype"] == product.voxels.dtype
    back = product.voxels * values["slope_hu"] + values["intercept_hu"]
    window = tuple(slice(a, b) for a, b in zip(product.start, product.stop, strict=True))
    hu = np.clip(volume.hu[window], *(values["window_hu"] or (-1024, 3071)))
    lungs = labels[window] > 0
    error = values["slope_hu"] if preset == "grt123" else 1e-3
    assert np.abs(back - hu)[lungs].max() <= error
