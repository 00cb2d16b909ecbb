"""Values that are no HU, or doubtful ones: scales that are absent, wrong, or not of HU."""

import numpy as np
from pydicom import Dataset

from corpus import real
from corpus.case import Case
from corpus.defects import SQUARE, as_series, assign, drop, edit_stored, stored_as, without_circle
from corpus.files import Files, Series, pack, store, stored
from corpus.oracles import as_measured, lies_at
from corpus.stored_value_cases import padding, unsigned_12

METAL = (slice(60, 66), slice(50, 58))
RESCALE = ("RescaleSlope", "RescaleIntercept", "RescaleType")


def mapped(change, *, field=slice(None)):
    """The thinned real scan with a function of its HU applied, clipped; padding stays air."""

    def check(files, volume, scan):
        corner = np.array([field.start or 0, field.start or 0, 0, 1])
        affine = real.affine()
        affine[:, 3] = affine @ corner
        lies_at(volume, affine)
        changed = np.clip(change(real.hu().astype(float)), -1024, 3071)
        expected = np.where(padding(), -1024, changed)[:, field, field]
        np.testing.assert_array_equal(volume.hu, expected)

    return check


def with_metal(slope: float, value: int, **options) -> Files:
    """Some pixels of a value that the rescale takes out of 16 bits."""
    series = stored_as(real.series(), slope=slope, intercept=-1024.0, **options)
    values = stored(series[10])
    values[METAL] = value
    store(series[10], values)
    return pack(series)


def has_metal(hu: int):
    def check(files, volume, scan):
        expected = real.hu().copy()
        expected[(10, *METAL)] = hu
        np.testing.assert_array_equal(volume.hu, expected)

    return check


def with_table(series: Series, kind: str) -> Files:
    """A Modality LUT from stored values to HU, of which the standard knows no negative ones."""
    item = Dataset()
    item.LUTDescriptor = [4096, 0, 16]
    item["LUTDescriptor"].VR = "US"
    item.ModalityLUTType = kind
    item.add_new("LUTData", "OW", np.maximum(np.arange(4096) - 1024, 0).astype("<u2").tobytes())
    return pack(assign(series, ModalityLUTSequence=[item]))


def material_map(series: Series) -> Series:
    """Marked as what multi-energy CT computes in place of attenuation."""
    image_type = ["ORIGINAL", "PRIMARY", "AXIAL", "MAT_SPECIFIC"]
    return assign(series, ImageType=image_type, RescaleType="US")


NO_RESCALE = (
    "ct/001.dcm has no RescaleSlope and no RescaleIntercept; export the series again with them, or "
    "set load.assume_hu if the stored values are HU"
)

CASES = [
    Case(
        "no rescale tags",
        lambda: pack(drop(stored_as(real.series()), *RESCALE)),
        refused=("MissingTag", NO_RESCALE),
    ),
    Case(
        "no rescale tags, stored values are HU",
        lambda: pack(drop(stored_as(real.series()), *RESCALE)),
        {"assume_hu": True},
        ("assumed_hu",),
        check=as_measured,
    ),
    Case(
        "RescaleSlope 0",
        lambda: pack(assign(real.series(), RescaleSlope="0")),
        refused=(
            "MissingTag",
            "ct/001.dcm has RescaleSlope 0; export the series again with its geometry and "
            "rescale tags",
        ),
    ),
    Case(
        "RescaleType OD",
        lambda: pack(assign(real.series(), RescaleType="OD")),
        refused=(
            "NotHounsfield",
            "ct/001.dcm is rescaled to OD, not to Hounsfield units; name a series of CT "
            "numbers in the cohort file",
        ),
    ),
    Case(
        "an iodine map, ImageType MAT_SPECIFIC and RescaleType US",
        lambda: pack(material_map(real.series())),
        refused=(
            "NotHounsfield",
            "ct/001.dcm is a material map (MAT_SPECIFIC), not in Hounsfield units; name a series "
            "of CT numbers in the cohort file",
        ),
    ),
    Case(
        "the same with half the gap, beside the scan",
        lambda: (
            pack(real.series())
            | pack(as_series(material_map(real.series(every=4)), "iodine"), "map")
        ),
        check=as_measured,
    ),
    Case(
        "RescaleType US in a plain series",
        lambda: pack(assign(real.series(), RescaleType="US")),
        check=as_measured,
    ),
    Case(
        "a Modality LUT instead of the rescale tags",
        lambda: with_table(drop(without_circle(unsigned_12(real.series())), *RESCALE), "HU"),
        flags=("implausible_hu",),
        check=mapped(lambda hu: np.maximum(hu, 0), field=SQUARE),
    ),
    Case(
        "a Modality LUT to OD",
        lambda: with_table(drop(unsigned_12(real.series()), *RESCALE), "OD"),
        refused=(
            "NotHounsfield",
            "ct/001.dcm is rescaled to OD, not to Hounsfield units; name a series of CT "
            "numbers in the cohort file",
        ),
    ),
    Case(
        "a Modality LUT and rescale tags that differ from it",
        lambda: with_table(unsigned_12(real.series()), "HU"),
        refused=(
            "NotHounsfield",
            "ct/001.dcm has a Modality LUT and rescale tags that disagree; export the "
            "series again with its geometry and rescale tags",
        ),
    ),
    Case(
        "MONOCHROME1",
        lambda: pack(assign(real.series(), PhotometricInterpretation="MONOCHROME1")),
        refused=(
            "UnsupportedEncoding",
            "ct/001.dcm is MONOCHROME1 where CT is MONOCHROME2; convert the series",
        ),
    ),
    Case(
        "metal of 64,511 HU",
        lambda: with_metal(1.0, 65535, signed=False),
        flags=("saturated",),
        check=has_metal(3071),
    ),
    Case(
        "pixels of -33,792 HU",
        lambda: with_metal(1.0, -32768),
        flags=("saturated",),
        check=has_metal(-1024),
    ),
    Case(
        "HU 1024 too high",
        lambda: pack(assign(real.series(), RescaleIntercept="0")),
        flags=("implausible_hu",),
        check=mapped(lambda hu: hu + 1024),
    ),
    Case(
        "HU 1024 too low",
        lambda: pack(assign(real.series(), RescaleIntercept="-2048")),
        flags=("implausible_hu",),
        check=mapped(lambda hu: hu - 1024),
    ),
    Case(
        "HU 1024 too high, a field that holds only the patient",
        lambda: pack(assign(without_circle(real.series()), RescaleIntercept="0")),
        flags=("implausible_hu",),
        check=mapped(lambda hu: hu + 1024, field=SQUARE),
    ),
    Case(
        "HU with the other sign, a field that holds only the patient",
        lambda: pack(edit_stored(without_circle(real.series()), lambda values, n: 2048 - values)),
        flags=("inverted_hu",),
        check=mapped(lambda hu: -hu, field=SQUARE),
    ),
]
