"""Fit the weights of the doubt in a mask, and say how well they rank cases.

``python benchmarks/lungs/fit_doubt.py`` runs the cases of `FITTED`, prints the weights for
`image.segmentation.doubt_score`, and how well each kind is ranked by weights that are fitted
without it. Errors are weighted by their own size, so that a few large ones do not decide alone.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "scripts")]

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from scipy.optimize import nnls  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402

from lungprep.image.segmentation.doubt_score import WEIGHTS, terms  # noqa: E402
from lungs import real  # noqa: E402
from lungs.cases import CASES  # noqa: E402
from lungs.fitted import FITTED  # noqa: E402
from lungs.scoring import score  # noqa: E402

# An error of this size counts half as much, relative to itself, as a large one.
_SMALL_ERROR = 0.015


def main() -> None:
    """Fit and print."""
    found, _ = real.available()
    cases = {**CASES, **found}
    names, rows, errors = [], [], []
    for name in sorted(FITTED & cases.keys()):
        scored, lungs = score(name, cases[name].scene())
        if lungs is not None and scored.worst is not None:
            names.append(name)
            rows.append(list(terms(lungs.findings).values()))
            errors.append(1 - scored.worst)
    x, error = np.array(rows), np.array(errors)
    for name, weight in zip(WEIGHTS, fit(x, error), strict=True):
        print(f"{name:12} {weight:.3f}, now {WEIGHTS[name]}")
    print(f"without its own kind: Spearman {ranked_without_its_kind(names, x, error):.2f}")


def fit(x: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of at least 0 by least squares of relative errors.

    Parameters
    ----------
    x : ndarray of float, shape (cases, terms)
        From `terms`.
    error : ndarray of float
        1 - Dice of the worse lung of each case.
    """
    weight = 1 / (error + _SMALL_ERROR)
    return np.asarray(nnls(x * weight[:, None], error * weight)[0])


def ranked_without_its_kind(
    names: Sequence[str], x: NDArray[np.float64], error: NDArray[np.float64]
) -> float:
    """Rank correlation where each kind of case is judged by weights that do not know it."""
    kinds = np.array([name.rpartition("/")[2].partition("-")[0] for name in names])
    told = np.zeros(len(names))
    for kind in set(kinds):
        own = kinds == kind
        told[own] = x[own] @ fit(x[~own], error[~own])
    return float(spearmanr(told, error).statistic)


if __name__ == "__main__":
    main()
