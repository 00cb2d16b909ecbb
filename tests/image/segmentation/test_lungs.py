import re
from pathlib import Path

import numpy as np
import pytest
from skimage.measure import label

from lungprep.errors import NoLungsFound
from lungprep.image.segmentation import segment
from lungprep.image.volume import Grid, Volume

SPACINGS = [(2.0, 2.0, 2.0), (1.0, 1.6, 1.6), (5.0, 1.5, 1.5), (3.0, 2.5, 2.5)]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_lungs_and_airways_are_told_apart_on_any_spacing(chest, spacing):
    phantom = chest(spacing).lungs().airways().vessels().table()
    lungs = segment(phantom.volume())
    assert min(phantom.dice(lungs.labels)) > 0.985
    airway_share = np.count_nonzero(lungs.labels[phantom.lumen()]) / np.count_nonzero(lungs.labels)
    assert airway_share < 0.001
    assert lungs.findings.airway_ml > 20
    assert lungs.flags == ()


@pytest.mark.slow
def test_agrees_with_the_label_route_on_plain_lungs(chest):
    """The tutorial's way, slow and obvious: what isn't joined to the border of the image."""
    phantom = chest((1.5, 1.5, 1.5)).lungs()
    air = phantom.hu < -400
    pieces = label(air, connectivity=1)
    border = np.concatenate([pieces[:, [0, -1]].ravel(), pieces[:, :, [0, -1]].ravel()])
    expected = air & ~np.isin(pieces, np.unique(border))
    lungs = segment(phantom.volume())
    assert np.count_nonzero(expected != (lungs.labels > 0)) < 0.002 * np.count_nonzero(expected)
    assert not np.any(expected & (lungs.labels == 0))


def test_vessels_and_nodules_inside_are_filled(chest):
    phantom = chest((1.0, 1.0, 1.0)).lungs().vessels()
    inside = phantom.ellipsoid((170, 150, 90), (4, 4, 4))
    at_the_wall = phantom.ellipsoid((140, 130, 45), (4, 4, 4)) & (phantom.truth == 1)
    phantom.paint(inside | at_the_wall, 40, 1)
    lungs = segment(phantom.volume())
    assert np.all(lungs.labels[inside] == 1)
    assert np.mean(lungs.labels[at_the_wall] == 1) > 0.8
    assert min(phantom.dice(lungs.labels)) > 0.995


@pytest.mark.slow
@pytest.mark.parametrize("line_hu", [-400, -550, -700])
def test_joined_lungs_part_at_the_junction_line(chest, line_hu):
    phantom = chest((1.5, 1.5, 1.5)).lungs().airways().junction(line_hu)
    lungs = segment(phantom.volume())
    assert min(phantom.dice(lungs.labels)) > 0.985
    for side in (1, 2):
        swapped = np.count_nonzero((phantom.truth == side) & (lungs.labels == 3 - side))
        assert swapped < 0.002 * np.count_nonzero(phantom.truth == side)


def test_table_padding_and_noise_do_not_matter(chest):
    plain = chest().lungs().airways().vessels()
    hard = chest().lungs().airways().vessels().table().noise(50).circle(155)
    before, after = segment(plain.volume()), segment(hard.volume())
    assert min(hard.dice(after.labels)) > 0.98
    assert after.findings.right_ml == pytest.approx(before.findings.right_ml, rel=0.01)
    assert after.flags == ()


def test_bowel_gas_is_not_lung(chest):
    phantom = chest().lungs().airways()
    gas = phantom.ellipsoid((15, 110, 228), (15, 30, 30))
    phantom.paint(gas & (phantom.truth == 0), -1000, 0)
    lungs = segment(phantom.volume())
    assert not lungs.labels[gas & (phantom.truth == 0)].any()
    assert min(phantom.dice(lungs.labels)) > 0.985


def test_one_lung_is_named_by_its_side_and_flagged(chest):
    phantom = chest().lungs(right=False).airways()
    lungs = segment(phantom.volume())
    assert lungs.findings.right_ml == 0
    assert lungs.findings.right_mean_hu is None
    assert phantom.dice(lungs.labels)[1] > 0.985
    assert "lopsided_lungs" in lungs.flags


@pytest.mark.parametrize("absent", ["right", "left"])
def test_one_lung_keeps_its_side_where_no_trachea_was_scanned(chest, absent):
    phantom = chest().lungs(**{absent: False})
    lungs = segment(phantom.volume())
    side, other = (1, 2) if absent == "left" else (2, 1)
    assert phantom.dice(lungs.labels)[side - 1] > 0.985
    assert not (lungs.labels == other).any()
    assert {"lopsided_lungs", "no_airway_found"} <= set(lungs.flags)


