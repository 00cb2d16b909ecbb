"""From DICOM objects to a volume: right voxels at right places, or one clear refusal."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
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
from lungprep.image.loading import load
from lungprep.image.series.policy import LoadOptions
from lungprep.stores import Address, Entry, S3Options, open_store
from lungprep_demo.phantom import ORIENTATIONS, PHI, Scan, chest, ramp, slices

DEFLATED = DeflatedExplicitVRLittleEndian
SMALL = Scan(gap_mm=20, shape=(48, 40), spacing_mm=(7.5, 9.0))
REAL = Path(__file__).parents[3] / "shared" / "data" / "bad"

needs_real_input = pytest.mark.skipif(
    not REAL.is_dir(), reason="the collection of real bad inputs is not here"
)


@pytest.fixture
def loaded(folder):
    """Write files into a folder and load them as a patient."""

    def run(files, series_uid=None, **options):
        place = folder("patient")
        for name, content in files:
            place.write(name, content)
        return load(place, LoadOptions(**{"min_slices": 3, **options}), series_uid=series_uid)

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
    assert found.source["skipped"] == {"not DICOM": 3, "MR": 2}
    assert found.source["objects"] == volume.grid.shape[0] + 5


def test_no_identity_leaves_the_header(loaded):
    _, found = loaded(slices(chest(), SMALL))
    text = repr(found)
    assert not [value for value in PHI.values() if value in text]


class Announced:
    """Files, and an archive that makes the prefix a large one."""

    address = "s3://bucket/site/"

    def __init__(self, files):
        self.files = files
        self.reads = 0

    def entries(self, *, below):
        sizes = {"archive.zip": 3 << 30, **{name: len(c) for name, c in self.files.items()}}
        return [Entry(name, size, "") for name, size in sorted(sizes.items())]

    def read(self, key, expected=None):
        self.reads += 1
        return self.files[key]

    def stat(self, key):
        return next(entry for entry in self.entries(below=True) if entry.key == key)


def test_a_cohort_is_refused_before_it_is_read():
    files = {}
    for seed in range(3):
        scan = replace(SMALL, seed=seed, edit=assign("PatientID", f"P{seed}"))
        files |= {f"P{seed}/ct/{name}": c for name, c in slices(chest(), scan)}
    store = Announced(files)
    with pytest.raises(
        errors.SeveralPatients,
        match=r"CT images of at least 3 people .* give s3://bucket/site/ as source, whose folders",
    ):
        load(store, LoadOptions(min_slices=3))
    assert store.reads == 3
    one = Announced({name: c for name, c in files.items() if name.startswith("P1/")})
    _, found = load(one, LoadOptions(min_slices=3))
    assert found.flags == []


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
    ({"edit": drop("PixelSpacing")}, errors.MissingTag, r"no usable PixelSpacing \(found"),
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
    ({"edit": drop("PixelData")}, errors.UndecodablePixels, "has no pixel data, ends"),
    ({"edit": assign("SamplesPerPixel", 3)}, errors.UnsupportedEncoding, "SamplesPerPixel 3"),
    ({"edit": assign("BitsAllocated", 32)}, errors.UnsupportedEncoding, "BitsAllocated 32"),
    (
        {"edit": assign("PhotometricInterpretation", "MONOCHROME1")},
        errors.UnsupportedEncoding,
        "MONOCHROME1 where CT is MONOCHROME2",
    ),
    ({"count": 1}, errors.TooFewSlices, "the series has 1 slice "),
    ({"count": 2}, errors.TooFewSlices, r"has 2 slices .*, fewer than load\.min_slices \(3\)"),
    (
        {"noise_hu": 9, "offset_mm": lambda k: (0, 0, -20.0 if k == 4 else 0)},
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
    with pytest.raises(errors.UndecodablePixels, match=r"ends within|can't be decoded"):
        loaded(slices(chest(), replace(scan, edit=shorten)))


@pytest.mark.parametrize(
    "name", ["1-{:03d}.dcm", "IM{:06d}", "1.2.840.{}", "4B1F{:04X}", "{}.dcm.gz"]
)
@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b"<html>", "is not DICOM")])
def test_what_is_named_like_a_slice_and_is_none_is_a_broken_upload(loaded, name, content, words):
    files = [(name.format(n), c) for n, (_, c) in enumerate(slices(chest(), SMALL))]
    lost = name.format(0xEF)
    files = [(key.removesuffix(".gz"), c) for key, c in files]
    with pytest.raises(errors.UndecodablePixels, match=f"{lost} {words}, though named like a"):
        loaded([*files[:-1], (lost, content)])


def test_what_is_named_otherwise_is_none_of_the_slices(loaded):
    files = [(f"4B1F{n:04X}", c) for n, (_, c) in enumerate(slices(chest(), SMALL))]
    _, found = loaded([*files, ("LICENSE", b"text"), ("._4B1F0001", b"\0")])
    assert found.source["skipped"] == {"not DICOM": 2}


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


@needs_real_input
@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("geometry/sliceincrement/001", errors.MissingSlices, "1 of 5 slices are missing"),
        ("geometry/sliceincrement/002", errors.MissingSlices, "missing"),
        ("geometry/gantrytilting/001", errors.TiltedGantry, "shifted by up to"),
        ("geometry/notavolume/001", errors.DuplicatePositions, "4 slices share a position"),
        ("geometry/slicecount/001", errors.NoCTImages, r"\(2 MR\)"),
        ("geometry/sliceorientation/001", errors.NoCTImages, r"\(4 MR\)"),
        ("undecodable-j2k", errors.UndecodablePixels, "can't be decoded: truncated JPEG 2000"),
        ("tilted-head", errors.UnevenGaps, "from 1.081 to 6.999 mm"),
    ],
)
def test_real_bad_input_is_refused(path, error, words):
    with pytest.raises(error, match=words):
        load(open_store(Address("", f"{REAL / path}/"), S3Options()), LoadOptions(min_slices=3))
