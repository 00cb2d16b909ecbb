"""The look at the histogram: silent on real and synthetic chests, and right about wrong ones."""

from pathlib import Path

import numpy as np
import pytest

from lungprep.image.dicom.objects import read_object
from lungprep.image.hounsfield.plausibility import disagree, doubts
from lungprep.image.hounsfield.rescale import slice_hu
from lungprep_demo import scan
from lungprep_demo.phantom import Scan, chest, healthy, thick
from real_archive import ARCHIVE

SHARED = Path(__file__).parents[4] / "shared" / "data" / "lungpetctdx-A0002-B40f"


def clipped(values):
    return np.clip(np.rint(values), -1024, 3071).astype(np.int16)


def volume(contents):
    slices = [read_object("k", content)[0] for content in contents]
    slices.sort(key=lambda slice_: slice_.numbers("ImagePositionPatient", 3)[2])
    return np.stack([slice_hu(slice_)[0] for slice_ in slices])


def real_scan():
    if not ARCHIVE.exists():
        pytest.skip("the real scan is not here; make test gets it")
    named = scan.files(ARCHIVE)
    ct = [c for name, c in named if scan.CT_SERIES in name and name.endswith(".dcm")]
    return volume(ct)[::3]


def shared_scan():
    if not SHARED.is_dir():
        pytest.skip("the collection of real scans is not here")
    return volume([path.read_bytes() for path in SHARED.rglob("*.dcm")])


def synthetic(patient, noise_hu=12.0):
    phantom, made = patient
    hu = np.stack(list(phantom.hu(made.grid(phantom))[::4]))
    return clipped(hu + np.random.default_rng(1).normal(0, noise_hu, hu.shape))


SCANS = {
    "real": real_scan,
    "shared": shared_scan,
    "healthy": lambda: synthetic(healthy()),
    "thick": lambda: synthetic(thick()),
    "noiseless": lambda: synthetic((chest(), Scan(gap_mm=10)), 0.0),
}


@pytest.fixture(scope="module", params=SCANS)
def hu(request):
    return SCANS[request.param]()


def test_a_chest_leaves_no_doubt(hu):
    assert doubts(hu) == []


@pytest.mark.parametrize("part", [0.3, 0.45, 0.6])
def test_a_few_slices_through_the_lungs_leave_no_doubt(hu, part):
    start = int(part * len(hu))
    assert doubts(hu[start : start + 8]) == []


def test_lungs_may_be_the_only_air(hu):
    """A field of the patient only, by padding or by reconstruction."""
    _, rows, columns = hu.shape
    y, x = np.ogrid[:rows, :columns]
    outside = ((y / rows - 0.5) / 0.3) ** 2 + ((x / columns - 0.5) / 0.4) ** 2 > 1
    assert doubts(np.where(outside, np.int16(-1024), hu)) == []
    air_at_the_end = np.where(hu < -940, np.int16(-1024), hu)
    assert doubts(np.where(outside, np.int16(-1024), air_at_the_end)) == []
    inner = slice(int(0.33 * rows), int(0.66 * rows)), slice(int(0.2 * columns), int(0.8 * columns))
    assert doubts(hu[:, *inner]) == []


def test_metal_and_contrast_leave_no_doubt(hu):
    _, rows, columns = hu.shape
    changed = hu.copy()
    changed[:, rows // 2 : rows // 2 + rows // 20, columns // 2 : columns // 2 + columns // 10] = (
        3071
    )
    assert doubts(changed) == []
    heart = np.where((hu > 20) & (hu < 60), hu + np.int16(300), hu)
    bright = hu.copy()
    bright[:, rows // 3 : rows // 2] = heart[:, rows // 3 : rows // 2]
    assert doubts(bright) == []


WRONG = {
    "intercept 0": lambda hu: hu + 1024,
    "intercept 0, padding kept": lambda hu: np.where(hu == -1024, -1024, hu + 1024),
    "intercept -2048": lambda hu: hu - 1024,
    "intercept -24": lambda hu: hu + 1000,
    "slope 2": lambda hu: 2 * (hu + 1024) - 1024,
    "slope 0.5": lambda hu: 0.5 * (hu + 1024) - 1024,
    "slope 10": lambda hu: 10 * (hu + 1024) - 1024,
    "half of all": lambda hu: 0.5 * hu,
}
INVERTED = {
    "sign": lambda hu: -hu,
    "sign, padding kept": lambda hu: np.where(hu == -1024, -1024, -hu),
    "of 12 bits": lambda hu: 4095 - (hu + 1024) - 1024,
    "about -250": lambda hu: -500 - hu,
    "of its range": lambda hu: int(hu.min()) + int(hu.max()) - hu,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_scale_is_implausible(hu, name):
    assert doubts(clipped(WRONG[name](hu.astype(np.int32)))) == ["implausible_hu"]


@pytest.mark.parametrize("name", INVERTED)
def test_a_negative_is_inverted(hu, name):
    assert doubts(clipped(INVERTED[name](hu.astype(np.int32)))) == ["inverted_hu"]


def test_a_negative_that_lies_where_hu_lie_is_no_chest(hu):
    """Air at 0 and tissue at -1000 HU."""
    assert doubts(clipped(-1000 - hu.astype(np.int32))) == ["inverted_hu"]


@pytest.mark.parametrize("value", [-1024, -1000, 0, 3071])
def test_one_value_is_no_chest(value):
    assert doubts(np.full((3, 40, 40), value, dtype=np.int16)) == ["implausible_hu"]


def test_slices_of_one_scan_agree(hu):
    assert not disagree(hu, range(1, len(hu)))


@pytest.mark.parametrize("error_hu", [1024, 1000, 500, -500])
def test_slices_under_another_intercept_disagree(hu, error_hu):
    wrong = hu.astype(np.int32)
    wrong[: len(hu) // 4] += error_hu
    assert disagree(clipped(wrong), [len(hu) // 4])
    assert not disagree(clipped(wrong), [len(hu) // 4 + 1])
