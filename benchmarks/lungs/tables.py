"""Scores as lines of text and as Markdown."""

from collections.abc import Mapping, Sequence

from lungs.criteria import Criterion
from lungs.scoring import Asked, Score

HEAD = (
    f"{'case':32} {'right':>6} {'left':>6} {'swap%':>6} {'air%':>6} {'over%':>6} {'under%':>6} "
    f"{'lesions':>8} {'right ml':>12} {'left ml':>12} {'CPU s':>6}  flags / falls short of"
)


def line(score: Score, case: Asked) -> str:
    """One score as a line of a fixed-width table."""
    failures = score.failures(case)
    verdict = f"  << {'; '.join(failures)}" if failures else ""
    if score.error:
        return f"{score.name:32} {score.error:>20} {score.seconds:51.2f}{verdict}"
    lesions = f"{score.included:.0%}/{len(score.lesions)}" if score.lesions else "-"
    volumes = " ".join(
        f"{ml:5.0f} {percent(ml, true)}" for ml, true in zip(score.ml, score.true_ml, strict=True)
    )
    return (
        f"{score.name:32} {_dice(score.right)} {_dice(score.left)} {100 * score.swapped:6.2f} "
        f"{100 * score.airway:6.2f} {100 * score.over:6.2f} {100 * score.under:6.2f} "
        f"{lesions:>8} {volumes} {score.seconds:6.2f}  {' '.join(score.flags)}{verdict}"
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


def summary(scores: Sequence[Score], cases: Mapping[str, Asked]) -> str:
    """How many cases meet what they ask for."""
    failing = [s.name for s in scores if s.failures(cases[s.name])]
    return f"{len(scores) - len(failing)} of {len(scores)} as asked; not: {', '.join(failing)}"


def verdict(criterion: Criterion) -> str:
    """One criterion as a line."""
    mark = "met    " if criterion.met else "NOT MET"
    return f"{mark} {criterion.what}: {criterion.measured}, asked {criterion.asked}"


def percent(value: float, true: float) -> str:
    """Difference in percent."""
    return f"{100 * (value / true - 1):+6.2f}" if true else "     -"


def _dice(value: float | None) -> str:
    return "     -" if value is None else f"{value:6.4f}"
