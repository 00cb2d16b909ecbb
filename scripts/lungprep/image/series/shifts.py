"""Check for slices that are shifted sideways: a tilted gantry, or a patient who was moved."""

import numpy as np

from lungprep.errors import ShiftedSlices, TiltedGantry
from lungprep.image.series.geometry import Floats
from lungprep.image.series.policy import LoadOptions
from lungprep.image.volume import POSITION_TOLERANCE_MM


def check_shifts(
    heights: Floats, sideways: Floats, options: LoadOptions
) -> tuple[Floats, Floats | None, dict[str, float]]:
    """Measure shifts of slices within their plane, and repair or refuse them.

    A tilted gantry shifts each slice against the one before by the same amount. The shear is
    computed from the positions alone, because GantryDetectorTilt (0018,1120) is often absent and
    its sign is unreliable.

    Parameters
    ----------
    heights : ndarray of float64, shape (n,)
        Height of each slice along the normal, mm.
    sideways : ndarray of float64, shape (n, 2)
        Position of the first pixel of each slice in the plane, mm.
    options : LoadOptions
        Policy for tilted gantries and shifted slices.

    Returns
    -------
    common : ndarray of float64, shape (2,)
        Common position of the slices, mm.
    shifts : ndarray of float64, shape (n, 2), or None
        Shift of each slice from the common position, mm; None if all are within rounding.
    flags : dict of str to float
        Repairs: the tilt, degrees, or the largest shift, mm.

    Raises
    ------
    TiltedGantry, ShiftedSlices
        If slices are shifted and the options do not allow repairs.
    """
    common = np.median(sideways, axis=0)
    middle = (sideways.max(axis=0) + sideways.min(axis=0)) / 2
    if np.linalg.norm(sideways - middle, axis=1).max() <= POSITION_TOLERANCE_MM:
        return sideways.mean(axis=0), None, {}
    shifts = sideways - common
    slope, start = np.polyfit(heights, sideways, 1)
    off_line = np.linalg.norm(sideways - start - heights[:, None] * slope, axis=1).max()
    largest = float(np.linalg.norm(shifts, axis=1).max())
    if off_line <= POSITION_TOLERANCE_MM:
        tilt = float(np.degrees(np.arctan(np.linalg.norm(slope))))
        if options.on_gantry_tilt == "error":
            raise TiltedGantry(
                f"the gantry is tilted by {tilt:.1f} degrees: slices are shifted by up to "
                f"{2 * largest:.2f} mm within their plane along the stack",
                "supply a series without gantry tilt, or set load.on_gantry_tilt to repair",
            )
        return common, shifts, {"gantry_tilt_sheared": round(tilt, 2)}
    if options.on_shifted_slices == "error":
        moved = int((np.linalg.norm(shifts, axis=1) > POSITION_TOLERANCE_MM).sum())
        raise ShiftedSlices(
            f"{moved} of {len(heights)} slices are shifted within their plane, by up to "
            f"{largest:.2f} mm",
            "supply a series without shifts, or set load.on_shifted_slices to repair",
        )
    return common, shifts, {"shifted_slices_realigned": round(largest, 2)}
