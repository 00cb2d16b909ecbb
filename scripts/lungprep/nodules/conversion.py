"""Convert nodule lists from patient coordinates to voxels of the published arrays."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.nodules.coordinates import Placement, inside, to_voxel
from lungprep.nodules.lists import INSIDE, PATIENT, SERIES, VOXEL, Floats, NoduleList


@dataclass(frozen=True)
class Conversion:
    """A nodule list with voxels.

    Attributes
    ----------
    columns : list of str
        ``patient``, ``seriesuid``, `VOXEL`, `INSIDE`, then the other columns of the list.
    rows : list of list of str
        Converted rows, one for each row of the list.
    outside, unplaced : list of str
        Rows whose point is outside the array, such as ``line 3 (P1)``, and rows without a voxel,
        with the reason, such as ``line 4: patient 'P9' is not published``.
    """

    columns: list[str]
    rows: list[list[str]]
    outside: list[str]
    unplaced: list[str]


def convert(nodules: NoduleList, placements: Mapping[str, Placement]) -> Conversion:
    """Find the voxel of each nodule.

    Rows are matched by patient if the list has a column ``patient``, otherwise by series. If a row
    names both, the patient's array must be made from that series, or the row gets no voxel.

    Parameters
    ----------
    nodules : NoduleList
        The list, with points (x, y, z) in patient coordinates, mm.
    placements : mapping of str to Placement
        Placements of the published patients, by id.

    Returns
    -------
    Conversion
        The converted list: fractional array indices (z, y, x), and diameters in voxels along the
        same axes.
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
    """Return voxel and diameters of each row, shape (rows, 6), and whether it is in the array."""
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
    # Adding zero turns -0.0 into 0.0 for the output.
    return numbers.round(6) + 0.0, belongs


def _match(
    patient: str,
    series: str,
    placements: Mapping[str, Placement],
    owners: Mapping[str, list[Placement]],
) -> Placement | str:
    """Return the placement that a row refers to, or the reason why it has none."""
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
