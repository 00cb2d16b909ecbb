"""Points and voxels: against explicit loops, ITK, a phantom, and the real scan's own contours."""

import json
import re
from math import floor
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates
from skimage.draw import polygon2mask

from lungprep.errors import DataError
from lungprep.image.export import export
from lungprep.image.loading import load
from lungprep.image.output.options import ExportOptions
from lungprep.image.resampling import resample
from lungprep.image.segmentation import segment
from lungprep.image.series.policy import LoadOptions
from lungprep.image.volume import Grid, Volume
from lungprep.nodules.coordinates import Placement, inside, to_voxel, to_world
from lungprep_demo.phantom import Ellipsoid, Scan, chest, slices
from real_archive import Archive, needs_archive

OBLIQUE = Grid(
    shape=(7, 8, 9),
    spacing_mm=(2.5, 0.7, 0.8),
    origin_mm=(-12.5, 33.0, -310.25),
    direction=((0.8, -0.6, 0.0), (0.6, 0.8, 0.0), (0.0, 0.0, 1.0)),
)

mm = st.floats(-2000, 2000)
angle = st.floats(-np.pi, np.pi)
lengths = st.floats(0.2, 100)


@st.composite
def grids(draw):
    """Any grid of a right or left system, turned by three angles."""
    matrix = np.eye(3)
    for axis in range(3):
        a, b = (k for k in range(3) if k != axis)
        turn, by = np.eye(3), draw(angle)
        turn[a, a], turn[a, b], turn[b, a], turn[b, b] = (
            *(np.cos(by), -np.sin(by)),
            *(np.sin(by), np.cos(by)),
        )
        matrix = matrix @ turn
    matrix[:, 0] *= draw(st.sampled_from([1, -1]))
    spacing, origin = draw(st.tuples(lengths, lengths, lengths)), draw(st.tuples(mm, mm, mm))
    return Grid((10, 20, 30), spacing, origin, tuple(tuple(row) for row in matrix.tolist()))


@given(grids(), st.lists(st.tuples(mm, mm, mm), min_size=1, max_size=5))
def test_round_trip_ends_where_it_began(grid, points):
    voxels = to_voxel(grid.affine, points)
    assert voxels.shape == (len(points), 3)
    assert np.abs(to_world(grid.affine, voxels) - points).max() < 0.001
    assert np.abs(to_world(grid, to_voxel(grid, points[0])) - points[0]).max() < 0.001


@given(grids(), st.tuples(mm, mm, mm))
def test_world_is_the_standards_equation_written_out(grid, voxel):
    z, y, x = voxel
    affine = grid.affine.tolist()
    explicit = []
    for row in affine[:3]:
        total = row[3]
        for factor, index in zip(row[:3], (x, y, z), strict=True):
            total += factor * index
        explicit.append(total)
    assert to_world(affine, voxel) == pytest.approx(explicit, abs=1e-6)
    assert to_world(affine, voxel) == pytest.approx(grid.position_mm(voxel), abs=1e-6)


@given(grids(), st.tuples(mm, mm, mm))
def test_voxel_is_what_an_elimination_by_hand_gives(grid, point):
    """Orthogonal axes: each index is the projection on its axis, over the spacing."""
    offset = [p - o for p, o in zip(point, grid.origin_mm, strict=True)]
    for index, axis in ((0, 2), (1, 1), (2, 0)):
        along = sum(offset[k] * grid.direction[k][axis] for k in range(3))
        expected = along / grid.spacing_mm[index]
        assert to_voxel(grid, point)[index] == pytest.approx(expected, abs=1e-6)


def test_axes_are_not_mixed_up():
    grid = Grid((50, 60, 70), (3.0, 2.0, 1.0), (100.0, 200.0, 300.0))
    assert to_voxel(grid, (105, 212, 321)).tolist() == [7, 6, 5]
    assert to_world(grid, (7, 6, 5)).tolist() == [105, 212, 321]


@pytest.mark.parametrize("shape", [(3,), (0, 3), (4, 3), (2, 4, 3)])
def test_any_number_of_points_keeps_its_shape(shape):
    points = np.arange(np.prod(shape)).reshape(shape)
    voxels = to_voxel(OBLIQUE, points)
    assert voxels.shape == points.shape
    assert voxels.dtype == to_world(OBLIQUE, voxels).dtype == np.float64
    for at in np.ndindex(shape[:-1]):
        assert voxels[at].tolist() == pytest.approx(to_voxel(OBLIQUE, points[at]).tolist())


