"""Slices that show nothing, or something else than their neighbours; sound ones that seem to."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from corpus import real
from corpus.case import Case, load_case
from corpus.defects import edit_stored, moved, without
from corpus.files import Files, Series, pack, store, stored
from corpus.oracles import as_stacked

Pixels = NDArray[np.int32]
REPAIR = {"on_missing_slices": "repair"}
FLAG = {"on_stray_slices": "flag"}
REMEDY = "; upload the series again, or set load.on_stray_slices to flag if it is sound"
AIR, WATER = 24, 1024


def with_slices(edit: Callable[[Pixels], Pixels], *numbers: int) -> Files:
    """The scan, the stored values (rows, columns) of some slices edited."""
    return pack(edit_stored(real.series(), lambda v, n: edit(v) if n in numbers else v))


def with_content_of(order: Callable[[int], int], *, every: int = 8) -> Files:
    """The scan, each slice with the pixels of another one."""
    series, contents = real.series(every=every), [stored(d) for d in real.series(every=every)]
    for number, dataset in enumerate(series):
        store(dataset, contents[order(number)])
    return pack(series)


def exchanged(*numbers: int) -> Callable[[int], int]:
    """The order in which some slices, one after the other, run backwards."""
    backwards = dict(zip(numbers, reversed(numbers), strict=True))
    return lambda number: backwards.get(number, number)


def blank(values: Pixels) -> Pixels:
    return np.full_like(values, real.PADDING)


def noise(values: Pixels) -> Pixels:
    return np.random.default_rng(5).integers(0, 2048, values.shape)


def scaled(factor: float) -> Callable[[Pixels], Pixels]:
    return lambda values: np.rint(values * factor).astype(np.int32)


def aside(values: Pixels) -> Pixels:
    return np.roll(values, 12, axis=1)


def cut(values: Pixels) -> Pixels:
    changed = values.copy()
    changed[80:] = real.PADDING
    return changed


def metal(values: Pixels) -> Pixels:
    """A wire of 3071 HU and four streaks across the slice."""
    changed = values.copy()
    row, column = np.indices(values.shape)
    for slope in (-2, -0.4, 0.3, 1.5):
        streak = np.abs(row - 60 - slope * (column - 70)) < 1.5
        changed[streak & (values > 0)] += 300 if slope > 0 else -300
    changed[58:62, 68:72] = 4095
    return changed


def breath(gaps: int) -> Files:
    """5 mm slices: from the middle on, the body lies lower by some gaps, as after a breath."""
    lower, upper = real.series(every=4)[:30], real.series(every=4)[30 - gaps : -gaps]
    for dataset in upper[: 2 * gaps]:
        values = stored(dataset)
        values[values > 0] += np.random.default_rng(1).integers(-9, 9, (values > 0).sum())
        store(dataset, values)
    return pack([*lower, *moved(upper, lambda number: (0, 0, 5.0 * gaps))])


def noisy(files_of: Callable[[], Series]) -> Files:
    """Noise of 80 HU: between neighbours there is little else."""
    random = np.random.default_rng(2)
    return pack(edit_stored(files_of(), lambda v, n: v + np.rint(random.normal(0, 80, v.shape))))


def as_without(*numbers: int):
    """The volume is that of the scan without these slices."""

    def check(files, volume, scan):
        expected, _ = load_case(pack(without(real.series(), *numbers)), REPAIR)
        np.testing.assert_array_equal(volume.hu, expected.hu)
        np.testing.assert_allclose(volume.grid.affine, expected.grid.affine, atol=1e-9)
        assert volume.slicing == expected.slicing

    return check


def names_one_place(files, volume, scan):
    (stray,) = scan.stray_slices
    assert stray["first_mm"][2] == stray["last_mm"][2] == real.FIRST_MM[2] + 11 * real.GAP_MM
    as_stacked(files, volume, scan)


def stray(given: str, files: Callable[[], Files], found: str) -> Case:
    return Case(given, files, refused=("StraySlices", found + REMEDY))


CASES = [
    Case(
        "a slice of padding inside the stack",
        lambda: with_slices(blank, 11),
        refused=(
            "MissingSlices",
            "1 of 30 slices are blank, such as ct/012.dcm; upload them again, or set "
            "load.on_missing_slices to repair",
        ),
    ),
    Case(
        "the same, repaired",
        lambda: with_slices(blank, 11),
        REPAIR,
        ("missing_slices_interpolated",),
        check=as_without(11),
    ),
    Case(
        "a slice of air with noise inside the stack, repaired",
        lambda: with_slices(lambda v: AIR + noise(v) // 64, 20),
        REPAIR,
        ("missing_slices_interpolated",),
        check=as_without(20),
    ),
    Case(
        "a slice of water inside the stack, repaired",
        lambda: with_slices(lambda v: np.full_like(v, WATER), 20),
        REPAIR,
        ("missing_slices_interpolated",),
        check=as_without(20),
    ),
    Case(
        "two slices of padding in a row, repair of one allowed",
        lambda: with_slices(blank, 11, 12),
        REPAIR,
        refused=(
            "MissingSlices",
            "2 of 30 slices are blank, such as ct/012.dcm; without them 2 of 30 slices are "
            "missing, such as 2 between ct/011.dcm and ct/014.dcm (30.00 mm apart where 10.00 mm "
            "is usual); upload the missing slices, or raise load.max_missing_slices (1)",
        ),
    ),
    Case(
        "two slices of padding at an end",
        lambda: with_slices(blank, 0, 1),
        flags=("blank_slices_dropped",),
        check=as_without(0, 1),
    ),
    Case(
        "all slices but nine of padding",
        lambda: with_slices(blank, *range(9, 30)),
        refused=(
            "TooFewSlices",
            "only 9 of 30 slices have content; check that the upload is complete",
        ),
    ),
    stray(
        "a slice of noise",
        lambda: with_slices(noise, 11),
        "ct/012.dcm stands out compared with its neighbours",
    ),
    stray(
        "a slice with the pixels of the next one",
        lambda: with_content_of(lambda n: 12 if n == 11 else n),
        "the slices ct/012.dcm and ct/013.dcm have the same pixels",
    ),
    stray(
        "a slice with the pixels of one 100 mm higher",
        lambda: with_content_of(lambda n: 21 if n == 11 else n),
        "the slices ct/012.dcm and ct/022.dcm have the same pixels",
    ),
    stray(
        "two neighbours with each other's pixels",
        lambda: with_content_of(exchanged(11, 12), every=4),
        "the slices ct/012.dcm and ct/013.dcm are in the reverse order of their positions",
    ),
    stray(
        "six neighbours in reverse order",
        lambda: with_content_of(exchanged(*range(11, 17))),
        "the slices ct/012.dcm to ct/017.dcm are in the reverse order of their positions",
    ),
    stray(
        "a slice mirrored left to right",
        lambda: with_slices(np.fliplr, 11),
        "ct/012.dcm is mirrored compared with its neighbours",
    ),
    stray(
        "a slice upside down",
        lambda: with_slices(np.flipud, 11),
        "ct/012.dcm …",
    ),
    stray(
        "the upper half mirrored left to right",
        lambda: with_slices(np.fliplr, *range(15, 30)),
        "the slices ct/015.dcm and ct/016.dcm do not continue each other: one of them is mirrored",
    ),
    stray(
        "a slice with half the values",
        lambda: with_slices(scaled(0.5), 11),
        "ct/012.dcm …",
    ),
    stray(
        "a slice 150 HU too bright",
        lambda: with_slices(lambda v: v + 150, 11),
        "ct/012.dcm is offset by 14… HU compared with its neighbours",
    ),
    stray(
        "the upper half 150 HU too bright",
        lambda: with_slices(lambda v: v + 150, *range(15, 30)),
        "the slices ct/015.dcm and ct/016.dcm do not continue each other: their scales differ by "
        "14… HU",
    ),
    stray(
        "a truncated slice, the rest padding",
        lambda: with_slices(cut, 11),
        "ct/012.dcm is truncated",
    ),
    Case(
        "a slice 40 HU too bright: not sure to be wrong",
        lambda: with_slices(lambda v: v + 40, 11),
        flags=("stray_slices",),
        check=names_one_place,
    ),
    Case(
        "a slice upside down, flagged",
        lambda: with_slices(np.flipud, 11),
        FLAG,
        ("stray_slices",),
        check=names_one_place,
    ),
    Case(
        "metal with streaks in a slice",
        lambda: with_slices(metal, 11),
        check=as_stacked,
    ),
    Case(
        "a breath that moves the body back by 5 mm, one gap",
        lambda: breath(1),
        check=as_stacked,
    ),
    Case(
        "a breath that moves the body back by 10 mm, two gaps",
        lambda: breath(2),
        check=as_stacked,
    ),
    Case(
        "noise of 80 HU, gaps of 1.25 mm",
        lambda: noisy(lambda: real.series(60, 120, 1)),
        check=as_stacked,
    ),
]
