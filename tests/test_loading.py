"""From DICOM objects to a volume: right voxels at right places, or one clear refusal."""

import logging
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from lungprep import errors
from lungprep.dicom import read_slice
from lungprep.loading import load
from lungprep.phantom import ORIENTATIONS, PHI, Scan, chest, ramp, slices
from lungprep.pixels import stored_pixels
from lungprep.series import slice_hu
from lungprep.stores import Address, S3Options, open_store

DEFLATED = DeflatedExplicitVRLittleEndian
SMALL = Scan(gap_mm=20, shape=(48, 40), spacing_mm=(7.5, 9.0))
REAL = Path(__file__).parents[2] / "shared" / "data" / "bad"

needs_real_input = pytest.mark.skipif(
    not REAL.is_dir(), reason="the collection of real bad inputs is not here"
)


@pytest.fixture
def loaded(folder):
    """Write files into a folder and load them as a patient."""

    def run(files, **options):
        place = folder("patient")
        for name, content in files:
            place.write(name, content)
        return load(place, **{"min_slices": 3, **options})

    return run


def truth(phantom, grid):
    return np.clip(np.rint(phantom.hu(grid)), -1024, 3071)


@pytest.mark.parametrize("orientation", sorted(ORIENTATIONS))
@pytest.mark.parametrize("order", ["along", "against", "shuffled"])
def test_every_position_gives_the_same_patient(loaded, orientation, order):
    """The phantom is a function of the patient's point: any scan must agree with it everywhere."""
    phantom = chest()
    scan = replace(SMALL, orientation=orientation, instance_order=order)
    volume, _ = loaded(slices(phantom, scan))
    np.testing.assert_allclose(volume.grid.direction, np.eye(3), atol=1e-9)
    assert volume.hu.flags.c_contiguous
    assert np.abs(volume.hu - truth(phantom, volume.grid)).max() <= 1


@pytest.mark.parametrize(
    "encoding",
    [
        {"signed": False, "bits_stored": 12},
        {"signed": True, "bits_stored": 16, "intercept": 0.0},
        {"signed": lambda k: bool(k % 2)},
        {"slope": 0.5, "intercept": -1000.5},
        {"slope": lambda k: 1.0 + 0.1 * (k % 5), "intercept": lambda k: -1024.0 - k},
        {"padding": -2000, "intercept": 0.0},
        {"padding": 63536, "signed": False},
    ],
    ids=["12 bits", "16 bits", "mixed signs", "slope", "per slice", "padding", "padding unsigned"],
)
def test_every_rescale_gives_the_same_patient(loaded, encoding):
    phantom = chest()
    scan = replace(SMALL, **encoding)
    volume, _ = loaded(slices(phantom, scan))
    expected = truth(phantom, volume.grid)
    if "padding" in encoding:
        expected[:, ~scan.field()] = -1024
    assert np.abs(volume.hu - expected).max() <= 1


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
        JPEG2000Lossless,
    ],
    ids=lambda uid: uid.name,
)
@pytest.mark.parametrize("signed", [True, False])
def test_every_encoding_gives_the_same_voxels(loaded, syntax, signed):
    plain, _ = loaded(slices(chest(), replace(SMALL, signed=signed)))
    scan = replace(SMALL, signed=signed, transfer_syntax=syntax)
    volume, found = loaded(slices(chest(), scan))
    np.testing.assert_array_equal(volume.hu, plain.hu)
    assert found.acquisition["transfer_syntax"] == syntax


def test_overlay_bits_above_the_stored_ones_are_removed(loaded):
    def draw_overlay(dataset, index):
        pixels = np.frombuffer(dataset.PixelData, dtype="<u2") | 0x8000
        dataset.PixelData = pixels.tobytes()

    scan = replace(SMALL, signed=False, bits_stored=12)
    plain, _ = loaded(slices(chest(), scan))
    volume, _ = loaded(slices(chest(), replace(scan, edit=draw_overlay)))
    np.testing.assert_array_equal(volume.hu, plain.hu)