@given(st.tuples(*[st.floats(-3, 12) | st.sampled_from([-0.5, 3.5, 4.5, 5.5])] * 3))
def test_inside_is_what_rounds_to_a_voxel(voxel):
    shape = (4, 5, 6)
    expected = all(floor(v + 0.5) in range(n) for v, n in zip(voxel, shape, strict=True))
    assert inside(shape, voxel) == expected
    if expected:
        assert np.zeros(shape)[tuple(np.rint(voxel).astype(int))] == 0


def test_inside_answers_for_each_voxel():
    voxels = [[(0, 0, 0), (3.49, 4.49, 5.49)], [(-0.51, 0, 0), (0, np.nan, 0)]]
    assert inside((4, 5, 6), voxels).tolist() == [[True, True], [False, False]]


FLAT = [[1, 2, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("affine", "message"),
    [
        (np.eye(3), "the affine is not 4x4 with a last row of 0 0 0 1"),
        (np.ones((4, 4)), "the affine is not 4x4 with a last row of 0 0 0 1"),
        (np.diag([1, np.nan, 1, 1]), "the affine has numbers that are not finite or beyond 1e+06"),
        (np.diag([1, 2e6, 1, 1]), "the affine has numbers that are not finite or beyond 1e+06 mm"),
        (np.diag([1, 0, 1, 1]), "the axes of the affine lie in one plane"),
        (FLAT, "the axes of the affine lie in one plane"),
    ],
)
def test_an_affine_that_is_none_is_refused(affine, message):
    for convert in (to_voxel, to_world):
        with pytest.raises(ValueError, match=re.escape(message)):
            convert(affine, (0, 0, 0))


def test_points_of_other_than_three_numbers_are_refused():
    with pytest.raises(ValueError, match=re.escape("points_mm has shape (2,) where (..., 3) is")):
        to_voxel(OBLIQUE, (1, 2))
    with pytest.raises(ValueError, match=re.escape("voxels_zyx has shape () where (..., 3) is")):
        to_world(OBLIQUE, 1.0)
    with pytest.raises(ValueError, match=re.escape("voxels_zyx has shape (3, 1) where (..., 3)")):
        inside((1, 1, 1), [[1], [2], [3]])


SIDECAR = {
    "patient": "P1",
    "series_instance_uid": "1.2.3",
    "shape": [7, 8, 9],
    "affine": OBLIQUE.affine.tolist(),
}


def test_a_sidecar_tells_the_placement():
    placement = Placement.of("P1", json.dumps(SIDECAR | {"more": 1}).encode())
    assert (placement.patient, placement.series_uid, placement.shape) == ("P1", "1.2.3", (7, 8, 9))
    assert (placement.affine == OBLIQUE.affine).all()
    assert placement.spacing_mm == pytest.approx(OBLIQUE.spacing_mm)


@pytest.mark.parametrize(
    ("sidecar", "found"),
    [
        (b"", "Expecting value"),
        (b"\xff", "invalid start byte"),
        (b"[]", "list indices"),
        (b"[" * 10**5, "recursion"),
        (SIDECAR | {"patient": "P2\n"}, "it names patient 'P2\\n'"),
        ({"patient": "P1"}, "it has no 'series_instance_uid'"),
        (SIDECAR | {"series_instance_uid": 7}, "series_instance_uid is 7"),
        (SIDECAR | {"shape": [7, 8]}, "not enough values to unpack"),
        (SIDECAR | {"shape": [7, 8, 0]}, "shape is [7, 8, 0]"),
        (SIDECAR | {"shape": [7, 8, 9.0]}, "shape is [7, 8, 9.0]"),
        (SIDECAR | {"shape": [7, 8, True]}, "shape is [7, 8, True]"),
        (SIDECAR | {"affine": [[1, 2], [3]]}, "inhomogeneous"),
        (SIDECAR | {"affine": [[10**400]]}, "too large"),
        (SIDECAR | {"affine": None}, "the affine is not 4x4"),
        (SIDECAR | {"affine": np.diag([1, np.nan, 1, 1]).tolist()}, "not finite"),
        (SIDECAR | {"affine": FLAT}, "lie in one plane"),
    ],
)
def test_what_is_no_sidecar_of_the_patient_is_one_line(sidecar, found):
    content = sidecar if isinstance(sidecar, bytes) else json.dumps(sidecar).encode()
    with pytest.raises(DataError) as raised:
        Placement.of("P1", content)
    text = str(raised.value)
    assert text.startswith("P1.json can't be used as a sidecar (")
    assert found in text
    assert text.endswith("); publish the patient again")
    assert "\n" not in text


@pytest.mark.parametrize("orientation", ["HFS", "FFP", "sagittal", (0.96, 0.28, 0, -0.28, 0.96, 0)])
def test_points_of_a_metaimage_find_the_same_hu(tmp_path, folder, orientation):
    """A list for the MetaImage of a series, as LUNA16's are, holds for our array of the series."""
    header = {
        "shape": (30, 40),
        "spacing_mm": (9.1, 8.3),
        "noise_hu": 50,
        "orientation": orientation,
    }
    for name, content in slices(chest(), Scan(gap_mm=12, **header)):
        folder("P1").write(name, content)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "P1")))
    SimpleITK.WriteImage(reader.Execute(), str(tmp_path / "scan.mhd"))
    image = SimpleITK.ReadImage(str(tmp_path / "scan.mhd"))

    volume, _ = load(folder("P1"), LoadOptions())
    rng = np.random.default_rng(0)
    for _ in range(200):
        index = [int(rng.integers(size)) for size in image.GetSize()]
        voxel = to_voxel(volume.grid, image.TransformIndexToPhysicalPoint(index))
        nearest = np.rint(voxel).astype(int)
        assert np.abs(voxel - nearest).max() < 1e-3
        assert inside(volume.grid.shape, voxel)
        assert volume.hu[tuple(nearest)] == np.clip(image[index], -1024, 3071)


