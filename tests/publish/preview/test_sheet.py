import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lungprep.image.segmentation.blocks import block_means
from lungprep.image.segmentation.findings import Decisions, examine
from lungprep.image.segmentation.lungs import Lungs
from lungprep.image.volume import Grid, Volume
from lungprep.publish.preview import preview
from lungprep.publish.preview.sheet import WIDE
from lungprep.publish.preview.views import views

# Blue, green, red.
RIGHT, LEFT, ALARM = (255, 176, 64), (20, 128, 255), (0, 214, 255)
# Rows of the upper and lower planes of a patient without title and flags.
UPPER, LOWER = slice(24, 345), slice(360, 615)


def found(hu, labels, spacing, flags=()):
    grid = Grid(hu.shape, spacing, (0.0, 0.0, 0.0))
    volume = Volume(hu, grid)
    padded = np.zeros(hu.shape[1:], bool)
    findings = examine(volume, block_means(volume), labels, padded, Decisions(airway_ml=20.0))
    return volume, Lungs(labels, grid, findings, flags)


def patient(spacing=(2.0, 2.0, 2.0), flags=(), sides=(1, 2)):
    """Two box lungs of 160 x 80 x 70 mm in a cube of 200 mm of air."""
    shape = tuple(round(200 / s) for s in spacing)
    z, y, x = np.meshgrid(*[(np.arange(n) + 0.5) / n for n in shape], indexing="ij")
    labels = np.zeros(shape, np.uint8)
    middle = (z > 0.1) & (z < 0.9) & (y > 0.3) & (y < 0.7)
    for side, start in ((1, 0.1), (2, 0.55)):
        if side in sides:
            labels[middle & (x > start) & (x < start + 0.35)] = side
    return found(np.full(shape, -1000, np.int16), labels, spacing, flags)


def decode(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)


def panels(picture):
    """Coronal, sagittal right and left, axial upper, middle and lower."""
    return [
        picture[rows, 12 + 326 * i : 12 + 326 * i + 314]
        for rows in (UPPER, LOWER)
        for i in range(3)
    ]


def near(panel, colour):
    return np.abs(panel.astype(int) - colour).max(axis=2) < 3


def extent(panel, colour):
    """Rows and columns that an outline takes up: height, width and middle column."""
    rows, columns = (np.flatnonzero(near(panel, colour).any(axis=axis)) for axis in (1, 0))
    return np.ptp(rows), np.ptp(columns), columns.mean()


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (5.0, 1.0, 2.0), (1.0, 2.5, 2.5)])
def test_outlines_have_true_proportions_and_one_scale_on_any_spacing(spacing):
    coronal, right, left, *axial = panels(decode(preview(*patient(spacing))))
    for panel, colour, size_mm in (
        (coronal, RIGHT, (160, 70)),
        (coronal, LEFT, (160, 70)),
        (right, RIGHT, (160, 80)),
        (left, LEFT, (160, 80)),
        *((panel, RIGHT, (80, 70)) for panel in axial),
    ):
        high, wide, _ = extent(panel, colour)
        assert (high / 1.57, wide / 1.57) == pytest.approx(size_mm, abs=6)


def test_patients_right_is_on_the_viewers_left():
    coronal, right, left, *axial = panels(decode(preview(*patient())))
    for panel in (coronal, *axial):
        assert extent(panel, RIGHT)[2] < 157 < extent(panel, LEFT)[2]
    assert not near(right, LEFT).any()
    assert not near(left, RIGHT).any()


def test_head_is_up_and_front_is_up_or_left():
    volume, lungs = patient()
    volume.hu[90:] = 150
    volume.hu[:, :28] = 150
    coronal, right, left, *axial = panels(decode(preview(volume, lungs)))
    for panel in axial:
        assert panel[5:10, 40:100].mean() > panel[-30:-25, 40:100].mean() + 50
    for panel in (coronal, right, left):
        assert panel[5:20, 70:130].mean() > panel[-60:-40, 70:130].mean() + 50
    for panel in (right, left):
        assert panel[100:140, 40:50].mean() > panel[100:140, 255:265].mean() + 50


def test_only_doubts_about_the_mask_give_a_yellow_head_and_frame():
    calm = decode(preview(*patient(), "P-1", scan_flags=["near_lossless"]))
    assert not near(calm, ALARM).any()
    alarmed = decode(preview(*patient(flags=("unheard_of",)), "P-1"))
    for edge in (alarmed[:10], alarmed[-10:], alarmed[:, :10], alarmed[:, -10:]):
        assert near(edge, ALARM).mean() > 0.95


def test_each_flag_is_a_line_and_scan_flags_are_one():
    plain = decode(preview(*patient(), "P-1"))
    assert plain.shape[1] == WIDE
    one, two = (decode(preview(*patient(flags=("a",) * n), "P-1")).shape[0] for n in (1, 2))
    assert two - one == one - plain.shape[0] > 40
    scan = decode(preview(*patient(), "P-1", scan_flags=["near_lossless", "saturated"]))
    assert plain.shape[0] + 50 > scan.shape[0] > plain.shape[0] + 20


def test_a_long_title_is_written_smaller_and_in_full():
    wide = decode(preview(*patient(), "W" * 128))[: UPPER.stop // 2]
    inked = np.flatnonzero((wide[:60] > 128).any(axis=(0, 2)))
    assert inked[-1] < WIDE - 8
    assert inked[-1] > WIDE - 120


def test_a_lung_that_is_absent_has_no_plane_but_is_looked_for():
    volume, lungs = patient(flags=("lopsided_lungs",), sides=(1,))
    coronal, right, left, *axial = views(volume, lungs)
    assert (left.name, left.hu.size) == ("no left lung", 0)
    assert coronal.hu.shape[1] == axial[0].hu.shape[1] == 100
    assert right.labels.any()
    preview(volume, lungs)


def test_axial_planes_are_where_the_others_say():
    volume, lungs = patient((1.0, 2.0, 2.0))
    volume.hu[:] = np.arange(-600, -400, dtype=np.int16)[:, np.newaxis, np.newaxis]
    coronal, right, left, *axial = views(volume, lungs)
    for upright in (coronal, right, left):
        seen = [upright.hu[int(mm / upright.spacing_mm[0]), 0] for mm in upright.levels_mm]
        assert seen == [plane.hu[0, 0] for plane in axial]
    assert axial[0].hu[0, 0] > axial[1].hu[0, 0] > axial[2].hu[0, 0]


@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    spacing=st.tuples(*[st.sampled_from([0.4, 1.0, 8.0, 60.0])] * 3),
    seed=st.integers(0, 2**32 - 1),
    flags=st.sampled_from([(), ("lopsided_lungs",)]),
)
@settings(max_examples=40, deadline=None)
def test_any_volume_can_be_drawn(shape, spacing, seed, flags):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, shape, np.uint8)
    labels.flat[-1] = 1
    hu = random.integers(-1024, 3072, shape).astype(np.int16)
    picture = decode(preview(*found(hu, labels, spacing, flags), "P"))
    assert picture.shape[1] == WIDE
    assert picture.shape[0] < 1000


def test_the_same_bytes_again():
    assert preview(*patient(), title="P") == preview(*patient(), title="P")
