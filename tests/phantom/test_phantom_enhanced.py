"""The enhanced object holds what the single-frame files hold, by pydicom's own reading."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
)

from lungprep_demo.phantom import PHI, Scan, chest, slices
from lungprep_demo.phantom.enhanced import enhanced

SCAN = Scan(gap_mm=60.0, shape=(24, 28), spacing_mm=(15.0, 14.0), slope=lambda k: 1.0 + k)


def read(file):
    return pydicom.dcmread(BytesIO(file[1]))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, JPEGLSLossless])
@pytest.mark.parametrize("order", ["along", "against"])
def test_frames_hold_the_pixels_and_geometry_of_the_files(syntax, order):
    scan = replace(SCAN, instance_order=order, transfer_syntax=syntax)
    dataset = read(enhanced(chest(), scan))
    twins = sorted(map(read, slices(chest(), scan)), key=lambda twin: twin.InstanceNumber)
    assert dataset.SOPClassUID == EnhancedCTImageStorage
    assert dataset.NumberOfFrames == len(twins)
    np.testing.assert_array_equal(dataset.pixel_array, [twin.pixel_array for twin in twins])
    (shared,) = dataset.SharedFunctionalGroupsSequence
    for item, twin in zip(dataset.PerFrameFunctionalGroupsSequence, twins, strict=True):
        rescale = item.PixelValueTransformationSequence[0]
        assert item.PlanePositionSequence[0].ImagePositionPatient == twin.ImagePositionPatient
        assert (rescale.RescaleSlope, rescale.RescaleType) == (twin.RescaleSlope, "HU")
        orientation = shared.PlaneOrientationSequence[0].ImageOrientationPatient
        assert orientation == twin.ImageOrientationPatient
        assert shared.PixelMeasuresSequence[0].PixelSpacing == twin.PixelSpacing
    assert dataset.SeriesInstanceUID == twins[0].SeriesInstanceUID


def test_what_belongs_to_a_frame_is_not_at_the_top_level():
    dataset = read(enhanced(chest(), SCAN))
    for keyword in ("ImagePositionPatient", "PixelSpacing", "RescaleSlope", "KVP"):
        assert keyword not in dataset


def test_it_carries_what_must_not_leak_and_is_edited_once():
    edits = []
    dataset = read(enhanced(chest(), replace(SCAN, edit=lambda _, index: edits.append(index))))
    assert {keyword: str(dataset[keyword].value) for keyword in PHI} == dict(PHI)
    assert edits == [0]