def test_a_nodule_lies_where_its_point_leads():
    """A phantom's nodule in the cropped array, from the formula of the phantom alone."""
    at_mm, centre_mm = (-80.3, -5.7, 20.9), (11.3, -150.2, -401.7)
    nodule = Ellipsoid(at_mm, (9, 9, 9))
    grid = Grid((100, 90, 120), (3.0, 3.0, 3.0), (-170.0, -285.0, -550.0))
    with_nodule, without = (chest(centre_mm=centre_mm, nodule=n) for n in (nodule, None))
    volume = Volume(np.rint(with_nodule.hu(grid)).astype(np.int16), grid)
    product = export(volume, without.labels(grid), ExportOptions(crop_margin_mm=[[6, 6]] * 3))
    assert product.start > (0, 0, 0)
    added = product.voxels != np.rint(without.hu(product.grid))
    voxel = to_voxel(product.grid, np.add(at_mm, centre_mm))
    assert np.argwhere(added).mean(axis=0) == pytest.approx(voxel, abs=0.15)
    assert added[tuple(np.rint(voxel).astype(int))]


PIXEL_MM, GAP_MM = 0.576172, 1.25
# Segment of the SEG and ROI of the RTSTRUCT that outline the same. The names do not match: segment
# 1 is MANUAL by its algorithm type and ROI 1 is called GTVp_test_auto, and so crosswise for 2.
PAIRS = [(1, 1), (2, 2)]