def test_a_point_of_tissue_keeps_its_place(loaded):
    """A field that grows by 1 HU per 0.1 mm along each axis, scanned obliquely in the plane."""
    phantom = ramp((2.0, 1.0, -3.0), centre_mm=(12.3, -45.6, 78.9))
    volume, _ = loaded(slices(phantom, replace(SMALL, orientation="FFP")))
    inside = (volume.hu > -1024) & (volume.hu < 3071)
    assert inside.mean() > 0.5
    assert np.abs(volume.hu - truth(phantom, volume.grid))[inside].max() <= 1


def test_objects_that_are_no_ct_are_skipped_and_counted(loaded):
    def as_mr(dataset, index):
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = (
            "1.2.840.10008.5.1.4.1.1.4"
        )
        dataset.Modality = "MR"

    other = [
        (f"mr-{n}", c) for n, c in slices(chest(), replace(SMALL, count=2, edit=as_mr, seed=9))
    ]
    junk = [("LICENSE", b"text"), (".DS_Store", b"\0" * 300), ("empty", b"")]
    volume, found = loaded([*slices(chest(), SMALL), *other, *junk])
    assert found.source["skipped"] == {"not DICOM": 3, "other DICOM": 2}
    assert found.source["objects"] == volume.grid.shape[0] + 5


def test_the_series_with_most_slices_that_form_a_volume_is_taken(loaded, caplog):
    caplog.set_level(logging.INFO)
    good = list(slices(chest(), SMALL))
    scout = [(f"scout-{n}", c) for n, c in slices(chest(), replace(SMALL, count=2, seed=5))]
    torn = replace(SMALL, gap_mm=8, seed=6)
    broken = [(f"torn-{n}", c) for i, (n, c) in enumerate(slices(chest(), torn)) if i != 20]
    volume, found = loaded([*good, *scout, *broken])
    assert volume.grid.shape[0] == len(good) < len(broken)
    assert list(found.rejected_series.values()) == ["MissingSlices"]
    (uid,) = found.rejected_series
    assert f"passed over series {uid}: 1 of " in caplog.text
    assert f"series {found.series_instance_uid}" in caplog.text


def test_a_named_series_is_taken_and_no_other(loaded):
    files = list(slices(chest(), SMALL))
    other = [(f"b-{n}", c) for n, c in slices(chest(), replace(SMALL, gap_mm=30, seed=5))]
    uid = str(dcmread(BytesIO(other[0][1])).SeriesInstanceUID)
    _, found = loaded([*files, *other], series_uid=uid)
    assert found.series_instance_uid == uid
    with pytest.raises(errors.NoCTImages, match=r"no CT image of series 1\.2\.3 among"):
        loaded(files, series_uid="1.2.3")


def test_no_identity_leaves_the_header(loaded):
    _, found = loaded(slices(chest(), SMALL))
    text = repr(found)
    assert not [value for value in PHI.values() if value in text]


def drop(*keywords):
    def edit(dataset, index):
        for keyword in keywords:
            del dataset[keyword]

    return edit


def assign(keyword, value, only=None):
    def edit(dataset, index):
        if only is None or index == only:
            setattr(dataset, keyword, value)

    return edit


def cut_pixels(dataset, index):
    if index == 3:
        dataset.PixelData = dataset.PixelData[:100]


