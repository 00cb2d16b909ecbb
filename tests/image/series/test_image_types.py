"""Slices far apart, told by thickness and gap."""

import pytest
from pydicom.dataset import Dataset

from lungprep.image.dicom.slices import Slice
from lungprep.image.series.image_types import is_interspaced


@pytest.mark.parametrize(
    ("thickness_mm", "gap_mm", "far_apart"),
    [("6", 11.999999999999996, True), ("6", 11.9, False), ("1", 2.0, False), ("0", 10.0, False)],
)
def test_half_of_the_tissue_between_slices(thickness_mm, gap_mm, far_apart):
    dataset = Dataset()
    dataset.SliceThickness = thickness_mm
    assert is_interspaced(Slice("1.dcm", dataset), gap_mm) is far_apart
