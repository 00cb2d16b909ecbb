"""How much a lung mask is to be doubted, from 0 to 1, so that a cohort can be looked at in order.

The score estimates the error of the worse lung, 1 - Dice, as a sum of what can be measured without
any truth, each term 0 or more, and maps that to 0 to 1. benchmarks/lungs/fit_doubt.py finds the
weights on cases of known truth; docs/lungs.md says how well the score ranks others.
"""

from math import exp, log

from lungprep.image.segmentation.findings import Findings

#: Error, 1 - Dice, per unit of each term.
WEIGHTS = {
    "rim": 0.12,
    "recess": 0.11,
    "step": 0.085,
    "gap": 0.1,
    "thin_air": 0.2,
    "collapsed": 0.6,
    "completed": 0.3,
    "gas": 0.006,
}
# The error at which the doubt is 0.63.
_ERROR = 0.05
# Sound lungs reach 24 to 60 mm deeper at the back than in their middle, in adults of this volume.
_RECESS_MM, _ADULT_ML = 20.0, 5000.0
_STEP_MM = (-20.0, 15.0)
_GAP_MM = 8.0
# In percent of a lung; more than that differs between lungs by what was taken for one of them.
_EMPHYSEMA, _MOST = 5.0, 0.25


def doubt(findings: Findings) -> float:
    """Doubt in a mask.

    Parameters
    ----------
    findings : Findings
        What the mask tells.

    Returns
    -------
    float
        0 to 1, two decimals: about 0.2 for sound lungs of adults.
    """
    error = sum(WEIGHTS[name] * value for name, value in terms(findings).items())
    return round(1 - exp(-error / _ERROR), 2)


def terms(findings: Findings) -> dict[str, float]:
    """What speaks against a mask.

    Parameters
    ----------
    findings : Findings

    Returns
    -------
    dict of str to float
        ``rim``: surface per volume, 1/mm, for what is a voxel off matters most in small lungs.
        ``recess`` and ``step``, dm: what the bases lack, and by how much one is too high; 0 where
        the scan ends in the lungs. ``gap``, dm: how far a back is from its ribs. ``thin_air``: by
        how much more of one lung than of the other is as light as gas. ``collapsed`` and
        ``completed``: shares of the lungs that were concluded, not seen. ``gas``: 1 beside gas that
        was left out.
    """
    total = max(findings.right_ml + findings.left_ml, 1.0)
    share = (findings.right_completed_ml or 0) + (findings.left_completed_ml or 0)
    gas = (findings.pleural_gas_ml or 0) + (findings.base_gas_ml or 0)
    gaps = [g for g in (findings.right_rib_gap_mm, findings.left_rib_gap_mm) if g is not None]
    whole = "feet" not in findings.touches
    return {
        "rim": findings.surface_cm2 / total / 10,
        "recess": _recess_lacking(findings, total) if whole else 0.0,
        "step": _step(findings.base_step_mm or 0.0) if whole else 0.0,
        "gap": max((max(gap - _GAP_MM, 0.0) for gap in gaps), default=0.0) / 100,
        "thin_air": _thin_air(findings),
        "collapsed": (findings.collapsed_ml or 0) / total,
        "completed": share / total,
        "gas": float(gas > 0),
    }


def _recess_lacking(findings: Findings, total_ml: float) -> float:
    usual = _RECESS_MM * min(1.0, exp(log(total_ml / _ADULT_ML) / 3))
    depths = (findings.right_recess_mm, findings.left_recess_mm)
    return sum(max(usual - depth, 0.0) for depth in depths if depth is not None) / 100


def _step(step_mm: float) -> float:
    low, high = _STEP_MM
    return max(step_mm - high, low - step_mm, 0.0) / 100


def _thin_air(findings: Findings) -> float:
    right, left = findings.right_emphysema_percent, findings.left_emphysema_percent
    if right is None or left is None:
        return 0.0
    return min(max(abs(right - left) - _EMPHYSEMA, 0.0) / 100, _MOST)