def test_lungs_cut_by_a_narrow_circular_field_are_kept_and_flagged(chest):
    phantom = chest().lungs().airways().circle(90)
    lungs = segment(phantom.volume())
    assert min(phantom.dice(lungs.labels)) > 0.97
    assert lungs.findings.touches == ("field",)
    assert lungs.flags == ("touches_field_border",)
    assert not lungs.labels[phantom.hu == -1024].any()


@pytest.mark.parametrize(
    ("crop", "side", "flag"),
    [
        (np.s_[:, :, 30:], "right", "touches_field_border"),
        (np.s_[:, :, :125], "left", "touches_field_border"),
        (np.s_[:, 45:], "front", "touches_field_border"),
        (np.s_[:, :85], "back", "touches_field_border"),
        (np.s_[30:], "feet", "incomplete_coverage"),
        (np.s_[:110], "head", "incomplete_coverage"),
    ],
)
def test_lungs_cut_by_the_image_are_kept_and_flagged(chest, crop, side, flag):
    phantom = chest().lungs().airways()
    phantom.hu, phantom.truth = phantom.hu[crop].copy(), phantom.truth[crop]
    lungs = segment(phantom.volume())
    assert lungs.findings.touches == (side,)
    assert flag in lungs.flags
    assert min(phantom.dice(lungs.labels)) > 0.98


def test_small_lungs_are_flagged(chest):
    flags = segment(chest().lungs(scale=0.75).volume()).flags
    assert flags == ("unusual_lung_volume", "no_airway_found")


def test_the_same_bytes_from_a_read_only_map(chest, tmp_path):
    volume = chest((3.0, 3.0, 3.0)).lungs().airways().noise(50).volume()
    volume.save(tmp_path / "hu.npy")
    mapped = segment(Volume.load(tmp_path / "hu.npy", volume.grid))
    again = segment(volume)
    assert mapped.labels.dtype == np.uint8
    assert mapped.labels.tobytes() == again.labels.tobytes()
    assert (mapped.to_json(), mapped.flags, mapped.grid) == (
        again.to_json(),
        again.flags,
        volume.grid,
    )


def test_no_lungs_says_what_was_found_and_what_to_do(chest):
    with pytest.raises(NoLungsFound) as caught:
        segment(chest((4.0, 4.0, 4.0)).volume())
    assert str(caught.value) == (
        "0.00 l of the 320 x 260 x 280 mm volume look like lung, where lungs have at least "
        "0.25 l; check that the series shows a chest and is in Hounsfield units, or leave this "
        "patient out"
    )


def test_no_lungs_reminds_of_what_is_known_of_the_scan(chest):
    with pytest.raises(NoLungsFound, match=r"0\.25 l, in a scan flagged implausible_hu; check"):
        segment(chest((4.0, 4.0, 4.0)).volume(), scan_flags=["implausible_hu"])


@pytest.mark.parametrize("hu", [-1024, -1000, 0])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 40), (30, 30, 30)])
def test_volumes_without_a_patient_are_refused(hu, shape):
    with pytest.raises(NoLungsFound, match=re.escape("0.00 l")):
        segment(Volume(np.full(shape, hu, np.int16), Grid(shape, (5.0, 5.0, 5.0), (0, 0, 0))))


def test_other_arrays_are_refused():
    grid = Grid((2, 2, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match=r"expected int16 \(2, 2, 2\), got float32 \(2, 2, 3\)"):
        segment(Volume(np.zeros((2, 2, 3), np.float32), grid))


def test_real_scan_with_thick_slices():
    shared = Path(__file__).parents[3].parent / "shared" / "data" / "lungpetctdx-A0002-B40f"
    if not shared.is_dir():
        pytest.skip(f"needs {shared}")
    import pydicom

    slices = [pydicom.dcmread(path) for path in shared.glob("*.dcm")]
    slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
    stored = np.stack([s.pixel_array * float(s.RescaleSlope) for s in slices])
    hu = np.clip(stored + float(slices[0].RescaleIntercept), -1024, 3071).astype(np.int16)
    dy, dx = map(float, slices[0].PixelSpacing)
    z, y, x = hu.shape
    lungs = segment(Volume(hu, Grid((z, y, x), (8.0, dy, dx), (0.0, 0.0, 0.0))))
    assert lungs.findings.right_ml == pytest.approx(1166, rel=0.03)
    assert lungs.findings.left_ml == pytest.approx(1626, rel=0.03)
    assert lungs.flags == ("incomplete_coverage", "dense_disease")
