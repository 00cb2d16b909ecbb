"""How the slices lie in the patient: orientations, pixels, and headers that contradict."""

import numpy as np

from corpus import real
from corpus.case import Case
from corpus.defects import as_instances, assign, localizer, turned
from corpus.files import Files, Series, pack, store, stored
from corpus.oracles import as_measured, as_sampled, lies_at
from corpus.phantoms import plain
from lungprep_demo.phantom import ORIENTATIONS

# Equal voxels at equal places resample equally: some of each kind will do.
AT_1_MM = ("HFS", "FFDL", "sagittal")


def same_and_sampled(files, volume, scan):
    as_measured(files, volume, scan)
    as_sampled(files, volume, scan)


def orientation(name: str) -> Case:
    words = f"scanned {name}" if name.isupper() else f"{name} slices"
    check = same_and_sampled if name in AT_1_MM else as_measured
    return Case(f"{words}, the same voxels", lambda: pack(turned(name)), check=check)


def thinner(rows: int, columns: int) -> Series:
    """Only each nth row and column."""
    series = real.series()
    for dataset in series:
        store(dataset, stored(dataset)[::rows, ::columns])
        dataset.PixelSpacing = [f"{real.SPACING_MM * n:.6f}" for n in (rows, columns)]
    return series


def is_thinner(rows: int, columns: int):
    def check(files, volume, scan):
        np.testing.assert_array_equal(volume.hu, real.hu()[:, ::rows, ::columns])
        lies_at(volume, real.affine() @ np.diag([columns, rows, 1, 1]))
        as_sampled(files, volume, scan)

    return check


def apart(gap_mm: float, *, times: int = 1) -> Files:
    """Slices so far from one another, or at coordinates that are so many times as large."""
    series = real.series(every=5)
    for number, dataset in enumerate(series):
        x, y, z = (float(v) * times for v in dataset.ImagePositionPatient)
        dataset.ImagePositionPatient = [x, y, number * gap_mm if times == 1 else z]
    return pack(series)


def rounded() -> Files:
    """Slices 6.25 mm apart, their positions written with one decimal: each second off by 0.05."""
    series = real.series(every=5)
    for dataset in series:
        exact = [float(v) for v in dataset.ImagePositionPatient]
        dataset.ImagePositionPatient = [f"{v:.1f}" for v in exact]
    return pack(series)


def is_rounded(files, volume, scan):
    expected = np.array([-146.7, -155.3, -328.75])
    assert np.abs(volume.grid.position_mm((0, 0, 0)) - expected).max() < 0.06
    expected[2] += 6.25 * 47
    assert np.abs(volume.grid.position_mm((47, 0, 0)) - expected).max() < 0.06


def partly(change: Series) -> Files:
    """The scan, of which the upper third is of this series."""
    return pack([*real.series()[:20], *as_instances(change[20:], "changed")])


def smaller(series: Series) -> Series:
    for dataset in series:
        store(dataset, stored(dataset)[:100, :])
    return series


CASES = [
    *(orientation(name) for name in ORIENTATIONS),
    Case("pixels twice as wide as high", lambda: pack(thinner(1, 2)), check=is_thinner(1, 2)),
    Case("pixels three times as high as wide", lambda: pack(thinner(3, 1)), check=is_thinner(3, 1)),
    Case("positions written with one decimal", rounded, check=is_rounded),
    Case(
        "two orientations in the series",
        lambda: partly(
            assign(real.series(), ImageOrientationPatient=list(ORIENTATIONS["sagittal"]))
        ),
        refused=(
            "InconsistentSlices",
            "ImageOrientationPatient is [1.0, 0.0, 0.0, 0.0, 1.0, 0.0] in ct/001.dcm and "
            "[0.0, 1.0, 0.0, 0.0, 0.0, -1.0] in ct/021.dcm; split the series into volumes "
            "and name one in the cohort file",
        ),
    ),
    Case(
        "two spacings in the series",
        lambda: partly(assign(real.series(), PixelSpacing=["2.2", "2.2"])),
        refused=(
            "InconsistentSlices",
            "PixelSpacing is [2.304688, 2.304688] in ct/001.dcm and [2.2, 2.2] in "
            "ct/021.dcm; split the series into volumes and name one in the cohort file",
        ),
    ),
    Case(
        "two sizes in the series",
        lambda: partly(smaller(real.series())),
        refused=(
            "InconsistentSlices",
            "Rows x Columns is [128, 128] in ct/001.dcm and [100, 128] in ct/021.dcm; split "
            "the series into volumes and name one in the cohort file",
        ),
    ),
    Case(
        "a frontal view in the series whose ImageType says AXIAL",
        lambda: pack(
            [
                *real.series(),
                *as_instances(
                    assign(
                        [localizer(real.series(stop=1))], ImageType=["ORIGINAL", "PRIMARY", "AXIAL"]
                    ),
                    "scout",
                ),
            ]
        ),
        refused=(
            "InconsistentSlices",
            "Rows x Columns is [128, 128] in ct/001.dcm and [100, 90] in ct/031.dcm; split "
            "the series into volumes and name one in the cohort file",
        ),
    ),
    Case(
        "ImageOrientationPatient with the same direction twice",
        lambda: pack(assign(real.series(), ImageOrientationPatient=[1, 0, 0, 1, 0, 0])),
        refused=(
            "InconsistentSlices",
            "ImageOrientationPatient of ct/001.dcm is [1.0, 0.0, 0.0, 1.0, 0.0, 0.0], not "
            "a pair of perpendicular unit vectors; export the series again",
        ),
    ),
    Case(
        "slices 5 m apart",
        lambda: apart(5000),
        refused=(
            "InconsistentSlices",
            "slices lie 5000 mm apart, which no scanner makes; export the series again",
        ),
    ),
    Case(
        "slices 70 mm apart, over 3 m",
        lambda: apart(70),
        refused=(
            "InconsistentSlices",
            "the 48 slices cover 3360 mm, which no scanner makes; export the series again",
        ),
    ),
    Case(
        "PixelSpacing 90",
        lambda: pack(assign(real.series(), PixelSpacing=[90, 90])),
        refused=(
            "InconsistentSlices",
            "the slices are 11520 mm wide, which no scanner makes; export the series again",
        ),
    ),
    Case(
        "ImagePositionPatient of 1e300",
        lambda: apart(0, times=10**298),
        refused=(
            "InconsistentSlices",
            "ImagePositionPatient of ct/001.dcm is […], which no scanner makes; export the series "
            "again",
        ),
    ),
    Case(
        "PixelSpacing 0",
        lambda: pack(assign(real.series(), PixelSpacing=[0, 0])),
        refused=(
            "InconsistentSlices",
            "PixelSpacing of ct/001.dcm is [0.0, 0.0], which no scanner makes; export "
            "the series again",
        ),
    ),
    Case("a phantom's chest, undisturbed", plain, check=as_sampled),
]
