"""Enhanced multi-frame CT: each frame is the slice that its single-frame twin is."""

import re
import tracemalloc
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    LegacyConvertedEnhancedCTImageStorage,
    RLELossless,
)

from lungprep import errors
from lungprep.image.dicom.multiframe import GROUPS
from lungprep.image.dicom.objects import read_object
from lungprep.image.hounsfield.rescale import slice_hu
from lungprep.image.pixels import encapsulation, stored
from lungprep_demo.phantom import Scan, chest, slices
from lungprep_demo.phantom.enhanced import enhanced

REAL = Path(__file__).parents[4] / "shared" / "data" / "bad" / "transfer-syntaxes"
SMALL = Scan(
    gap_mm=25,
    shape=(36, 34),
    spacing_mm=(10.0, 11.0),
    noise_hu=9.0,
    slope=lambda k: 1.0 + 0.1 * k,
    intercept=lambda k: -1024.0 - k,
)
KEYWORDS = sorted({keyword for *_, keyword in GROUPS} - {"AcquisitionTime", "ContentTime"})


def frames_of(scan=SMALL, **changes):
    return read_object("big.dcm", enhanced(chest(), replace(scan, **changes))[1])


def edited(change, scan=SMALL):
    """The object after a change of its dataset."""
    return frames_of(scan, edit=lambda dataset, _: change(dataset))


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
        JPEG2000Lossless,
    ],
    ids=lambda uid: uid.name,
)
@pytest.mark.parametrize("order", ["along", "shuffled"])
def test_frames_are_the_slices_of_the_twin(syntax, order):
    scan = replace(SMALL, transfer_syntax=syntax, instance_order=order, padding=-2000)
    name, content = enhanced(chest(), scan)
    twins = [read_object(*file)[0] for file in sorted(slices(chest(), scan))]
    frames = read_object(name, content)
    assert [frame.key for frame in frames] == [f"{name} frame {k + 1}" for k in range(len(twins))]
    for index, (frame, twin) in enumerate(zip(frames, twins, strict=True)):
        assert (frame.frame, frame.frames) == (index, len(twins))
        for keyword in (*KEYWORDS, "SeriesInstanceUID", "PatientPosition", "InstanceNumber"):
            assert frame.text(keyword) == twin.text(keyword), keyword
        np.testing.assert_array_equal(slice_hu(frame)[0], slice_hu(twin)[0])


def test_legacy_converted_objects_are_read_alike():
    def convert(dataset):
        dataset.SOPClassUID = LegacyConvertedEnhancedCTImageStorage

    frames = edited(convert)
    np.testing.assert_array_equal(slice_hu(frames[3])[0], slice_hu(frames_of()[3])[0])


def test_a_group_may_be_shared_or_per_frame():
    def share_rescale(dataset):
        (shared,) = dataset.SharedFunctionalGroupsSequence
        for item in dataset.PerFrameFunctionalGroupsSequence:
            shared.PixelValueTransformationSequence = item.PixelValueTransformationSequence
            del item.PixelValueTransformationSequence
            item.PixelMeasuresSequence = shared.PixelMeasuresSequence
        del shared.PixelMeasuresSequence

    scan = replace(SMALL, slope=1.0, intercept=-1000.0)
    frames, expected = edited(share_rescale, scan), frames_of(scan)
    for frame, other in zip(frames, expected, strict=True):
        assert [frame.text(k) for k in KEYWORDS] == [other.text(k) for k in KEYWORDS]


def test_values_of_the_object_do_not_stand_in_for_a_frames():
    """Some converters leave the first slice's position at the top level."""

    def leave_behind(dataset):
        dataset.ImagePositionPatient = [1, 2, 3]
        dataset.RescaleSlope = 7
        for item in dataset.PerFrameFunctionalGroupsSequence:
            del item.PixelValueTransformationSequence

    frames = edited(leave_behind)
    assert frames[1].text("ImagePositionPatient") == frames_of()[1].text("ImagePositionPatient")
    assert frames[1].text("RescaleSlope") == ""


def test_dates_with_time_become_times_without_a_date():
    def date(dataset):
        for item in dataset.PerFrameFunctionalGroupsSequence:
            item.FrameContentSequence[0].FrameAcquisitionDateTime = "20030720031415.926+0100"
            item.FrameContentSequence[0].FrameReferenceDateTime = "20030720031416"
            item.FrameContentSequence[0].FrameAcquisitionNumber = 3

    frame = edited(date)[2]
    assert frame.text("AcquisitionTime") == "031415.926"
    assert frame.text("ContentTime") == "031416"
    assert frame.integer("AcquisitionNumber", 0) == 3


