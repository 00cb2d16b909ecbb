"""Series with a defect, or merely unusual ones, made of the thinned real scan.

Each function takes data sets that are its own to change, and returns them.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import UID, generate_uid

from corpus import real
from corpus.files import Series, read, store, stored, write
from lungprep_demo.phantom import ORIENTATIONS

LOCALIZER = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
DERIVED = ["DERIVED", "SECONDARY", "AXIAL"]


def assign(series: Series, **values) -> Series:
    """Set tags, by keyword; a callable is given the number of the slice."""
    for number, dataset in enumerate(series):
        for keyword, value in values.items():
            setattr(dataset, keyword, value(number) if callable(value) else value)
    return series


def counting(start: int, step: int = 1) -> Callable[[int], str]:
    """Values of a tag: a number, or a time, that grows from slice to slice."""
    return lambda number: str(start + step * number)


def drop(series: Series, *keywords: str) -> Series:
    """Remove tags."""
    for dataset in series:
        for keyword in keywords:
            if keyword in dataset:
                delattr(dataset, keyword)
    return series


def as_series(series: Series, name: str) -> Series:
    """Another SeriesInstanceUID, and other instances."""
    uid = uid_of(name)
    for number, dataset in enumerate(series):
        dataset.SeriesInstanceUID = uid
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=[name, str(number)])
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return series


def as_instances(series: Series, name: str) -> Series:
    """Other instances of the same series."""
    uid = series[0].SeriesInstanceUID
    return assign(as_series(series, name), SeriesInstanceUID=uid)


def uid_of(name: str) -> UID:
    """The SeriesInstanceUID that `as_series` sets."""
    return generate_uid(entropy_srcs=["corpus", name])


def as_class(series: Series, sop_class: str, **values) -> Series:
    """Another SOP class, in the data set and in its file's header."""
    for dataset in series:
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    return assign(series, **values)


def shuffled(series: Series, seed: int = 4) -> Series:
    """Another order of files, and InstanceNumbers that follow neither that nor the positions."""
    random = np.random.default_rng(seed)
    numbers = [int(n) for n in random.permutation(len(series)) + 1]
    assign(series, InstanceNumber=lambda n: numbers[n])
    return [series[k] for k in random.permutation(len(series))]


def without(series: Series, *numbers: int) -> Series:
    """Some slices less, counted from the feet."""
    return [dataset for n, dataset in enumerate(series) if n not in numbers]


def moved(series: Series, offset_mm: Callable[[int], Sequence[float]]) -> Series:
    """Other positions: the number of a slice to a shift (x, y, z)."""

    def position(number: int) -> list[str]:
        old = np.array(series[number].ImagePositionPatient, float)
        return [f"{v:.6f}" for v in old + offset_mm(number)]

    return assign(series, ImagePositionPatient=position)


def brighter(series: Series, by: int = 37) -> Series:
    """Other content: what was measured gets brighter."""
    for dataset in series:
        values = stored(dataset)
        values[values != real.PADDING] += by
        store(dataset, values)
    return series


#: Rows, and columns, of the square that fits into the circle of the real scan.
SQUARE = slice(20, 108)


def without_circle(series: Series) -> Series:
    """Only the square that fits into the circle: a field that holds nothing but the patient."""
    for dataset in drop(series, "PixelPaddingValue"):
        store(dataset, stored(dataset)[SQUARE, SQUARE])
    start = SQUARE.start * real.SPACING_MM
    return moved(series, lambda number: (start, start, 0.0))


def stored_as(
    series: Series,
    *,
    slope: float | Callable[[int], float] = 1.0,
    intercept: float | Callable[[int], float] = 0.0,
    signed: bool | Callable[[int], bool] = True,
    bits: int = 16,
) -> Series:
    """The same HU by other stored values, without padding."""
    for number, dataset in enumerate(drop(series, "PixelPaddingValue")):
        m, b, is_signed = (v(number) if callable(v) else v for v in (slope, intercept, signed))
        hu = np.clip(stored(dataset).astype(float) - 1024, -1024, 3071)
        values = (hu - b) / m
        store(dataset, np.rint(values).astype(np.int16 if is_signed else np.uint16), bits)
        dataset.RescaleSlope, dataset.RescaleIntercept = f"{m:g}", f"{b:g}"
    return series


def edit_stored(
    series: Series, edit: Callable[[NDArray[np.int32], int], NDArray[np.int32]]
) -> Series:
    """Other stored values: a function of the values (rows, columns) and the slice's number."""
    for number, dataset in enumerate(series):
        values = stored(dataset)
        store(dataset, edit(values.astype(np.int32), number).astype(values.dtype))
    return series


def outside_circle(size: int = 128) -> NDArray[np.bool_]:
    """Pixels (rows, columns) outside the circle that fits the field."""
    along = (np.arange(size) - (size - 1) / 2) ** 2
    return along[:, None] + along > (size / 2) ** 2


def localizer(series: Series) -> Dataset:
    """A frontal view, of another size and spacing, under the header of an axial slice."""
    dataset = series[0]
    dataset.ImageType = LOCALIZER
    dataset.ImageOrientationPatient = list(ORIENTATIONS["coronal"])
    dataset.ImagePositionPatient = [-150, 0, -30]
    dataset.PixelSpacing = [3, 3]
    store(dataset, stored(dataset)[:100, 20:110])
    return dataset


def turned(orientation: str) -> Series:
    """The same voxels at the same places, scanned in another orientation along the axes."""
    along_row, down_column = np.reshape(ORIENTATIONS[orientation], (2, 3))
    directions = np.stack([np.cross(along_row, down_column), down_column, along_row])
    axes, signs = np.abs(directions).argmax(axis=1), directions.sum(axis=1)
    steps = np.array([real.SPACING_MM, real.SPACING_MM, real.GAP_MM])[axes]
    stack = np.stack([stored(dataset) for dataset in real.series()]).transpose(2 - axes)
    stack = np.flip(stack, tuple(np.flatnonzero(signs < 0)))
    origin = np.array(real.FIRST_MM)
    origin[axes] += np.where(signs < 0, (np.array(stack.shape) - 1) * steps, 0)
    template, result = write(real.series(stop=1)[0]), []
    for number, values in enumerate(stack):
        dataset = read(template)
        store(dataset, values)
        place = origin + number * steps[0] * directions[0]
        dataset.ImagePositionPatient = [f"{v:.6f}" for v in place]
        dataset.ImageOrientationPatient = list(ORIENTATIONS[orientation])
        dataset.PixelSpacing = [f"{v:.6f}" for v in steps[1:]]
        dataset.SliceThickness = f"{steps[0]:.6f}"
        dataset.InstanceNumber = number + 1
        dataset.PatientPosition = orientation if orientation.isupper() else "HFS"
        result.append(dataset)
    return as_instances(result, orientation)
