"""A field of HU linear in the position: repairs must give it back wherever it was measured.

The phantom is a function of the patient's point, so that any voxel out of its place by 0.2 mm along
any axis shows. Stored values are whole HU, and so are the results: each rounds by half.
"""

from dataclasses import replace

import numpy as np
import pytest

from corpus.case import load_case
from corpus.files import unpack
from corpus.oracles import ISOTROPIC, interpolate, some_voxels
from corpus.phantoms import (
    RAMP,
    SMALLER,
    jittered,
    oblique,
    scanned,
    tilted,
    uneven,
    wider_upwards,
)
from lungprep.image.resampling import resample
from lungprep_demo.phantom import ORIENTATIONS

REPAIR = {
    "on_missing_slices": "repair",
    "on_uneven_gaps": "repair",
    "on_gantry_tilt": "repair",
    "on_shifted_slices": "repair",
    "max_missing_slices": 2,
}
ROUNDING_HU = 1.01
SCANS = {
    "even": SMALLER,
    "uneven": uneven(wider_upwards(8), SMALLER),
    "jittered": jittered(3.0, SMALLER),
    "tilted by 5": tilted(5.0, SMALLER),
    "tilted by 18.5": tilted(18.5, SMALLER),
    "tilted by -18.5": tilted(-18.5, SMALLER),
    "oblique by 7": oblique(7.0, scan=SMALLER),
    "oblique about two axes": oblique(20.0, 15.0, SMALLER),
    "non-square": replace(SMALLER, spacing_mm=(4.5, 3.1)),
    **{name: replace(SMALLER, orientation=name) for name in ORIENTATIONS},
}
MISSING = {"none missing": (), "one missing": (3,), "two in a row missing": (11, 12)}
IN_TURN = ("even", "tilted by 18.5", "oblique about two axes", "FFP", "sagittal")


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        *((name, "none missing") for name in SCANS),
        *((name, "one missing") for name in (*IN_TURN, "uneven")),
        *((name, "two in a row missing") for name in IN_TURN),
    ],
)
def test_linear_field_is_given_back(name, missing):
    whole = scanned(SCANS[name], RAMP)
    files = {n: c for k, (n, c) in enumerate(whole.items()) if k not in MISSING[missing]}
    volume, _ = load_case(files, REPAIR)
    resampled = resample(volume, ISOTROPIC, interpolation="linear", antialias=False)
    assert resampled.grid.spacing_mm == ISOTROPIC
    np.testing.assert_allclose(resampled.grid.direction, np.eye(3), atol=1e-9)
    index, points = some_voxels(resampled.grid)
    _, measured, beyond = interpolate(unpack(files), points)
    assert measured.mean() > 0.2
    expected, _ = RAMP.at(*points.T)
    found = resampled.hu[tuple(index.T)]
    np.testing.assert_allclose(found[measured], expected[measured], atol=ROUNDING_HU)
    assert (found[beyond] == -1024).all()
