"""Read nodule lists.

A list has one of two forms. LUNA16's form has the columns
``seriesuid,coordX,coordY,coordZ,diameter_mm``; the other form has ``patient`` instead of the
series. LUNA16's points refer to MetaImage files as read by ITK. ITK's physical space is the DICOM
patient system, LPS in mm, so the points are used unchanged. As in LUNA16's evaluation, a diameter
below 0 means unknown.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lungprep.errors import ConfigError

Floats = NDArray[np.float64]

PATIENT, SERIES, DIAMETER = "patient", "seriesuid", "diameter_mm"
POINT = ("coordX", "coordY", "coordZ")
# Columns that a converted list adds.
VOXEL = ("voxelZ", "voxelY", "voxelX", "diameterZ_voxels", "diameterY_voxels", "diameterX_voxels")
INSIDE = "inside"
HEADER_RULE = "start it with the line seriesuid,coordX,coordY,coordZ,diameter_mm, or patient,..."


@dataclass(frozen=True, eq=False)
class NoduleList:
    """A nodule list.

    Attributes
    ----------
    columns : list of str
        Names of the columns.
    rows : list of list of str
        Text of the fields, one per column.
    lines : list of int
        Number of the line on which each row ends, from 1.
    points_mm : ndarray of float64, shape (rows, 3)
        Patient coordinates (x, y, z).
    diameters_mm : ndarray of float64, shape (rows,)
        Diameters; NaN for a diameter that is absent or below 0.
    """

    columns: list[str]
    rows: list[list[str]]
    lines: list[int]
    points_mm: Floats
    diameters_mm: Floats

    def names(self, column: str) -> list[str]:
        """Return the stripped values of a column; empty texts if the list lacks the column."""
        if column not in self.columns:
            return [""] * len(self.rows)
        at = self.columns.index(column)
        return [row[at].strip() for row in self.rows]


def read_nodules(path: str | Path) -> NoduleList:
    """Read a nodule list, CSV in UTF-8 with or without a byte order mark.

    Raises
    ------
    ConfigError
        If the file can't be read, or lacks a column, or has a column that the output adds; if a row
        has another number of fields than the header, lacks its patient or series, or has an invalid
        number.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            columns = [name.strip() for name in next(reader, [])]
            numbered = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"nodule list {path} can't be read ({error})", "give a CSV file in UTF-8"
        ) from error
    _check_header(path, columns)
    numbers = [_numbers(f"line {line} of {path}", columns, row) for line, row in numbered]
    table = np.array(numbers, np.float64).reshape(-1, 4)
    diameters = np.where(table[:, 3] < 0, np.nan, table[:, 3])
    lines, rows = [line for line, _ in numbered], [row for _, row in numbered]
    return NoduleList(columns, rows, lines, table[:, :3], diameters)


def _check_header(path: str | Path, columns: list[str]) -> None:
    named = PATIENT in columns or SERIES in columns
    lacking = [name for name in POINT if name not in columns]
    if not named or lacking:
        lacks = lacking[0] if named else f"{SERIES} or {PATIENT}"
        raise ConfigError(f"nodule list {path} has no column {lacks}", HEADER_RULE)
    twice = [name for name, count in Counter([*columns, *VOXEL, INSIDE]).items() if count > 1]
    if twice:
        raise ConfigError(
            f"nodule list {path} has column {twice[0]!r} twice, or the output would", "rename it"
        )


def _numbers(where: str, columns: list[str], row: list[str]) -> list[float]:
    """Return point and diameter of a row; NaN for an absent diameter."""
    if len(row) != len(columns):
        raise ConfigError(
            f"{where} has {len(row)} fields where the header has {len(columns)}", "correct it"
        )
    fields = dict(zip(columns, row, strict=True))
    name = PATIENT if PATIENT in fields else SERIES
    if not fields[name].strip():
        raise ConfigError(f"{where} has no {name}", "fill it in")
    numbers = [_number(where, axis, fields[axis]) for axis in POINT]
    given = fields.get(DIAMETER, "").strip()
    return [*numbers, _number(where, DIAMETER, given) if given else float("nan")]


def _number(where: str, name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ConfigError(f"{where} has {name} {text!r}", "write a number in mm, such as -128.7")
    return number
