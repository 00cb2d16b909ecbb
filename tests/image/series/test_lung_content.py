"""What a coarse look finds, against phantoms whose lungs are known."""

import numpy as np
import pytest

from lungprep.image.dicom.objects import read_object
from lungprep.image.series.candidates import candidates
from lungprep.image.series.lung_content import look_at
from lungprep.image.series.policy import LoadOptions
from lungprep_demo.phantom import Scan, chest, slices

LUNGS_ML = 4790


@pytest.fixture
def look():
    def run(size=1.0, up_mm=0.0, field_mm=400, pixels=96, **how):
        wanted = {"gap_mm": 8, "noise_hu": 20, "offset_mm": lambda k: (0, 0, up_mm), **how}
        scan = Scan(shape=(pixels,) * 2, spacing_mm=(field_mm / pixels,) * 2, **wanted)
        found = [s for name, c in slices(chest(scale=size), scan) for s in read_object(name, c)]
        (volume,) = candidates(found, LoadOptions(min_slices=3))
        return look_at(volume.slices, volume.stack, assume_hu=False)

    return run


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"gap_mm": 2.5},
        {"gap_mm": 20},
        {"pixels": 64},
        {"pixels": 256, "noise_hu": 60},
        {"field_mm": 500, "padding": -2000},
        {"orientation": "FFP"},
        {"orientation": "coronal"},
        {"size": 0.8},
        {"count": 100},
    ],
    ids=str,
)
def test_the_volume_of_whole_lungs_is_near_the_truth(look, how):
    found = look(**how)
    assert found.lung_ml == pytest.approx(LUNGS_ML * how.get("size", 1.0) ** 3, rel=0.06)
    assert not found.cut
    assert not any(found.cut_ends)


def test_lungs_that_the_ends_cut(look):
    assert look(up_mm=-150).cut_ends == (False, True)
    assert look(up_mm=150).cut_ends == (True, False)


@pytest.mark.parametrize("padding", [None, -2000])
def test_lungs_that_the_field_cuts(look, padding):
    found = look(field_mm=215, padding=padding)
    assert found.cut_by_field
    assert found.extents_mm[1] == pytest.approx(215, abs=10)


def test_an_abdomen_shows_no_lungs_and_the_table_is_none(look):
    found = look(up_mm=-400)
    assert found.lung_ml == 0
    assert not found.cut


def test_gas_is_no_lung(look):
    """A bowel full of gas, as for a colonography: pipes of 40 mm at -1000 HU."""
    from lungprep_demo.phantom.anatomy import AIR, Part
    from lungprep_demo.phantom.shapes import Ellipsoid

    bowel = [Part(Ellipsoid((x, 0, -400), (25, 60, 150)), AIR) for x in (-90, 0, 90)]
    base = chest()
    phantom = type(base)((*base.parts, *bowel), half_mm=base.half_mm)
    scan = Scan(
        gap_mm=8, shape=(128, 128), spacing_mm=(3.0, 3.0), noise_hu=20,
        offset_mm=lambda k: (0, 0, -400),
    )  # fmt: skip
    found = [s for name, c in slices(phantom, scan) for s in read_object(name, c)]
    (volume,) = candidates(found, LoadOptions())
    assert look_at(volume.slices, volume.stack, assume_hu=False).lung_ml < 100


def test_the_volume_between_heights_adds_up(look):
    found = look()
    halves = found.between_ml(-np.inf, 140.0), found.between_ml(140.0, np.inf)
    assert sum(halves) == pytest.approx(found.lung_ml)
    assert min(halves) > 1000
