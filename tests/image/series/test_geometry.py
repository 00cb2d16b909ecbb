"""The canonical layout of a stack, voxel by voxel against the DICOM formula."""

from dataclasses import replace

import numpy as np
import pytest

from lungprep.image.series.geometry import Stack, canonical_layout


def rotations():
    """All 24 ways to hold a scanner along the axes of the patient, as row and column directions."""
    units = [s * np.eye(3)[a] for a in range(3) for s in (1, -1)]
    return [(*r, *c) for r in units for c in units if abs(r @ c) < 0.5]


def stack_along(orientation):
    along_row, down_column = np.array(orientation[:3]), np.array(orientation[3:])
    axes = np.stack([np.cross(along_row, down_column), down_column, along_row])
    return Stack((4, 6, 5), (2.0, 0.8, 0.7), (3.0, -4.0, 5.0), axes)


def place(stack, k, i, j):
    """Patient coordinates of pixel (i, j) of slice k: PS3.3 C.7.6.2.1.1, with the slice's shift."""
    down, along = stack.axes[1], stack.axes[2]
    shift = (0, 0) if stack.shifts_mm is None else stack.shifts_mm[k]
    height = 2.0 * k if stack.heights_mm is None else stack.heights_mm[k]
    corner = np.array(stack.origin_mm) + stack.axes[0] * height + down * shift[0] + along * shift[1]
    return corner + along * 0.7 * j + down * 0.8 * i


def canonical_places(stack, layout):
    """Patient coordinates of every voxel of the canonical array, carried through the layout."""
    places = np.zeros((*layout.grid.shape, 3))
    acquired = np.flip(places, layout.flips).transpose(*np.argsort(layout.axes), 3)
    for k, i, j in np.ndindex(stack.shape):
        acquired[k, i, j] = place(stack, k, i, j)
    return places


@pytest.mark.parametrize("orientation", rotations())
def test_every_acquisition_lands_on_the_canonical_axes(orientation):
    stack = stack_along(orientation)
    layout = canonical_layout(stack)
    np.testing.assert_allclose(layout.grid.direction, np.eye(3), atol=1e-12)
    assert layout.slicing is None
    places = canonical_places(stack, layout)
    for index in np.ndindex(layout.grid.shape):
        np.testing.assert_allclose(places[index], layout.grid.position_mm(index), atol=1e-9)


@pytest.mark.parametrize("orientation", rotations())
def test_uneven_and_shifted_slices_keep_their_true_places(orientation):
    heights = np.array([0, 1.5, 4.5, 5.5])
    shifts = np.array([[0, 0], [0.5, -0.25], [1.0, 0.75], [-2.0, 1.0]])
    stack = replace(stack_along(orientation), heights_mm=heights, shifts_mm=shifts)
    layout = canonical_layout(stack)
    slicing = layout.slicing
    assert slicing.positions_mm[0] == 0
    assert (np.diff(slicing.positions_mm) > 0).all()
    others = [axis for axis in range(3) if axis != slicing.axis]
    places = canonical_places(stack, layout)
    for index in np.ndindex(layout.grid.shape):
        k = index[slicing.axis]
        moved = list(index)
        moved[slicing.axis] = slicing.positions_mm[k] / layout.grid.spacing_mm[slicing.axis]
        for other, shift in zip(others, slicing.shifts_mm[k], strict=True):
            moved[other] += shift / layout.grid.spacing_mm[other]
        np.testing.assert_allclose(places[index], layout.grid.position_mm(moved), atol=1e-6)


def test_oblique_stack_keeps_its_rotation():
    angle = np.radians(10)
    column = (0, np.cos(angle), np.sin(angle))
    stack = stack_along((1, 0, 0, *column))
    layout = canonical_layout(stack)
    assert layout.flips == ()
    np.testing.assert_allclose(np.array(layout.grid.direction)[:, 1], column, atol=1e-12)
    np.testing.assert_allclose(np.array(layout.grid.direction)[:, 2], stack.axes[0], atol=1e-12)
