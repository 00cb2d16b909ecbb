"""Drop blank slices."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lungprep.errors import MissingSlices, TooFewSlices
from lungprep.image.series.gaps import check_gaps
from lungprep.image.series.geometry import Stack
from lungprep.image.series.policy import LoadOptions
from lungprep.image.volume import triple


def without_blanks(
    stack: Stack, kept: NDArray[np.bool_], keys: list[str], options: LoadOptions
) -> tuple[Stack, dict[str, float]]:
    """Treat blank slices as missing slices.

    Parameters
    ----------
    stack : Stack
        Geometry of all slices.
    kept : ndarray of bool, shape (n,)
        True for slices with content.
    keys : list of str
        Names of all slices.
    options : LoadOptions
        Policy for missing slices.

    Returns
    -------
    stack : Stack
        Geometry of the slices with content.
    flags : dict of str to float
        Number of slices to interpolate, and of blank slices dropped at the ends of the stack.

    Raises
    ------
    MissingSlices
        If slices inside the stack are blank and may not be interpolated.
    TooFewSlices
        If too few slices have content.
    """
    places = np.flatnonzero(kept)
    first, last = int(places[0]), int(places[-1])
    inside = [k for k in np.flatnonzero(~kept) if first < k < last]
    at_ends = len(kept) - len(places) - len(inside)
    count = f"{len(inside)} of {len(kept)} slices are blank"
    if len(places) < options.min_slices:
        raise TooFewSlices(
            f"only {len(places)} of {len(kept)} slices have content",
            "check that the upload is complete",
        )
    if inside and options.on_missing_slices == "error":
        raise MissingSlices(
            f"{count}, such as {keys[inside[0]]}",
            "upload them again, or set load.on_missing_slices to repair",
        )
    try:
        gaps = check_gaps(stack.heights[kept], [keys[k] for k in places], options)
    except MissingSlices as error:
        found = f"{count}, such as {keys[inside[0]]}; without them {error.found}"
        raise MissingSlices(found, error.remedy) from error
    origin = np.array(stack.origin_mm) + stack.axes[0] * gaps.start_mm
    smaller = replace(
        stack,
        shape=(len(places), *stack.shape[1:]),
        spacing_mm=(gaps.usual_mm, *stack.spacing_mm[1:]),
        origin_mm=triple(np.round(origin, 6)),
        heights_mm=gaps.positions_mm,
        shifts_mm=None if stack.shifts_mm is None else stack.shifts_mm[kept],
    )
    return smaller, {**gaps.flags, **({"blank_slices_dropped": at_ends} if at_ends else {})}