@pytest.fixture(scope="module")
def tumour():
    """The published array of the real scan, and its tumour as SEG and RTSTRUCT tell it in mm.

    masks[segment] is (slices, rows, columns) with the first pixel at `origin`; contours[roi] are
    arrays of (x, y, z).
    """
    archive = Archive()
    volume = resample(load(archive, LoadOptions())[0], (1.0, 1.0, 1.0))
    labels = segment(volume).labels
    product = export(volume, labels)
    seg, rtstruct = sorted(archive.datasets(ct=False), key=lambda d: d.Modality, reverse=True)
    assert (seg.Modality, rtstruct.Modality) == ("SEG", "RTSTRUCT")
    assert [s.SegmentAlgorithmType for s in seg.SegmentSequence] == ["MANUAL", "AUTOMATIC"]
    roi_names = [roi.ROIName for roi in rtstruct.StructureSetROISequence]
    assert roi_names == ["GTVp_test_auto", "GTVp_test_man"]
    frames = {1: {}, 2: {}}
    for mask, frame in zip(seg.pixel_array, seg.PerFrameFunctionalGroupsSequence, strict=True):
        position = tuple(map(float, frame.PlanePositionSequence[0].ImagePositionPatient))
        number = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        frames[number][position[::-1]] = mask > 0
    hu = {}
    for slice_ in archive.datasets(ct=True):
        position = tuple(map(float, slice_.ImagePositionPatient))
        stored = slice_.pixel_array.astype(float)
        hu[position[::-1]] = stored * slice_.RescaleSlope + slice_.RescaleIntercept
    for found in frames.values():
        assert np.abs(np.array(sorted(found)) - sorted(hu)).max() < 1e-4
    return SimpleNamespace(
        product=product,
        origin=np.array(min(hu)[::-1]),
        hu=np.stack([hu[position] for position in sorted(hu)]),
        masks={n: np.stack([found[p] for p in sorted(found)]) for n, found in frames.items()},
        contours={
            int(roi.ReferencedROINumber): [
                np.array(contour.ContourData, float).reshape(-1, 3)
                for contour in roi.ContourSequence
            ]
            for roi in rtstruct.ROIContourSequence
        },
    )


def seg_points(tumour, segment_number):
    """Patient point (x, y, z) of each voxel of a segment, by the SEG's own header."""
    slices_, rows, columns = np.nonzero(tumour.masks[segment_number])
    return tumour.origin + np.stack([columns * PIXEL_MM, rows * PIXEL_MM, slices_ * GAP_MM], axis=1)


def our_voxels(tumour):
    """Indices and points of all voxels of the published array in a box around the tumour."""
    found = to_voxel(tumour.product.grid, np.concatenate([seg_points(tumour, n) for n in (1, 2)]))
    start, stop = np.floor(found.min(axis=0)) - 3, np.ceil(found.max(axis=0)) + 4
    assert inside(tumour.product.voxels.shape, [start, stop]).all()
    ranges = [np.arange(a, b) for a, b in zip(start, stop, strict=True)]
    indices = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1)
    return indices, to_world(tumour.product.grid, indices)


def slice_of(tumour, z_mm):
    """The slice that is nearest; the upper one of two."""
    return np.floor((z_mm - tumour.origin[2]) / GAP_MM + 0.5).astype(int)


def mask_of_seg(tumour, segment_number):
    """Each of our voxels takes the nearest voxel of the segment."""
    _, points = our_voxels(tumour)
    column, row = (
        np.rint((points[..., k] - tumour.origin[k]) / PIXEL_MM).astype(int) for k in (0, 1)
    )
    return tumour.masks[segment_number][slice_of(tumour, points[..., 2]), row, column]


def mask_of_contours(tumour, roi):
    """Fill the contours of the nearest slice, mapped to our voxels; a second one cuts a hole."""
    indices, points = our_voxels(tumour)
    start = indices[0, 0, 0]
    mask = np.zeros(indices.shape[:3], bool)
    planes = slice_of(tumour, points[:, 0, 0, 2])
    for contour in tumour.contours[roi]:
        outline = to_voxel(tumour.product.grid, contour)[:, 1:] - start[1:]
        filled = polygon2mask(mask.shape[1:], outline)
        mask[planes == slice_of(tumour, contour[0, 2])] ^= filled
    return mask


def dice(one, other):
    return 2 * np.sum(one & other) / (np.sum(one) + np.sum(other))


def centroid(contours):
    """Centre of the volume within planar contours at equal gaps, by Green's theorem."""
    volume, moment = 0.0, np.zeros(3)
    for contour in contours:
        (x, y), z = contour[:, :2].T, contour[0, 2]
        cross = x * np.roll(y, -1) - np.roll(x, -1) * y
        area = cross.sum() / 2
        volume += area
        moment += [
            ((x + np.roll(x, -1)) * cross).sum() / 6,
            ((y + np.roll(y, -1)) * cross).sum() / 6,
            area * z,
        ]
    return moment / volume


