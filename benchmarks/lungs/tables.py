"""Scores as lines of text and as Markdown."""

from collections.abc import Sequence

from lungs.cases import CASES, Case
from lungs.scoring import Score

HEAD = (
    f"{'case':32} {'right':>6} {'left':>6} {'swap%':>6} {'air%':>6} {'over%':>6} {'under%':>6} "
    f"{'lesions':>8} {'ml':>11} {'true':>5} {'CPU s':>6}  flags / falls short of"
)


def line(score: Score, case: Case) -> str:
    """One score as a line of a fixed-width table."""
    failures = score.failures(case)
    verdict = f"  << {'; '.join(failures)}" if failures else ""
    if score.error:
        return f"{score.name:32} {score.error:>20} {score.seconds:38.2f}{verdict}"
    lesions = f"{score.included:.0%}/{len(score.lesions)}" if score.lesions else "-"
    return (
        f"{score.name:32} {_dice(score.right)} {_dice(score.left)} {100 * score.swapped:6.2f} "
        f"{100 * score.airway:6.2f} {100 * score.over:6.2f} {100 * score.under:6.2f} "
        f"{lesions:>8} {score.right_ml:5.0f} {score.left_ml:5.0f} {score.true_ml:5.0f} "
        f"{score.seconds:6.2f}  {' '.join(score.flags)}{verdict}"
    )


def words(score: Score) -> str:
    """One score in a few words, for a picture's title."""
    if score.error:
        return score.error
    where = sorted(score.where.items(), key=lambda item: -item[1])[:3]
    organs = " ".join(f"{name} {100 * value:.1f}%" for name, value in where)
    return (
        f"R {_dice(score.right)} L {_dice(score.left)} over {100 * score.over:.1f}% ({organs}) "
        f"under {100 * score.under:.1f}%"
    )


def summary(scores: Sequence[Score]) -> str:
    """How many cases meet what they ask for."""
    failing = [s.name for s in scores if s.failures(CASES[s.name])]
    return f"{len(scores) - len(failing)} of {len(scores)} as asked; not: {', '.join(failing)}"


def _dice(value: float | None) -> str:
    return "     -" if value is None else f"{value:6.4f}"