BROKEN = [
    ({"edit": drop("ImagePositionPatient")}, errors.MissingTag, "no usable ImagePositionPatient"),
    ({"edit": drop("PixelSpacing")}, errors.MissingTag, r"no usable PixelSpacing \(found None\)"),
    ({"edit": drop("ImageOrientationPatient")}, errors.MissingTag, "no usable ImageOrientation"),
    ({"edit": drop("RescaleSlope")}, errors.MissingTag, "no usable RescaleSlope"),
    ({"edit": drop("RescaleIntercept")}, errors.MissingTag, "no usable RescaleIntercept"),
    ({"edit": assign("PixelSpacing", [0, 0])}, errors.InconsistentSlices, "PixelSpacing of"),
    (
        {"edit": assign("PixelSpacing", [7.5, 8.0], only=2)},
        errors.InconsistentSlices,
        r"PixelSpacing is \[7\.5, 9\.0\] in .* and \[7\.5, 8\.0\] in",
    ),
    (
        {"edit": assign("Rows", 40, only=2)},
        errors.InconsistentSlices,
        r"Rows x Columns is \[48, 40\] in .* and \[40, 40\] in",
    ),
    ({"edit": cut_pixels}, errors.UndecodablePixels, "has 100 bytes of pixels where 48 x 40 need"),
    ({"edit": drop("PixelData")}, errors.UndecodablePixels, "has no pixel data, or breaks off"),
    ({"edit": assign("SamplesPerPixel", 3)}, errors.UnsupportedEncoding, "SamplesPerPixel 3"),
    ({"edit": assign("BitsAllocated", 32)}, errors.UnsupportedEncoding, "BitsAllocated 32"),
    (
        {"edit": assign("PhotometricInterpretation", "MONOCHROME1")},
        errors.UnsupportedEncoding,
        "MONOCHROME1 where CT is MONOCHROME2",
    ),
    ({"count": 1}, errors.TooFewSlices, "series of one slice"),
    ({"count": 2}, errors.TooFewSlices, r"2 slices, fewer than load\.min_slices \(3\)"),
    (
        {"offset_mm": lambda k: (0, 0, -20.0 if k == 4 else 0)},
        errors.DuplicatePositions,
        "2 slices share a position",
    ),
    (
        {"offset_mm": lambda k: (0, 0, 20.0 if k >= 4 else 0)},
        errors.MissingSlices,
        r"1 of \d+ slices are missing",
    ),
    ({"offset_mm": lambda k: (0, 3.0 * k, 0)}, errors.TiltedGantry, "within their plane"),
    ({"offset_mm": lambda k: (0, 0, 5.0 if k >= 4 else 0)}, errors.UnevenGaps, "gaps between"),
]


@pytest.mark.parametrize(("change", "error", "words"), BROKEN, ids=[w for _, _, w in BROKEN])
def test_broken_series_are_refused_by_name(loaded, change, error, words):
    with pytest.raises(error, match=words) as caught:
        loaded(slices(chest(), replace(SMALL, **change)))
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


def test_mixed_orientations_are_refused(loaded):
    tilted = replace(SMALL, orientation="sagittal", count=4)
    uid = {}

    def same_series(dataset, index):
        uid.setdefault("series", dataset.SeriesInstanceUID)
        dataset.SeriesInstanceUID = uid["series"]

    mixed = [*slices(chest(), replace(SMALL, edit=same_series, shape=(40, 40)))]
    mixed += [
        ("s" + n, c) for n, c in slices(chest(), replace(tilted, edit=same_series, shape=(40, 40)))
    ]
    with pytest.raises(errors.InconsistentSlices, match="ImageOrientationPatient is"):
        loaded(mixed)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless, DEFLATED])
@pytest.mark.parametrize("cut", [12, 20, 200])
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_a_file_cut_short_is_never_a_shorter_volume(loaded, syntax, cut):
    files = list(slices(chest(), replace(SMALL, transfer_syntax=syntax)))
    name, content = files[-1]
    with pytest.raises(errors.UndecodablePixels, match=name):
        loaded([*files[:-1], (name, content[:-cut])])


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless, RLELossless])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_stream_cut_within_an_intact_file_is_refused(loaded, syntax, share):
    def shorten(dataset, index):
        if index == 5:
            frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
            dataset.PixelData = encapsulate([frame[: int(len(frame) * share)]])

    scan = replace(SMALL, shape=(96, 96), transfer_syntax=syntax)
    with pytest.raises(errors.UndecodablePixels, match=r"breaks off|can't be decoded"):
        loaded(slices(chest(), replace(scan, edit=shorten)))


