"""Localizers and derived images, by ImageType."""

import pytest
from pydicom import Dataset

from lungprep.dicom.slices import Slice
from lungprep.series.image_types import (
    content_of,
    is_interspaced,
    is_thick_slab,
    kind_of,
    without_kinds,
)
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


@pytest.mark.parametrize(
    ("image_type", "description", "content"),
    [
        (["ORIGINAL", "PRIMARY", "AXIAL"], "Thorax 1.0 B70f", None),
        (["ORIGINAL", "SECONDARY", "AXIAL", "CT_SOM5 SPI"], "CHEST W IODINE CONTRAST", None),
        (["ORIGINAL", "PRIMARY", "AXIAL", "NONE"], "120 kV", None),
        (["ORIGINAL", "PRIMARY", "VOLUME", "RESAMPLED"], "Monoclonal trial 3", None),
        (["ORIGINAL", "PRIMARY", "AXIAL", "VMI"], "", "virtual_monoenergetic"),
        (["ORIGINAL", "PRIMARY", "AXIAL"], "MonoE 40 keV", "virtual_monoenergetic"),
        (["ORIGINAL", "PRIMARY", "AXIAL", "MAT_FRACTIONAL"], "", "material_map"),
        (["ORIGINAL", "PRIMARY", "AXIAL", "EFF_ATOMIC_NUM"], "", "material_map"),
        (["ORIGINAL", "PRIMARY", "AXIAL", "ELECTRON_DENSITY"], "", "material_map"),
        (["ORIGINAL", "PRIMARY", "AXIAL"], "Iodine(Water)", "material_map"),
        (["ORIGINAL", "PRIMARY", "AXIAL"], "Thorax_VNC", "material_map"),
        (["ORIGINAL", "PRIMARY", "AXIAL", "SUBTRACTION"], "", "subtraction_image"),
        (["ORIGINAL", "PRIMARY", "AXIAL", "MAXIMUM"], "", "projection_slab"),
        (["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 MIP"], "", "projection_slab"),
        (["ORIGINAL", "PRIMARY", "AXIAL"], "Lung MinIP 10/2", "projection_slab"),
        (["ORIGINAL", "PRIMARY", "AXIAL"], "4D AveIP", "projection_slab"),
    ],
)
def test_computed_images_are_named(read, tags, image_type, description, content):
    (slice_,) = read(count=1, edit=tags(ImageType=image_type, SeriesDescription=description))
    assert content_of(slice_) == content


@pytest.mark.parametrize(
    ("thickness", "gap_mm", "slab", "interspaced"),
    [
        ("1", 1.0, False, False),
        ("1.25", 0.625, False, False),
        ("10", 2.0, True, False),
        ("100", 10.0, False, False),
        ("1", 2.0, False, False),
        ("1", 10.0, False, True),
        ("0", 10.0, False, False),
        (None, 10.0, False, False),
    ],
)
def test_the_thickness_tells_slabs_and_slices_far_apart(
    read, tags, thickness, gap_mm, slab, interspaced
):
    (slice_,) = read(count=1, edit=tags(SliceThickness=thickness))
    assert is_thick_slab(slice_, gap_mm) == slab
    assert is_interspaced(slice_, gap_mm) == interspaced
