"""The tables of docs/lungs.md, between their marks, and its pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from lungs.criteria import Criterion
from lungs.pictures import Picture
from lungs.real import RealCase
from lungs.scoring import Asked, Score
from lungs.tables import percent

#: Cases that docs/lungs.md shows.
SHOWN = (
    "nodules-costal-centred",
    "tumour-costal-40",
    "junction-1",
    "stomach-1mm",
    "rider/lesions-1",
    "rider/tumour",
    "consolidation",
    "pneumothorax-rim",
    "a0002/as-is",
)
HIGH = 240
_LEVELS = 24
_START, _STOP = "<!-- {}: make lungs -->", "<!-- end of {} -->"


def with_tables(
    text: str,
    scores: Sequence[Score],
    cases: Mapping[str, Asked],
    verdict: Sequence[Criterion],
    absent: Sequence[str],
) -> str:
    """The page with its tables anew."""
    phantoms = [s for s in scores if not isinstance(cases[s.name], RealCase)]
    real = [s for s in scores if isinstance(cases[s.name], RealCase)]
    skipped = "".join(f"\nNot run: {reason}.\n" for reason in absent)
    tables = {
        "criteria": _criteria(verdict),
        "phantoms": _scores(phantoms, cases),
        "real scans": _scores(real, cases) + skipped,
    }
    for name, table in tables.items():
        text = between(text, name, table)
    return text


def between(text: str, name: str, table: str) -> str:
    """Replace what stands between a table's marks.

    Raises
    ------
    ValueError
        A mark is missing.
    """
    start, stop = _START.format(name), _STOP.format(name)
    head, found, rest = text.partition(start)
    _, found_stop, tail = rest.partition(stop)
    if not found or not found_stop:
        raise ValueError(f"expected {start} and {stop} in the page")
    return f"{head}{start}\n\n{table}\n\n{stop}{tail}"


def save_picture(path: Path, picture: Picture) -> None:
    """Write a picture in few levels: noise in all 256 takes three times the bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    step = 256 / _LEVELS
    coarse = (np.floor(picture / step) * step).astype(np.uint8)
    cv2.imwrite(str(path), coarse, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def _criteria(verdict: Sequence[Criterion]) -> str:
    lines = ["| criterion | asked | measured | met |", "|---|---|---|---|"]
    lines += [
        f"| {c.what} | {c.asked} | {c.measured} | {'yes' if c.met else '**no**'} |" for c in verdict
    ]
    return "\n".join(lines)


def _scores(scores: Sequence[Score], cases: Mapping[str, Asked]) -> str:
    lines = [
        "| case | Dice right | left | volume right % | left % | swapped % | airways % "
        "| over % | lesions inside | gas ml | wall cm² | pieces | doubt | flags | CPU s "
        "| falls short of |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|---|",
    ]
    lines += [_row(score, cases[score.name]) for score in scores]
    return "\n".join(lines)


def _row(score: Score, case: Asked) -> str:
    short = "; ".join(score.failures(case))
    if score.error:
        cells = [score.name, *[""] * 12, score.error, f"{score.seconds:.1f}", short]
    else:
        lesions = f"{sum(s >= 0.5 for s in score.lesions)} of {len(score.lesions)}"
        cells = [
            score.name,
            *("" if v is None else f"{v:.4f}" for v in (score.right, score.left)),
            *(percent(a, b).strip() for a, b in zip(score.ml, score.true_ml, strict=True)),
            f"{100 * score.swapped:.2f}",
            f"{100 * score.airway:.2f}",
            f"{100 * score.over:.2f}",
            lesions if score.lesions else "",
            f"{score.gas_ml:.1f}",
            f"{score.shape.wall_cm2:.1f}",
            str(score.shape.pieces),
            f"{score.doubt:.2f}",
            ", ".join(score.flags),
            f"{score.seconds:.1f}",
            short,
        ]
    return f"| {' | '.join(cells)} |"
