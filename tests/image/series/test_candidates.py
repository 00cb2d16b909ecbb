"""What volumes the slices of one series form, and when they form none."""

from dataclasses import replace

import numpy as np
import pytest

from lungprep.errors import (
    DuplicatePositions,
    InconsistentSlices,
    MissingSlices,
    TooFewSlices,
    UnevenGaps,
)
from lungprep.image.series.candidates import candidates
from lungprep.image.series.policy import LoadOptions

OPTIONS = LoadOptions(min_slices=3)


def heights(candidate):
    return [s.numbers("ImagePositionPatient", 3)[2] for s in candidate.slices]


def test_a_sound_series_is_one_volume_in_order(read):
    (found,) = candidates(read(instance_order="shuffled"), OPTIONS)
    assert heights(found) == sorted(heights(found))
    assert found.flags == {}
    assert not found.set_aside


def test_too_few_slices_are_told_before_anything_else(read):
    with pytest.raises(TooFewSlices, match=r"the series has 2 slices \(0/1-001.dcm\), fewer than"):
        candidates(read(count=2), OPTIONS)


def test_identical_duplicates_are_dropped(read):
    slices = read()
    twin = replace(slices[4], key="copy.dcm")
    (found,) = candidates([*slices, twin, twin], OPTIONS)
    assert len(found.slices) == len(slices)
    assert found.flags == {"duplicates_dropped": 2}


def test_conflicting_duplicates_are_refused(read, tags):
    slices = read()
    other = read(noise_hu=20)[4]
    with pytest.raises(
        DuplicatePositions, match=r"2 slices share .* differ .* no .* separates them into volumes"
    ):
        candidates([*slices, other], OPTIONS)


def test_nothing_but_copies_is_refused(read):
    with pytest.raises(TooFewSlices, match="has 1 slice "):
        candidates(read(count=1) * 3, OPTIONS)


PARTS = {
    "acquisition": ({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}),
    "kernel": ({"ConvolutionKernel": "B30f"}, {"ConvolutionKernel": "B70f"}),
    "frame of reference": ({"FrameOfReferenceUID": "1.2"}, {"FrameOfReferenceUID": "1.3"}),
    "acquisition time": (
        {"AcquisitionTime": lambda k: f"1200{k:02d}.5"},
        {"AcquisitionTime": lambda k: f"1210{k:02d}.5"},
    ),
    "content time": (
        {"ContentTime": lambda k: f"1200{k:02d}"},
        {"ContentTime": lambda k: f"1210{59 - k:02d}"},
    ),
    "instance number": ({"InstanceNumber": lambda k: k}, {"InstanceNumber": lambda k: 100 + k}),
}


@pytest.mark.parametrize("evidence", PARTS)
def test_overlapping_acquisitions_are_told_apart(read, tags, evidence):
    """Two scans at the same positions under one series: what broke the notebook."""
    same = {"InstanceNumber": 1, **({} if evidence == "kernel" else {"ConvolutionKernel": "X"})}
    first, second = ({**same, **part} for part in PARTS[evidence])
    one, other = read(edit=tags(**first)), read(edit=tags(**second), noise_hu=20)
    found = candidates([*one, *other], OPTIONS)
    assert len(found) == 2
    for candidate, group in zip(found, (one, other), strict=True):
        assert {id(s) for s in candidate.slices} == {id(s) for s in group}
        assert candidate.flags == {"acquisitions_separated": len(one)}
        assert candidate.set_aside == {"another acquisition": len(one)}


def test_interleaved_acquisitions_are_never_one_uneven_scan(read, tags):
    """Inspiration and expiration, 3 mm apart: parted, and not repaired into one volume."""
    one = read(edit=tags(AcquisitionNumber=1))
    other = read(edit=tags(AcquisitionNumber=2), offset_mm=lambda k: (0, 0, 3.0))
    lenient = replace(OPTIONS, on_uneven_gaps="repair")
    assert len(candidates([*one, *other], lenient)) == 2


def test_acquisitions_that_interleave_unevenly_are_parted(read, tags):
    one = read(edit=tags(AcquisitionNumber=1))
    other = read(edit=tags(AcquisitionNumber=2), offset_mm=lambda k: (0, 0, 3.0))
    found = candidates([*one, *other], OPTIONS)
    assert [c.stack.spacing_mm[0] for c in found] == pytest.approx([20, 20])


def test_one_scan_numbered_as_two_acquisitions_stays_whole(read, tags):
    """The tissue goes on from slice to slice, whatever their numbers say."""
    one = read(edit=tags(AcquisitionNumber=1))
    other = read(edit=tags(AcquisitionNumber=2), offset_mm=lambda k: (0, 0, 10.0))
    (found,) = candidates([*one, *other], OPTIONS)
    assert found.stack.spacing_mm[0] == pytest.approx(10)
    assert found.flags == {}


def test_steps_of_one_scan_are_no_acquisitions_to_part(read, tags):
    """Some scanners number each step of the table."""
    (found,) = candidates(read(edit=tags(AcquisitionNumber=lambda k: k // 4)), OPTIONS)
    assert found.flags == {}


def test_half_a_scan_never_stands_for_the_whole(read, tags):
    """Two acquisitions, one after the other, that disagree about the spacing."""
    slices = read(edit=tags(AcquisitionNumber=lambda k: 1 + k // 8))
    finer = read(edit=tags(AcquisitionNumber=lambda k: 1 + k // 8, PixelSpacing=[7.0, 8.0]))
    with pytest.raises(InconsistentSlices, match="PixelSpacing"):
        candidates([*slices[:8], *finer[8:]], OPTIONS)


def test_every_second_slice_never_stands_for_a_damaged_scan(read, tags):
    slices = read(edit=tags(AcquisitionNumber=lambda k: k % 2))
    del slices[6]
    with pytest.raises(MissingSlices, match="1 of"):
        candidates(slices, OPTIONS)


def test_other_planes_are_parted_by_what_names_them(read, tags):
    """A coronal reformat under the UID of its axial source."""
    axial = read(shape=(40, 40))
    coronal = read(
        orientation="coronal", shape=(40, 40), edit=tags(ImageType=["ORIGINAL", "PRIMARY", "MPR"])
    )
    found = candidates([*axial, *coronal], OPTIONS)
    assert [len(c.slices) for c in found] == [len(axial), len(coronal)]
    unnamed = read(orientation="coronal", shape=(40, 40))
    with pytest.raises(InconsistentSlices, match="ImageOrientationPatient is"):
        candidates([*axial, *unnamed], OPTIONS)


def test_repairs_are_flagged_with_their_measure(read):
    slices = read()
    del slices[5]
    (found,) = candidates(slices, replace(OPTIONS, on_missing_slices="repair"))
    assert found.flags == {"missing_slices_interpolated": 1}
    assert np.diff(found.stack.heights_mm).max() == pytest.approx(40)

    uneven = read(gap_mm=8, offset_mm=lambda k: (0, 0, 1.0 if k > 20 else 0))
    with pytest.raises(UnevenGaps):
        candidates(uneven, OPTIONS)
    (found,) = candidates(uneven, replace(OPTIONS, on_uneven_gaps="repair"))
    assert found.flags == {"uneven_gaps_resampled": 9.0}