@pytest.mark.slow
@needs_archive
def test_every_point_of_the_tumour_is_inside_and_comes_back(tumour):
    """By the affine, and by the origin of the sidecar alone, for this grid is not turned."""
    grid = tumour.product.grid
    outlines = [np.concatenate(contours) for contours in tumour.contours.values()]
    for points in (*outlines, seg_points(tumour, 1), seg_points(tumour, 2)):
        voxels = to_voxel(grid, points)
        assert inside(grid.shape, voxels).all()
        assert np.abs(to_world(grid, voxels) - points).max() < 1e-9
        assert np.abs(voxels - (points - grid.origin_mm)[:, ::-1]).max() < 1e-9
        mean = to_world(grid, voxels.mean(axis=0))
        assert np.abs(mean - points.mean(axis=0)).max() < 0.001


@pytest.mark.slow
@needs_archive
@pytest.mark.parametrize(("segment_number", "roi"), PAIRS)
def test_segmentation_and_contours_agree_on_the_slices(tumour, segment_number, roi):
    """Without our grid: which outlines belong together, and how well they can agree."""
    filled = np.zeros_like(tumour.masks[segment_number])
    for contour in tumour.contours[roi]:
        pixels = (contour[:, :2] - tumour.origin[:2]) / PIXEL_MM
        start = np.floor(pixels.min(axis=0)).astype(int)
        columns, rows = np.ceil(pixels.max(axis=0)).astype(int) + 1 - start
        at = slice_of(tumour, contour[0, 2])
        window = filled[at, start[1] : start[1] + rows, start[0] : start[0] + columns]
        window ^= polygon2mask((rows, columns), (pixels - start)[:, ::-1])
    assert dice(tumour.masks[segment_number], filled) > 0.999


@pytest.mark.slow
@needs_archive
@pytest.mark.parametrize(("segment_number", "roi"), PAIRS)
def test_segmentation_and_contours_agree_on_our_grid(tumour, segment_number, roi):
    """Voxels at the rim differ, for the SEG's edge has steps and the contours' has none."""
    mask, filled = mask_of_seg(tumour, segment_number), mask_of_contours(tumour, roi)
    assert dice(mask, filled) > 0.985
    for axis in range(3):
        for step in (1, -1):
            assert dice(np.roll(mask, step, axis), filled) < 0.96, "a voxel aside they agree less"
    indices, _ = our_voxels(tumour)
    exact = to_voxel(tumour.product.grid, seg_points(tumour, segment_number).mean(axis=0))
    assert indices[mask].mean(axis=0) == pytest.approx(exact, abs=0.15)
    exact = to_voxel(tumour.product.grid, centroid(tumour.contours[roi]))
    assert indices[filled].mean(axis=0) == pytest.approx(exact, abs=0.15)
    volume_mm3 = np.sum(tumour.masks[segment_number]) * PIXEL_MM**2 * GAP_MM
    assert np.sum(mask) == pytest.approx(volume_mm3, rel=0.005), "our voxels are of 1 mm³"


@pytest.mark.slow
@needs_archive
def test_the_two_outlines_of_the_tumour_differ_as_they_do_in_their_files(tumour):
    """Two segmentations of one tumour: a Dice of 0.915 between the SEG's own masks."""
    own = dice(tumour.masks[1], tumour.masks[2])
    assert own == pytest.approx(0.9146, abs=0.0001)
    assert dice(mask_of_seg(tumour, 1), mask_of_seg(tumour, 2)) == pytest.approx(own, abs=0.003)
    ours = dice(mask_of_contours(tumour, 1), mask_of_contours(tumour, 2))
    assert ours == pytest.approx(own, abs=0.003)


@pytest.mark.slow
@needs_archive
def test_our_array_shows_the_tumour_where_the_slices_do(tumour):
    """HU at the SEG's voxels, read off our array, fit those of the slices; a voxel aside they
    don't."""
    voxels = to_voxel(tumour.product.grid, seg_points(tumour, 1))
    own = np.clip(tumour.hu[tumour.masks[1]], -1024, 3071)

    def error(shift):
        read = map_coordinates(tumour.product.voxels.astype(float), (voxels + shift).T, order=1)
        return np.sqrt(np.mean((read - own) ** 2))

    aside = [sign * np.eye(3)[axis] for axis in range(3) for sign in (1, -1)]
    assert error(0) < 0.75 * min(error(shift) for shift in aside)
    assert error(0) < 110
