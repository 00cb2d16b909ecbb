"""Nodule lists: from points in patient coordinates to voxels of the published arrays.

Two forms are read. LUNA16's has the columns ``seriesuid,coordX,coordY,coordZ,diameter_mm``, the
other one ``patient`` in place of the series. LUNA16's points refer to MetaImage files as ITK reads
them; ITK's physical space is the DICOM patient system, LPS in mm, so the points are taken as they
are. LUNA16's evaluation takes a diameter below 0 as unknown, and so does this.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lungprep.coordinates import Placement, inside, to_voxel
from lungprep.errors import ConfigError

Floats = NDArray[np.float64]

PATIENT, SERIES, DIAMETER = "patient", "seriesuid", "diameter_mm"
POINT = ("coordX", "coordY", "coordZ")
VOXEL = ("voxelZ", "voxelY", "voxelX", "diameterZ_voxels", "diameterY_voxels", "diameterX_voxels")
INSIDE = "inside"
HEADER_RULE = "start it with the line seriesuid,coordX,coordY,coordZ,diameter_mm, or patient,..."


@dataclass(frozen=True, eq=False)
class NoduleList:
    """A nodule list as it was read.

    Attributes
    ----------
    columns : list of str
        The header.
    rows : list of list of str
        Text of the fields, as many as columns.
    lines : list of int
        Line of the file on which each row ends, from 1.
    points_mm : ndarray of float64, shape (rows, 3)
        Patient coordinates (x, y, z).
    diameters_mm : ndarray of float64, shape (rows,)
        NaN where none is given, or one below 0.
    """

    columns: list[str]
    rows: list[list[str]]
    lines: list[int]
    points_mm: Floats
    diameters_mm: Floats

    def names(self, column: str) -> list[str]:
        """Patients or series, without blanks around them; empty where there is no such column."""
        if column not in self.columns:
            return [""] * len(self.rows)
        at = self.columns.index(column)
        return [row[at].strip() for row in self.rows]


@dataclass(frozen=True)
class Conversion:
    """A nodule list with voxels.

    Attributes
    ----------
    columns : list of str
        ``patient``, ``seriesuid``, `VOXEL`, `INSIDE`, then the other columns that were read.
    rows : list of list of str
        One for each that was read.
    outside, unplaced : list of str
        Rows that the array does not reach, ``line 3 (P1)``, and rows without a voxel and why,
        ``line 4: patient 'P9' is not published``.
    """

    columns: list[str]
    rows: list[list[str]]
    outside: list[str]
    unplaced: list[str]


def read_nodules(path: str | Path) -> NoduleList:
    """Read a nodule list, CSV in UTF-8 with or without a byte order mark.

    Raises
    ------
    ConfigError
        If the file can't be read, lacks a column or has one that the output adds, or a row has
        more or fewer fields than the header, names nobody, or has a number that is none.
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


def convert(nodules: NoduleList, placements: Mapping[str, Placement]) -> Conversion:
    """Find the voxel of each nodule.

    A list with a column ``patient`` is matched by it, another one by the series. Where a row names
    both, the patient's array must be made of that series, or the row gets no voxel.

    Parameters
    ----------
    nodules : NoduleList
        Points (x, y, z) in patient mm.
    placements : mapping of str to Placement
        Who is published, by id.

    Returns
    -------
    Conversion
        Voxels are fractional array indices (z, y, x), diameters in voxels along these axes.
    """
    owners = defaultdict(list)
    for placement in placements.values():
        owners[placement.series_uid].append(placement)
    names = list(zip(nodules.names(PATIENT), nodules.names(SERIES), strict=True))
    matches = [_match(patient, series, placements, owners) for patient, series in names]
    numbers, belongs = _voxels(nodules, matches)
    kept = [i for i, name in enumerate(nodules.columns) if name not in (PATIENT, SERIES)]
    columns = [PATIENT, SERIES, *VOXEL, INSIDE, *(nodules.columns[i] for i in kept)]
    found = Conversion(columns, [], [], [])
    for n, (match, name) in enumerate(zip(matches, names, strict=True)):
        answer = ""
        if isinstance(match, str):
            found.unplaced.append(f"line {nodules.lines[n]}: {match}")
        else:
            name = (match.patient, match.series_uid)
            answer = "yes" if belongs[n] else "no"
            if not belongs[n]:
                found.outside.append(f"line {nodules.lines[n]} ({match.patient})")
        voxel = ["" if np.isnan(number) else f"{number:.6f}" for number in numbers[n]]
        found.rows.append([*name, *voxel, answer, *(nodules.rows[n][i] for i in kept)])
    return found


def _voxels(
    nodules: NoduleList, matches: list[Placement | str]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Voxel and diameters of each row, shape (rows, 6), and which voxels the arrays have."""
    numbers = np.full((len(matches), 6), np.nan)
    belongs = np.zeros(len(matches), dtype=bool)
    scans = defaultdict(list)
    for n, match in enumerate(matches):
        if isinstance(match, Placement):
            scans[match].append(n)
    for scan, at in scans.items():
        voxels = to_voxel(scan.affine, nodules.points_mm[at])
        numbers[at, :3] = voxels
        numbers[at, 3:] = nodules.diameters_mm[at, None] / scan.spacing_mm
        belongs[at] = inside(scan.shape, voxels)
    # Adding zero turns -0.0 into 0.0.
    return numbers.round(6) + 0.0, belongs


def _match(
    patient: str,
    series: str,
    placements: Mapping[str, Placement],
    owners: Mapping[str, list[Placement]],
) -> Placement | str:
    """Whose array a row is about, or why there is none."""
    if patient:
        if patient not in placements:
            return f"patient {patient!r} is not published"
        made_of = placements[patient].series_uid
        if series not in ("", made_of):
            return f"{patient} was made of series {made_of!r}, not of {series!r}"
        return placements[patient]
    found = owners.get(series, [])
    if not found:
        return f"series {series!r} is not published"
    if len(found) > 1:
        patients = " and as ".join(placement.patient for placement in found)
        return f"series {series!r} is published as {patients}; add a column {PATIENT}"
    return found[0]


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
    """Point and diameter of a row, NaN for a diameter that is not given."""
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