@pytest.mark.parametrize(
    ("sequence", "keyword", "count"),
    [
        ("PlanePositionSequence", "ImagePositionPatient", 3),
        ("PlaneOrientationSequence", "ImageOrientationPatient", 6),
        ("PixelMeasuresSequence", "PixelSpacing", 2),
        ("PixelValueTransformationSequence", "RescaleSlope", 1),
    ],
)
def test_a_missing_group_is_named_with_its_frame(sequence, keyword, count):
    def drop(dataset):
        items = [
            *dataset.SharedFunctionalGroupsSequence,
            dataset.PerFrameFunctionalGroupsSequence[2],
        ]
        for item in items:
            if sequence in item:
                delattr(item, sequence)

    words = rf"^big.dcm frame 3 has no usable {keyword} in its {sequence} \(found None\); "
    with pytest.raises(errors.MissingTag, match=words):
        edited(drop)[2].numbers(keyword, count)


@pytest.mark.parametrize("change", [{"NumberOfFrames": 99}, {"NumberOfFrames": 2}])
def test_frames_that_are_not_all_described_are_an_error(change):
    (number,) = change.values()
    with pytest.raises(
        errors.UndecodablePixels, match=rf"^big.dcm announces {number} frames and describes \d+; "
    ):
        edited(lambda dataset: dataset.update(change))


def test_one_frame_without_groups_lacks_its_position():
    def strip(dataset):
        del dataset.SharedFunctionalGroupsSequence
        del dataset.PerFrameFunctionalGroupsSequence

    (frame,) = edited(strip, replace(SMALL, count=1))
    with pytest.raises(errors.MissingTag, match="frame 1 has no usable ImagePositionPatient"):
        frame.numbers("ImagePositionPatient", 3)


def test_pixels_for_fewer_frames_are_an_error():
    def shorten(dataset):
        dataset.PixelData = dataset.PixelData[: -36 * 34 * 2]

    with pytest.raises(errors.UndecodablePixels, match=r"frame 1 has \d+ bytes .* \d+ x 36 x 34"):
        slice_hu(edited(shorten)[0])


def fragmented(dataset, *, table):
    """Two fragments for each frame, with or without a Basic Offset Table to tell them apart."""
    count = int(dataset.NumberOfFrames)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=count))
    dataset.PixelData = encapsulate(frames, fragments_per_frame=2, has_bot=table)


def test_frames_of_several_fragments_are_told_apart_by_the_offset_table():
    scan = replace(SMALL, transfer_syntax=JPEGLSLossless)
    frames = edited(lambda dataset: fragmented(dataset, table=True), scan)
    for frame, expected in zip(frames, frames_of(), strict=True):
        np.testing.assert_array_equal(slice_hu(frame)[0], slice_hu(expected)[0])


def test_frames_that_cannot_be_told_apart_concern_only_those_who_decode_them():
    scan = replace(SMALL, transfer_syntax=JPEGLSLossless)
    frames = edited(lambda dataset: fragmented(dataset, table=False), scan)
    with pytest.raises(errors.UndecodablePixels, match=r"frame 3 .*\d+ fragments for \d+ frames"):
        slice_hu(frames[2])


def test_a_single_frame_object_of_several_frames_is_refused():
    files = slices(chest(), replace(SMALL, edit=lambda d, _: setattr(d, "NumberOfFrames", 3)))
    words = "has 3 frames, but its class is for single frames .*; write each slice as a"
    with pytest.raises(errors.UnsupportedEncoding, match=words):
        read_object(*next(files))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_pixel_data_is_neither_copied_nor_searched_for_every_frame(syntax, monkeypatch):
    scan = replace(SMALL, transfer_syntax=syntax, shape=(128, 128), gap_mm=5.0)
    _, content = enhanced(chest(), scan)
    calls = []

    def counted(pixel_data, frames):
        calls.append(frames)
        return encapsulation.frame_spans(pixel_data, frames)

    for module in ("dicom.objects", "pixels.stored"):
        monkeypatch.setattr(f"lungprep.image.{module}.frame_spans", counted)
    tracemalloc.start()
    frames = read_object("big.dcm", content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(frames) > 50
    assert len({id(frame.dataset.PixelData) for frame in frames}) == 1
    assert peak < 3 * len(content)
    for frame in frames:
        stored.stored_pixels(frame)
    assert len(calls) == (syntax == RLELossless)


def test_no_word_of_the_patient_is_in_a_frame():
    text = "\n".join(str(frame.dataset) for frame in frames_of()[:2])
    source = dcmread(BytesIO(enhanced(chest(), SMALL)[1]))
    assert str(source.PatientName) not in text
    assert not re.search("Phantomiak|PHI-4711|19520229|Elsewhere", text)


@pytest.mark.skipif(not REAL.is_dir(), reason="the collection of real bad inputs is not here")
def test_a_real_perfusion_map_is_refused_by_its_encoding():
    path = REAL / "CT0012.fragmented_no_bot_jpeg_baseline.51.dcm"
    first, second = read_object("rcbf.dcm", path.read_bytes())
    assert first.text("ImageType") == "DERIVED\\PRIMARY\\PERFUSION\\RCBF"
    heights = [frame.numbers("ImagePositionPatient", 3)[2] for frame in (first, second)]
    assert heights == [-159.0, -149.0]
    with pytest.raises(errors.UnsupportedEncoding, match=r"^rcbf.dcm frame 1 .*JPEG Extended"):
        slice_hu(first, assume_hu=True)
