"""Estimates of memory against what the steps take, by the benchmark's own hand, on small cases."""

import numpy as np
import pytest
from pydicom.uid import JPEGLSLossless

from lungprep.image.segmentation.blocks import block_means
from lungprep.image.volume import Grid, Volume, extent
from lungprep.resources.footprint import Footprint, footprint, look_up, typical
from lungprep.resources.memory import load_mb, segment_mb
from lungprep.stores import Entry
from lungprep_demo.phantom import Scan, chest, slices
from lungprep_demo.phantom.enhanced import enhanced
from memory.measuring import STEPS, measure
from memory.phantoms import Case

MB = 1 << 20
SMALL = Scan(gap_mm=20, shape=(96, 96), spacing_mm=(3.75, 3.75))
FIRST = ("load",)


@pytest.mark.parametrize(
    ("case", "steps"),
    [
        (Case(64, 512, 5.0, 0.7), STEPS),
        (Case(200, 512, 1.5, 0.7), FIRST),
        (Case(64, 1024, 5.0, 0.35), FIRST),
        (Case(64, 512, 5.0, 0.7, JPEGLSLossless), FIRST),
        (Case(64, 512, 5.0, 0.7, spacing_mm=(1.5, 1.5, 1.5)), STEPS),
        (Case(48, 512, 5.0, 0.7, series=2), FIRST),
        (Case(64, 512, 5.0, 0.7, orientation="coronal"), FIRST),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_never_under_and_at_most_half_over(case, steps, s3, server, tmp_path):
    for row in measure(case, tmp_path, server, steps):
        assert 1 <= row.ratio <= 1.5, row


def entries(*sizes):
    return [Entry(f"{n}.dcm", size, "e") for n, size in enumerate(sizes)]


def scanned(**changes):
    """Entries of a small series, and the start of one of its slices."""
    files = list(slices(chest(), Scan(**{**SMALL.__dict__, **changes})))
    return [Entry(name, len(content), "e") for name, content in files], files[0][1][: 1 << 16]


def test_the_typical_object_holds_the_middle_byte():
    assert typical(entries(500, 500, 500, 20, 1400)).size == 500, "not the segmentation beside"
    assert typical(entries(5000, 300, 20)).size == 5000, "one object of many frames"


def test_raw_slices_are_as_large_as_their_objects():
    listed, start = scanned()
    found = footprint(listed, start)
    assert found.objects == len(listed)
    assert found.stored_bytes == sum(entry.size for entry in listed)
    assert found.decoded_bytes == 2 * 96 * 96 * len(listed) < found.stored_bytes
    assert found.streams


def test_compressed_slices_grow():
    listed, start = scanned(transfer_syntax=JPEGLSLossless)
    found = footprint(listed, start)
    assert found.decoded_bytes == 2 * 96 * 96 * len(listed) > found.stored_bytes


def test_slices_across_the_volume_and_frames_of_one_object_do_not_stream():
    for orientation, streams in (("FFP", True), ("sagittal", False), ("coronal", False)):
        assert footprint(*scanned(orientation=orientation)).streams is streams, orientation
    _, content = enhanced(chest(), SMALL)
    assert not footprint(entries(len(content)), content[: 1 << 16]).streams


@pytest.mark.parametrize(
    "start", [b"", b"no DICOM", b"\0" * 128 + b"DICM", b"\0" * 128 + b"DICM\2\0\2\0UI\xff\xff1.2"]
)
def test_what_is_no_ct_is_held_as_it_is(start):
    assert footprint(entries(700, 300), start) == Footprint(2, 1000, 1000, 1000)


def test_a_header_cut_short_or_mad_is_no_error():
    listed, start = scanned(transfer_syntax=JPEGLSLossless)
    for length in range(128, 2000, 7):
        footprint(listed, start[:length])
    mad = scanned(edit=lambda dataset, _: setattr(dataset, "NumberOfFrames", 10**9))
    assert footprint(*mad).decoded_bytes <= 20 * sum(entry.size for entry in mad[0])


def test_looking_up_asks_for_two_things(store):
    place = store("cohort")
    files = dict(slices(chest(), SMALL))
    for name, content in files.items():
        place.write(f"P1/a/{name}", content)
        place.write(f"P10/{name}", content)
    found = look_up(place, "P1/")
    assert found == look_up(store("cohort/P1"))
    assert found.objects == len(files)
    assert look_up(place, "P2/") == Footprint(0, 0, 0, 0)


def test_starts_are_as_long_as_asked_for(store):
    place = store("starts")
    place.write("long.bin", bytes(range(256)) * 4096)
    place.write("short.bin", b"abc")
    for _ in range(2):
        assert place.read_start("long.bin", 1000) == (bytes(range(256)) * 4)[:1000]
        assert place.read_start("short.bin", 1000) == b"abc"


def test_stored_or_decoded_whichever_is_more():
    small, large = 100 * MB, 300 * MB
    raw = load_mb(Footprint(100, large, 0, large))
    assert load_mb(Footprint(100, small, 0, large)) == raw
    assert load_mb(Footprint(100, large, 0, large, streams=False)) == pytest.approx(raw + 315, 0.01)


def test_small_blocks_are_counted_as_the_method_makes_them():
    for spacing in (0.7, 1.0, 1.33, 1.34, 1.9, 2.0):
        grid = Grid((60, 70, 80), (spacing,) * 3, (0.0, 0.0, 0.0))
        blocks = block_means(Volume(np.zeros(grid.shape, np.int16), grid)).hu
        expected = 1.05 * (95 + (1.5 * 2 * 60 * 70 * 80 + 13 * blocks.nbytes) / MB)
        assert segment_mb(grid, "classical") == round(expected)


def test_extent_equals_a_search():
    labels = np.zeros((9, 8, 7), np.uint8)
    labels[2, 3, 4], labels[5, 1, 6] = 1, 2
    assert extent(labels) == ((2, 1, 4), (6, 4, 7))
    assert extent(np.ones((2, 3, 4), np.uint8)) == ((0, 0, 0), (2, 3, 4))