def test_an_empty_object_named_like_a_slice_is_an_upload_that_broke(loaded):
    files = list(slices(chest(), SMALL))
    with pytest.raises(errors.UndecodablePixels, match=rf"{files[-1][0]} is empty; upload it"):
        loaded([*files[:-1], (files[-1][0], b"")])


def test_data_elements_without_a_file_header_are_named(loaded):
    files = list(slices(chest(), SMALL))
    bare = files[0][1][132:]
    start = bare.index(b"\x08\x00")
    with pytest.raises(errors.UndecodablePixels, match="in place of a DICOM file header"):
        loaded([*files[1:], (files[0][0], bare[start:])])


def test_nothing_there_and_nothing_of_use(loaded, folder):
    with pytest.raises(errors.NoCTImages, match=r"nothing lies under .*patient/; check the prefix"):
        loaded([])
    with pytest.raises(errors.NoCTImages, match=r"no CT image among 2 objects .* \(2 not DICOM\)"):
        loaded([("LICENSE", b"text"), ("x", b"")])


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_mangled_files_end_in_designed_errors(data):
    """Cut and flipped anywhere: the slice as it was, no CT slice, or a DataError. Nothing else."""
    content = bytearray(FILE)
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        found = read_slice("1.dcm", content)
        if found is not None:
            assert stored_pixels(found).ndim == 2
            assert slice_hu(found).dtype == np.int16
    except errors.DataError as error:
        assert "1.dcm" in str(error)


FILE = next(content for _, content in slices(chest(), replace(SMALL, count=1, shape=(16, 16))))


@needs_real_input
@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("geometry/sliceincrement/001", errors.MissingSlices, "1 of 5 slices are missing"),
        ("geometry/sliceincrement/002", errors.MissingSlices, "missing"),
        ("geometry/gantrytilting/001", errors.TiltedGantry, "shifted by up to"),
        ("geometry/notavolume/001", errors.DuplicatePositions, "4 slices share a position"),
        ("geometry/slicecount/001", errors.NoCTImages, r"\(2 other DICOM\)"),
        ("geometry/sliceorientation/001", errors.NoCTImages, r"\(4 other DICOM\)"),
        ("undecodable-j2k", errors.UnsupportedEncoding, "JPEG 2000"),
        ("tilted-head", errors.UnevenGaps, "from 1.081 to 6.999 mm"),
    ],
)
def test_real_bad_input_is_refused(path, error, words):
    with pytest.raises(error, match=words):
        load(open_store(Address("", f"{REAL / path}/"), S3Options()), min_slices=3)


@needs_real_input
def test_real_lossless_encodings_are_identical_and_others_refused():
    folder = REAL / "transfer-syntaxes"
    plain = stored_pixels(read_slice("plain", (folder / "CTImage.dcm").read_bytes()))
    outcomes = {}
    for path in sorted(folder.glob("CTImage.dcm_*")):
        slice_ = read_slice(path.name, path.read_bytes())
        syntax = path.name.rpartition("1.2.840.10008.1.2")[2].removesuffix(".dcm")
        try:
            np.testing.assert_array_equal(stored_pixels(slice_), plain)
            outcomes[syntax] = "identical"
        except errors.UnsupportedEncoding:
            outcomes[syntax] = "refused"
    identical = {"", ".1", ".2", ".1.99", ".5", ".4.57", ".4.70", ".4.80", ".4.90"}
    refused = {".4.50", ".4.51", ".4.53", ".4.55", ".4.81", ".4.91"}
    assert outcomes == dict.fromkeys(identical, "identical") | dict.fromkeys(refused, "refused")
