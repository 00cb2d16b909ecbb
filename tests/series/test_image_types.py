"""Localizers and derived images, by ImageType."""

import pytest
from pydicom import Dataset

from lungprep.dicom.slices import Slice
from lungprep.series.image_types import kind_of, without_kinds
from lungprep.series.policy import LoadOptions


def image(*image_type):
    dataset = Dataset()
    dataset.ImageType = list(image_type)
    return Slice("1.dcm", dataset)


@pytest.mark.parametrize(
    ("image_type", "kind"),
    [
        (("ORIGINAL", "PRIMARY", "AXIAL"), None),
        (("ORIGINAL", "SECONDARY", "AXIAL", "CT_SOM5 SPI"), None),
        ((), None),
        (("ORIGINAL", "PRIMARY", "LOCALIZER", "CT_SOM5 TOP"), "localizer"),
        (("ORIGINAL", "PRIMARY", "SCOUT"), "localizer"),
        (("DERIVED", "SECONDARY", "LOCALIZER"), "localizer"),
        (("DERIVED ", "PRIMARY", "MPR"), "derived"),
    ],
)
def test_kinds(image_type, kind):
    assert kind_of(image(*image_type)) == kind


def test_derived_images_pass_where_they_are_accepted():
    images = [image("ORIGINAL"), image("DERIVED"), image("ORIGINAL", "PRIMARY", "LOCALIZER")]
    kept, refused = without_kinds(images, LoadOptions())
    assert (kept, dict(refused)) == (images[:1], {"derived": 1, "localizer": 1})
    kept, refused = without_kinds(images, LoadOptions(accept_derived=True))
    assert (kept, dict(refused)) == (images[:2], {"localizer": 1})
