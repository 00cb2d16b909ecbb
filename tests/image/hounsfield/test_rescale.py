"""HU of a slice: by rescale or table, without padding, and with a flag for each doubt."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from encoded import (
    HTJ2K_IRREVERSIBLE,
    HTJ2K_REVERSIBLE,
    encapsulated,
    header,
    image,
    jpeg_2000_stream,
    jpeg_ls_stream,
    written,
)
from lungprep import errors
from lungprep.image.dicom.objects import read_object
from lungprep.image.hounsfield.padding import undeclared_padding
from lungprep.image.hounsfield.rescale import believes_padding, slice_hu
from lungprep_demo.phantom import Scan, chest, slices

REAL = Path(__file__).parents[4] / "shared" / "data" / "bad" / "transfer-syntaxes"
needs_real_input = pytest.mark.skipif(
    not REAL.is_dir(), reason="the collection of real bad inputs is not here"
)


def hu_of(content, **options):
    (slice_,) = read_object("1.dcm", content)
    return slice_hu(slice_, **options)


def file_of(stored, **edits):
    """A file of stored values, slope 1 and intercept 0, little endian."""
    edits = {"PixelRepresentation": int(stored.dtype == np.int16), **edits}
    dataset = header(stored.shape, PixelData=stored.tobytes())
    for keyword, value in edits.items():
        if value is None:
            delattr(dataset, keyword)
        elif keyword == "PixelPaddingValue":
            dataset.add_new(keyword, "SS" if stored.dtype == np.int16 else "US", value)
        else:
            setattr(dataset, keyword, value)
    return written(dataset)


STORED = np.array([[-2000, -1000, 0], [40, 3000, 32767]], dtype=np.int16)


def test_slope_and_intercept_are_applied_in_float():
    hu, flags = hu_of(file_of(STORED, RescaleSlope="0.3", RescaleIntercept="-10.25"))
    np.testing.assert_array_equal(hu, [[-610, -310, -10], [2, 890, 3071]])
    assert (hu.dtype, flags) == (np.int16, {})


@pytest.mark.parametrize("kind", ["HU", "HU_MOD", "US", "", None, "hu"])
def test_hounsfield_units_by_any_name(kind):
    hu, _ = hu_of(file_of(STORED, RescaleType=kind))
    assert hu[1, 0] == 40


@pytest.mark.parametrize(
    ("kind", "name"), [("ED", "ED"), ("Z_EFF", "Z_EFF"), ("QUIRINA", "another unit")]
)
def test_other_units_are_refused(kind, name):
    with pytest.raises(errors.NotHounsfield, match=rf"^1.dcm is rescaled to {name}, not to Houns"):
        hu_of(file_of(STORED, RescaleType=kind))


def test_absent_rescale_tags_are_an_error_that_tells_of_the_option():
    content = file_of(STORED, RescaleSlope=None, RescaleIntercept=None)
    with pytest.raises(errors.MissingTag, match=r"RescaleIntercept; .* set load.assume_hu if"):
        hu_of(content)
    hu, flags = hu_of(content, assume_hu=True)
    np.testing.assert_array_equal(hu, [[-1024, -1000, 0], [40, 3000, 3071]])
    assert flags == {"assumed_hu": 1}


@pytest.mark.parametrize("assume_hu", [False, True])
@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"RescaleSlope": None}, "has no usable RescaleSlope"),
        ({"RescaleIntercept": None}, "has no usable RescaleIntercept"),
        ({"RescaleSlope": 0}, "has RescaleSlope 0"),
    ],
)
def test_half_a_rescale_is_an_error_whatever_is_assumed(edits, words, assume_hu):
    with pytest.raises(errors.MissingTag, match=f"^1.dcm {words}"):
        hu_of(file_of(STORED, **edits), assume_hu=assume_hu)


def test_nothing_is_assumed_where_the_tags_are_there():
    hu, flags = hu_of(file_of(STORED, RescaleIntercept=-5), assume_hu=True)
    assert (hu[1, 0], flags) == (35, {})


def test_pixels_beyond_16_bits_saturate_and_are_counted():
    hu, flags = hu_of(file_of(STORED, RescaleIntercept=100))
    assert (hu[1, 2], flags) == (3071, {"saturated": 1})
    stored = np.array([[0, 65535], [65000, 20]], dtype=np.uint16)
    hu, flags = hu_of(file_of(stored, PixelPaddingValue=65535))
    np.testing.assert_array_equal(hu, [[0, -1024], [3071, 20]])
    assert flags == {"saturated": 1}, "padding does not count"


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
)
@pytest.mark.parametrize("ends", [(-2000, -1500), (-1500, -2000)])
def test_a_range_of_padding_is_air(syntax, ends):
    def declare(dataset, index):
        dataset.add_new("PixelPaddingValue", "SS", ends[0])
        dataset.add_new("PixelPaddingRangeLimit", "SS", ends[1])

    options = {"count": 1, "shape": (16, 20), "intercept": 0.0, "transfer_syntax": syntax}
    plain = next(c for _, c in slices(chest(), Scan(**options, noise_hu=500.0)))
    padded = next(c for _, c in slices(chest(), Scan(**options, noise_hu=500.0, edit=declare)))
    hu, expected = hu_of(padded)[0], hu_of(plain)[0]
    np.testing.assert_array_equal(hu, expected)
    assert hu.min() == -1024


# Circles of padding that no tag declares.


def circle(size, radius):
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    return row**2 + column**2 <= radius**2


def field(size=64, radius=32.0, value=0, inside=None):
    random = np.random.default_rng(3)
    tissue = random.normal(40, 20, (size, size)) if inside is None else inside
    stored = np.where(circle(size, radius), tissue, value)
    return stored.round().astype(np.int16)


@pytest.mark.parametrize("value", [0, 40, 1000, 3071, -900])
@pytest.mark.parametrize("radius", [32.0, 30.0, 31.4])
def test_undeclared_padding_becomes_air(value, radius):
    stored = field(value=value, radius=radius)
    hu, flags = hu_of(file_of(stored))
    outside = ~circle(64, radius)
    assert (hu[outside] == -1024).all()
    # In a row, tissue of the very value may adjoin; it can't be told from the padding.
    changed = (hu != stored) & ~outside
    assert changed.sum() <= 6
    assert flags == {"undeclared_padding": int((outside | changed).sum())}


@pytest.mark.parametrize(
    "stored",
    [
        field(value=-1000),
        field(value=-2000),
        field(radius=60.0),
        field(value=0, inside=np.zeros((64, 64))),
        field(value=0, inside=np.where(circle(64, 15), 0, 40)),
        np.pad(field(size=60, value=0), ((0, 4), (0, 4)), constant_values=5),
    ],
    ids=["air", "below air", "tissue", "a blank slice", "widespread", "other corners"],
)
def test_what_is_no_padding_is_left_alone(stored):
    hu, flags = hu_of(file_of(stored))
    np.testing.assert_array_equal(hu, np.clip(stored, -1024, 3071))
    assert flags == {}


@pytest.mark.parametrize(("radius_share", "aside"), [(1.15, 0), (0.95, 5), (0.8, 0)])
def test_circles_of_other_size_and_place_are_padding_too(radius_share, aside):
    row, column = np.ogrid[:64, :64]
    outside = np.hypot(row - 31.5 - aside, column - 31.5) > 32 * radius_share
    stored = np.where(outside, 0, -700 + row + column).astype(np.int16)
    hu, flags = hu_of(file_of(stored))
    assert flags == {"undeclared_padding": outside.sum()}
    np.testing.assert_array_equal(hu, np.where(outside, -1024, stored))


def test_one_pixel_in_a_corner_disproves_the_padding():
    stored = field()
    stored[0, 1] += 1
    assert hu_of(file_of(stored))[1] == {}
    stored = field()
    stored[31, 31] = 2000
    assert set(hu_of(file_of(stored))[1]) == {"undeclared_padding"}


def test_declared_padding_needs_no_flag():
    stored = np.where(field(value=0) == 0, 0, np.maximum(field(value=0), 1)).astype(np.int16)
    stored[circle(64, 32) & (stored == 0)] = 1
    hu, flags = hu_of(file_of(stored, PixelPaddingValue=0))
    np.testing.assert_array_equal(hu, np.where(stored == 0, -1024, stored))
    assert flags == {}


@settings(max_examples=60, deadline=None)
@given(
    places=st.sets(st.tuples(st.integers(0, 23), st.integers(0, 20)), max_size=12),
    radius=st.floats(9, 11),
)
def test_padding_is_what_the_borders_see_along_rows(places, radius):
    """The oracle walks inwards until the first other value."""
    row, column = np.ogrid[:24, :21]
    stored = np.where((row - 11.5) ** 2 + (column - 10) ** 2 > radius**2, 7, 40).astype(np.int16)
    for place in places:
        stored[place] = 7
    found = undeclared_padding(stored, stored)
    # Values that are common inside the circle too mean something there.
    assume(found is not None)
    for values, mask in zip(stored.tolist(), found.tolist(), strict=True):
        left = next((i for i, v in enumerate(values) if v != 7), 21)
        right = next((i for i, v in enumerate(values[::-1]) if v != 7), 21)
        assert mask == [i < left or i >= 21 - right for i in range(21)]


# Declared padding that is not to be believed.


@pytest.mark.parametrize("intercept", [0, -24, -1000])
def test_padding_amid_tissue_is_not_believed(intercept):
    """Stored values that were rewritten under a header that kept the padding of the old ones."""
    stored = field(radius=60.0)
    amid = int((stored == 40).sum())
    hu, flags = hu_of(file_of(stored, PixelPaddingValue=40, RescaleIntercept=intercept))
    np.testing.assert_array_equal(hu, np.maximum(stored + intercept, -1024))
    assert 0 < flags["padding_not_believed"] <= amid


def test_padding_at_or_below_the_lowest_hu_is_none_of_the_tissue():
    stored = field(radius=60.0)
    hu, flags = hu_of(file_of(stored, PixelPaddingValue=40, RescaleIntercept=-1064))
    assert (hu[stored == 40] == -1024).all()
    assert flags == {}


@pytest.mark.parametrize(
    ("vr", "value", "is_padding"),
    [("US", [63536, 63536], True), ("DS", "-2000", True), ("LO", "", False), ("LO", "none", False)],
)
def test_padding_written_oddly_is_read_or_marks_nothing(vr, value, is_padding):
    dataset = header((2, 2), PixelData=np.array([-2000, 40, 40, 40], "<i2").tobytes())
    dataset.PixelRepresentation, dataset.RescaleIntercept = 1, 1500
    dataset.add_new("PixelPaddingValue", vr, value)
    hu, flags = hu_of(written(dataset))
    assert hu[0, 0] == (-1024 if is_padding else -500)
    assert flags == {}


@pytest.mark.parametrize("limits", [(-900, 3000), (-2000, 3000), (-2000, 60)])
def test_a_range_of_padding_that_takes_in_the_tissue_is_not_believed(limits):
    stored = np.where(circle(64, 24), field(radius=60.0), -1000).astype(np.int16)
    edits = {"PixelPaddingValue": limits[0], "PixelPaddingRangeLimit": limits[1]}
    hu, flags = hu_of(ranged(stored, **edits))
    np.testing.assert_array_equal(hu, stored)
    assert set(flags) == {"padding_not_believed"}


def ranged(stored, PixelPaddingValue, PixelPaddingRangeLimit):  # noqa: N803
    dataset = header(stored.shape, PixelData=stored.tobytes(), PixelRepresentation=1)
    dataset.add_new("PixelPaddingValue", "SS", PixelPaddingValue)
    dataset.add_new("PixelPaddingRangeLimit", "SS", PixelPaddingRangeLimit)
    return written(dataset)


def test_a_declared_circle_is_air_where_its_value_lies_in_the_tissue_too():
    stored = field(value=0)
    hu, flags = hu_of(file_of(stored, PixelPaddingValue=0))
    assert (hu[~circle(64, 32)] == -1024).all()
    assert (hu[circle(64, 28)] == stored[circle(64, 28)]).all()
    assert set(flags) == {"padding_not_believed", "undeclared_padding"}


def test_one_answer_holds_for_a_whole_series():
    """A slice without a doubtful pixel, or with one, does as the others do."""
    sound = np.where(circle(64, 30), 40, 0).astype(np.int16)
    odd = np.where(circle(64, 26) & (field(radius=60.0) < 30), 0, sound).astype(np.int16)
    files = [file_of(s, PixelPaddingValue=0) for s in (sound, odd, odd)]
    slices_ = [read_object("1.dcm", content)[0] for content in files]
    assert believes_padding(slices_[:1]) is True
    assert believes_padding(slices_) is False
    assert believes_padding([read_object("1.dcm", file_of(sound))[0]]) is None
    hu, flags = slice_hu(slices_[1], padding_is_believed=True)
    assert (hu[circle(64, 30)] == odd[circle(64, 30)]).all()
    assert (hu[~circle(64, 30)] == -1024).all()
    assert flags == {}


# Bits above the stored ones.


BITS_12 = {"BitsStored": 12, "HighBit": 11, "RescaleIntercept": -1024}


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_values_of_more_bits_than_are_stored_are_counted(syntax):
    """PS3.5 8.1.1 has the bits ignored: metal of 4500 HU becomes 404."""
    stored = np.full((12, 16), 1064, np.uint16)
    stored[3:5, 4:7] = 5524
    dataset = header(stored.shape, PixelData=stored.tobytes(), **BITS_12)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if syntax == RLELossless:
        dataset.compress(syntax)
    hu, flags = hu_of(written(dataset, syntax))
    assert (hu[3, 4], hu[0, 0], flags) == (404, 40, {"bits_beyond_stored": 6})


@pytest.mark.parametrize(
    ("edits", "count"),
    [
        ({"OverlayBitPosition": 12, "OverlayBitsAllocated": 16}, 0),
        ({"OverlayBitPosition": 12}, 0),
        ({"OverlayBitsAllocated": 16}, 0),
        ({"OverlayBitPosition": 0, "OverlayBitsAllocated": 1}, 6),
        ({"OverlayBitPosition": 13, "OverlayBitsAllocated": 16}, 6),
        ({"OverlayBitPosition": None}, 6),
    ],
)
@pytest.mark.parametrize("group", [0x6000, 0x6006])
def test_bits_of_an_announced_overlay_are_none_of_the_values(edits, count, group):
    stored = np.full((12, 16), 1064, np.uint16)
    stored[3:5, 4:7] |= 1 << 12
    dataset = header(stored.shape, PixelData=stored.tobytes(), **BITS_12)
    elements = {"OverlayBitsAllocated": 0x0100, "OverlayBitPosition": 0x0102}
    for keyword, value in edits.items():
        dataset.add_new((group, elements[keyword]), "US", value)
    hu, flags = hu_of(written(dataset))
    assert (hu == 40).all()
    assert flags.get("bits_beyond_stored", 0) == count


@pytest.mark.parametrize(
    ("cells", "signed", "count"),
    [
        ([1, 2, 4095], 0, 0),
        ([0x8001, 0x8002, 0x8FFF], 0, 0),
        ([0xF001, 0x0002, 0x0003], 0, 1),
        ([0x8001, 0x4002, 0x0003], 0, 2),
        ([-2048, -1, 2047], 1, 0),
        ([0x0FFF, 0x0FFE, 0x0FFD], 1, 0),
        ([-1000, 500, 2500], 1, 1),
        ([-1000, 500, -3000], 1, 1),
    ],
)
def test_the_sign_and_what_is_the_same_everywhere_are_no_bits_beyond(cells, signed, count):
    stored = np.array([cells] * 3).astype(np.uint16)
    dataset = header(stored.shape, PixelData=stored.tobytes(), **BITS_12)
    dataset.PixelRepresentation, dataset.RescaleIntercept = signed, 0
    assert hu_of(written(dataset))[1].get("bits_beyond_stored", 0) == 3 * count


def test_signed_values_that_outgrow_their_bits_are_told_by_their_neighbours():
    """Bone of 2500 in 12 signed bits wraps to -1596; as -1596 it would be written alike."""
    row = np.linspace(0, 2500, 64).round()
    stored = np.tile(row, (64, 1)).astype(np.uint16)
    dataset = header(stored.shape, PixelData=stored.tobytes(), **BITS_12)
    dataset.PixelRepresentation = 1
    assert hu_of(written(dataset))[1]["bits_beyond_stored"] == (stored > 2047).sum()
    negative = np.tile(np.linspace(-1024, 900, 64).round() % 4096, (64, 1)).astype(np.uint16)
    dataset.PixelData = negative.tobytes()
    assert "bits_beyond_stored" not in hu_of(written(dataset))[1]


def test_padding_in_all_16_bits_is_padding():
    stored = np.where(circle(64, 32), 1064, 63536).astype(np.uint16)
    dataset = header(stored.shape, PixelData=stored.tobytes(), **BITS_12)
    dataset.add_new("PixelPaddingValue", "US", 63536)
    hu, flags = hu_of(written(dataset))
    np.testing.assert_array_equal(hu, np.where(circle(64, 32), 40, -1024))
    assert flags == {}


# Modality LUTs in place of slope and intercept.


def lut(entries, first=0, *, bits=16, kind="HU", vr="US", data=None):
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) % 65536, first, bits])
    if kind is not None:
        item.ModalityLUTType = kind
    if data is None:
        data = list(entries) if vr == "US" else np.array(entries, "<u2").tobytes()
    item.add_new("LUTData", vr, data)
    return [item]


NO_RESCALE = {"RescaleSlope": None, "RescaleIntercept": None, "RescaleType": None}
TABLE = [7, 100, 900, 65535]


@pytest.mark.parametrize("vr", ["US", "OW"])
@pytest.mark.parametrize("kind", ["HU", "US", "", None])
def test_a_table_maps_values_and_its_ends_hold_beyond_it(vr, kind):
    stored = np.array([[-32768, 9, 10, 11], [12, 13, 14, 32767]], dtype=np.int16)
    content = file_of(stored, **NO_RESCALE, ModalityLUTSequence=lut(TABLE, 10, vr=vr, kind=kind))
    hu, flags = hu_of(content)
    np.testing.assert_array_equal(hu, [[7, 7, 7, 100], [900, 3071, 3071, 3071]])
    assert flags == {"saturated": 3}


@pytest.mark.parametrize("signed", [True, False])
def test_the_first_value_has_the_sign_of_the_pixels(signed):
    stored = np.array([[65534, 65535]], dtype=np.uint16)
    if signed:
        stored = stored.view(np.int16)
    item = lut([1, 2, 3], 65534)
    assert hu_of(file_of(stored, **NO_RESCALE, ModalityLUTSequence=item))[0].tolist() == [[1, 2]]


def test_0_entries_are_65536():
    table = np.arange(65536)
    stored = np.array([[0, 500, 65535]], dtype=np.uint16)
    item = lut(table.tolist(), data=table.astype("<u2").tobytes(), vr="OW")
    assert item[0].LUTDescriptor[0] == 0
    content = file_of(stored, **NO_RESCALE, ModalityLUTSequence=item)
    assert hu_of(content)[0].tolist() == [[0, 500, 3071]]


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("entries", [[5, 6, 250, 9], [5, 6, 250]])
def test_entries_of_8_bits_may_be_packed(entries, packed):
    data = bytes(entries) + b"\0" * (len(entries) % 2)
    data = data if packed else np.array(entries, "<u2").tobytes()
    stored = np.arange(4, dtype=np.int16)[None]
    item = lut(entries, bits=8, vr="OW", data=data)
    hu, _ = hu_of(file_of(stored, **NO_RESCALE, ModalityLUTSequence=item))
    assert hu.tolist() == [[*entries, entries[-1]][:4]]


def test_a_table_in_big_endian_is_read_alike():
    def put(dataset, index):
        dataset.ModalityLUTSequence = lut(TABLE, 10)
        del dataset.RescaleSlope, dataset.RescaleIntercept

    options = {"count": 1, "shape": (16, 20), "intercept": -1000.0, "edit": put, "noise_hu": 5.0}
    little, big = (
        hu_of(next(c for _, c in slices(chest(), Scan(**options, transfer_syntax=syntax))))[0]
        for syntax in (ExplicitVRLittleEndian, ExplicitVRBigEndian)
    )
    np.testing.assert_array_equal(little, big)
    assert set(np.unique(little)) <= {7, 100, 900, 3071}


def test_padding_is_told_by_stored_values_with_a_table_too():
    stored = np.array([[0, 1, 2]], dtype=np.int16)
    edits = {**NO_RESCALE, "ModalityLUTSequence": lut([9, 8, 7]), "PixelPaddingValue": 1}
    assert hu_of(file_of(stored, **edits))[0].tolist() == [[9, -1024, 7]]


@pytest.mark.parametrize("kind", ["OD", "QUIRINA"])
def test_a_table_of_another_unit_is_refused(kind):
    name = "OD" if kind == "OD" else "another unit"
    content = file_of(STORED, **NO_RESCALE, ModalityLUTSequence=lut(TABLE, kind=kind))
    with pytest.raises(errors.NotHounsfield, match=f"is rescaled to {name}, not to Hounsfield"):
        hu_of(content)


@pytest.mark.parametrize(
    "item",
    [lut(TABLE, bits=12), lut(TABLE, data=TABLE[:3]), lut(TABLE, data=b"", vr="OW"), [Dataset()]],
    ids=["12 bits", "too short", "empty", "nothing"],
)
def test_a_table_that_contradicts_itself_is_an_error(item):
    content = file_of(STORED, **NO_RESCALE, ModalityLUTSequence=item)
    with pytest.raises(errors.UndecodablePixels, match=r"^1.dcm has a Modality LUT that can't be"):
        hu_of(content)


def test_an_empty_sequence_is_no_table():
    assert hu_of(file_of(STORED, ModalityLUTSequence=[]))[0][1, 0] == 40


def test_table_and_rescale_agree_or_are_refused():
    """The standard forbids both (PS3.3 C.11.1); where they say the same it does not matter."""
    stored = np.array([[1, 2, 3]], dtype=np.int16)
    agreeing = lut([20, 30, 40], 1)
    edits = {"RescaleSlope": 10, "RescaleIntercept": 10, "ModalityLUTSequence": agreeing}
    assert hu_of(file_of(stored, **edits))[0].tolist() == [[20, 30, 40]]
    edits["RescaleIntercept"] = 11
    with pytest.raises(errors.NotHounsfield, match="a Modality LUT and rescale tags that disagree"):
        hu_of(file_of(stored, **edits))


MAPS = ["MAT_SPECIFIC", "MAT_FRACTIONAL", "EFF_ATOMIC_NUM", "ELECTRON_DENSITY"]


@pytest.mark.parametrize("kind", ["hu", "HU\\HU", "Hounsfield Units", "US", "UNSPECIFIED", ""])
def test_hounsfield_has_many_spellings(kind):
    assert hu_of(file_of(STORED, RescaleType=kind))[0][1, 0] == 40


@pytest.mark.parametrize("kind", MAPS)
def test_a_material_map_is_no_hounsfield_unless_it_says_so(kind):
    image_type = ["ORIGINAL", "PRIMARY", "AXIAL", kind]
    for unit in ("US", "HU_MOD"):
        with pytest.raises(
            errors.NotHounsfield, match=rf"^1.dcm is a material map \({kind}\), not"
        ):
            hu_of(file_of(STORED, ImageType=image_type, RescaleType=unit))
    assert hu_of(file_of(STORED, ImageType=image_type, RescaleType="HU"))[0][1, 0] == 40
    plain = ["ORIGINAL", "PRIMARY", "AXIAL"]
    assert hu_of(file_of(STORED, ImageType=plain, RescaleType="US"))[0][1, 0] == 40


# What lossy compression leaves.

WIDE = {"Rows": 32, "Columns": 40}
LOSSY = jpeg_2000_stream(image((32, 40)), ratio=3)
LOSSLESS = jpeg_2000_stream(image((32, 40)))


@pytest.mark.parametrize(
    ("stream", "syntax", "edits", "flags"),
    [
        (jpeg_ls_stream(image()), JPEGLSLossless, {}, {}),
        (jpeg_ls_stream(image()), JPEGLSNearLossless, {}, {}),
        (jpeg_ls_stream(image(), near=3), JPEGLSNearLossless, {}, {"near_lossless": 3}),
        (jpeg_ls_stream(image(), near=3), JPEGLSLossless, {}, {"near_lossless": 3}),
        (
            jpeg_ls_stream(image(), near=3),
            JPEGLSNearLossless,
            {"RescaleSlope": "-1.5", "RescaleIntercept": 30000},
            {"near_lossless": 5},
        ),
        (
            jpeg_ls_stream(image(), near=3),
            JPEGLSNearLossless,
            {"RescaleSlope": "0.25"},
            {"near_lossless": 3},
        ),
        (LOSSLESS, JPEG2000Lossless, WIDE, {}),
        (LOSSLESS, JPEG2000, WIDE, {}),
        (LOSSLESS, JPEG2000, {**WIDE, "LossyImageCompression": "00"}, {}),
        (LOSSLESS, JPEG2000, {**WIDE, "LossyImageCompression": "01"}, {"lossy_jpeg2000": 1}),
        (LOSSLESS, JPEG2000Lossless, {**WIDE, "LossyImageCompression": "01"}, {"lossy_history": 1}),
        (
            jpeg_ls_stream(image()),
            JPEGLSLossless,
            {"LossyImageCompression": "01"},
            {"lossy_history": 1},
        ),
        (
            jpeg_ls_stream(image(), near=3),
            JPEGLSNearLossless,
            {"LossyImageCompression": "01"},
            {"near_lossless": 3},
        ),
        (LOSSY, JPEG2000, WIDE, {"lossy_jpeg2000": 1}),
        (LOSSY, JPEG2000Lossless, WIDE, {"lossy_jpeg2000": 1}),
        (HTJ2K_REVERSIBLE, HTJ2KLossless, {}, {}),
        (HTJ2K_IRREVERSIBLE, HTJ2K, {}, {"lossy_jpeg2000": 1}),
    ],
)
def test_losses_are_flagged(stream, syntax, edits, flags):
    found = hu_of(encapsulated(stream, syntax, **edits))[1]
    assert {name: found[name] for name in found if name != "saturated"} == flags


@needs_real_input
@pytest.mark.parametrize(
    ("syntax", "flags", "off"),
    [
        (".4.80", {}, 0),
        (".4.81", {"near_lossless": 1}, 1),
        (".4.90", {}, 0),
        (".4.91", {"lossy_jpeg2000": 1}, 5),
    ],
)
def test_losses_of_real_files_are_flagged(syntax, flags, off):
    (path,) = REAL.glob(f"*1.2.840.10008.1.2{syntax}.dcm")
    hu, found = hu_of(path.read_bytes())
    plain, _ = hu_of((REAL / "CTImage.dcm").read_bytes())
    assert found == flags
    assert np.abs(hu - plain).max() <= off
