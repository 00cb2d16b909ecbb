"""The files of a scanned phantom hold its HU at the positions that their headers state."""

from io import BytesIO

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from lungprep_demo.phantom import ORIENTATIONS, PHI, Phantom, Scan, chest, slices, stored


def datasets(phantom: Phantom, scan: Scan) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(BytesIO(content)) for _, content in slices(phantom, scan)]


def positions(dataset: pydicom.Dataset) -> list[np.ndarray]:
    """Patient coordinates of every pixel, from the header alone (PS3.3 equation C.7.6.2.1-1)."""
    along_row, down_column = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
    between_rows, between_columns = (float(v) for v in dataset.PixelSpacing)
    row, column = np.mgrid[: dataset.Rows, : dataset.Columns]
    return [
        float(dataset.ImagePositionPatient[axis])
        + column * between_columns * along_row[axis]
        + row * between_rows * down_column[axis]
        for axis in range(3)
    ]


def rescaled(dataset: pydicom.Dataset) -> np.ndarray:
    values = dataset.pixel_array.astype(float)
    return values * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)


def odd(lowest, highest):
    """Lengths whose multiples meet no tissue's border: there rounding decides which side counts."""
    return st.floats(lowest, highest).map(lambda length: length * 1.000314159)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    orientation=st.sampled_from([*ORIENTATIONS, (0.96, 0.28, 0.0, -0.28, 0.96, 0.0)]),
    signed=st.booleans(),
    scale=st.sampled_from([(1.0, -1024.0), (0.5, -1000.0), (2.0, -2048.0), (1.25, -1003.5)]),
    gap_mm=odd(20, 60),
    spacing_mm=st.tuples(odd(5, 9), odd(5, 9)),
    centre_mm=st.tuples(*[st.floats(-400, 400)] * 3),
    order=st.sampled_from(["along", "against", "shuffled"]),
)
def test_files_hold_the_hu_of_the_position_that_their_header_states(
    orientation, signed, scale, gap_mm, spacing_mm, centre_mm, order
):
    slope, intercept = scale
    phantom = chest(centre_mm=centre_mm)
    scan = Scan(
        gap_mm=gap_mm,
        shape=(44, 52),
        spacing_mm=spacing_mm,
        orientation=orientation,
        instance_order=order,
        signed=signed,
        slope=slope,
        intercept=intercept,
    )
    series = datasets(phantom, scan)
    for dataset in series:
        hu, _ = phantom.at(*positions(dataset))
        assert np.abs(rescaled(dataset) - hu).max() <= slope / 2
        assert dataset.PixelRepresentation == signed
    np.testing.assert_array_equal(
        [stored(plane, slope, intercept) for plane in phantom.hu(scan.grid(phantom))],
        [dataset.pixel_array for dataset in series],
    )
    numbers = [dataset.InstanceNumber for dataset in series]
    assert sorted(numbers) == list(range(1, len(series) + 1))
    assert (numbers == sorted(numbers)) or order != "along"


@pytest.mark.parametrize(
    ("position", "lies_on"),
    [("HFS", "back"), ("HFP", "front"), ("FFS", "back"), ("FFP", "front")],
)
def test_the_table_is_at_the_bottom_of_the_image(position, lies_on):
    scan = Scan(orientation=position, count=1, shape=(128, 128), spacing_mm=(2.8, 2.8))
    (dataset,) = datasets(chest(lies_on=lies_on), scan)
    foam = np.argwhere(rescaled(dataset) == -890)[:, 0]
    assert foam.min() > 100
    assert dataset.PatientPosition == position
    headward = np.cross(*np.array(dataset.ImageOrientationPatient, float).reshape(2, 3))[2]
    assert headward == (1 if position[0] == "H" else -1)


def test_values_can_change_from_slice_to_slice():
    scan = Scan(
        count=4,
        shape=(32, 32),
        spacing_mm=(11.0, 11.0),
        signed=lambda index: index % 2 == 0,
        slope=lambda index: 1.0 + index,
        intercept=lambda index: -1024.0 - index,
        offset_mm=lambda index: (0.0, 0.5 * index, 0.0),
    )
    phantom = chest()
    for index, dataset in enumerate(datasets(phantom, scan)):
        assert dataset.PixelRepresentation == (index % 2 == 0)
        assert float(dataset.RescaleSlope) == 1 + index
        regular = scan.grid(phantom).position_mm((index, 0, 0))
        assert float(dataset.ImagePositionPatient[1]) == pytest.approx(regular[1] + 0.5 * index)
        hu, _ = phantom.at(*positions(dataset))
        assert np.abs(rescaled(dataset) - hu).max() <= (1 + index) / 2


@pytest.mark.parametrize(("signed", "vr"), [(True, "SS"), (False, "US")])
def test_padding_lies_outside_the_circle(signed, vr):
    padding = -2000 if signed else 63536
    scan = Scan(count=1, shape=(64, 64), spacing_mm=(5.0, 5.0), signed=signed, padding=padding)
    (dataset,) = datasets(chest(), scan)
    assert (dataset["PixelPaddingValue"].VR, dataset.PixelPaddingValue) == (vr, padding)
    row, column = np.mgrid[:64, :64] - 31.5
    np.testing.assert_array_equal(dataset.pixel_array == padding, row**2 + column**2 > 32**2)


def test_values_are_clipped_to_the_bits_stored():
    scan = Scan(count=1, shape=(64, 64), spacing_mm=(5.0, 5.0), bits_stored=10, signed=False)
    (dataset,) = datasets(chest(), scan)
    assert (dataset.BitsStored, dataset.HighBit, dataset.pixel_array.max()) == (10, 9, 1023)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        JPEGLSLossless,
        JPEG2000Lossless,
        RLELossless,
    ],
)
def test_every_transfer_syntax_holds_the_same_pixels(syntax, signed):
    plain, coded = (
        datasets(
            chest(), Scan(count=2, shape=(40, 60), signed=signed, noise_hu=9.0, transfer_syntax=s)
        )
        for s in (ExplicitVRLittleEndian, syntax)
    )
    for a, b in zip(plain, coded, strict=True):
        assert b.file_meta.TransferSyntaxUID == syntax
        np.testing.assert_array_equal(a.pixel_array, b.pixel_array)
        assert a.SOPInstanceUID == b.SOPInstanceUID


def test_noise_has_its_sigma_and_follows_from_the_seed():
    scan = Scan(count=1, shape=(128, 128), noise_hu=12.0, seed=5)
    first, again = dict(slices(chest(), scan)), dict(slices(chest(), scan))
    assert first == again
    assert first != dict(slices(chest(), Scan(count=1, shape=(128, 128), noise_hu=12.0, seed=6)))
    exact = datasets(chest(), Scan(count=1, shape=(128, 128)))[0].pixel_array
    noisy = datasets(chest(), scan)[0].pixel_array
    assert np.std(noisy - exact) == pytest.approx(12.0, rel=0.03)


def test_files_carry_what_must_not_leak_and_edits_come_last():
    def drop_spacing(dataset: pydicom.Dataset, index: int) -> None:
        if index == 1:
            del dataset.PixelSpacing

    series = datasets(chest(), Scan(count=2, shape=(16, 16), edit=drop_spacing))
    for keyword, value in PHI.items():
        assert str(series[0][keyword].value) == value
    assert ["PixelSpacing" in dataset for dataset in series] == [True, False]
    assert len({dataset.SOPInstanceUID for dataset in series}) == 2
    assert len({dataset.SeriesInstanceUID for dataset in series}) == 1
