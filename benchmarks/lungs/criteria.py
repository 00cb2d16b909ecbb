"""What the mask is judged by, computed from the scores."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from scipy.stats import spearmanr

from lungprep.image.volume import Volume
from lungs.fitted import FITTED
from lungs.real import RealCase
from lungs.scoring import Asked, Score

_COST = """
import json, re, resource, sys
from pathlib import Path
from lungprep.image.segmentation import segment
from lungprep.image.volume import Grid, Volume
segment(Volume.load(sys.argv[1], Grid.from_json(json.loads(sys.argv[2]))))
used = resource.getrusage(resource.RUSAGE_SELF)
# The peak of ru_maxrss is that of the parent, too.
peak_kb = re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]
print(used.ru_utime + used.ru_stime, int(peak_kb) / 1e6)
"""


# Ranks of fewer cases say little.
_FEWEST = 8


@dataclass(frozen=True)
class Criterion:
    """One line of the verdict.

    Attributes
    ----------
    what : str
        What is judged.
    asked : str
        The threshold.
    measured : str
        The value, and the case that it comes from.
    met : bool
        Whether it meets the threshold.
    """

    what: str
    asked: str
    measured: str
    met: bool


Pick = Callable[[Score], float | None]


def criteria(scores: Sequence[Score], cases: Mapping[str, Asked]) -> list[Criterion]:
    """Judge all that was run; what was not run is passed over."""
    scored = [s for s in scores if not s.error]
    real = [s for s in scored if isinstance(cases[s.name], RealCase)]
    phantoms = [s for s in scored if s not in real]
    nodules = _named(phantoms, "vessels", "nodules-*", "painted-*")
    noise = _named(real, "*/noise-*", "*/kernel-*")
    turned = _named(real, "*/flip-x", "*/flip-y", "*/flip-xy", "*/rotate-*")
    lesions, tumours = _named(real, "*/lesions-*"), _named(real, "*/tumour")
    painted = _named(real, "*/base*", "*/scars*", "*/gas*", "*/raised*")
    upright = [s for s in scored if s not in _named(real, "*/flip-*z*")]
    sound = [s for s in scored if s not in _named(scored, "bullae", "emphysema", "pneumothorax-*")]
    asked = [s for s in scores if cases[s.name].error]
    found = [
        _extreme("phantoms with vessels and nodules: Dice of each lung", nodules, _worst, 0.985),
        _re_included("nodules of 5 to 30 mm on phantoms: at least half inside", nodules),
        _re_included("lesions painted on real scans: at least half inside", lesions),
        _extreme("over-inclusion beside nodules, phantoms", nodules, _over, 0.02),
        _extreme("over-inclusion beside lesions, real scans", lesions, _over, 0.02),
        _extreme("tumour that an expert outlined: share outside", tumours, _missed, 0.1),
        _extreme("trachea and main bronchi in the mask", phantoms, _airway, 0.01),
        _extreme("volume change by noise and kernel, real scans", noise, _change, 0.015),
        _extreme("volume change by flips and quarter turns, real scans", turned, _change, 0.005),
        _extreme("lung with the other side's label", scored, _swapped, 0.002),
        _extreme("outside the rib cage, real scans", real, _outside, 0.001),
        _mean("all phantoms, disease included: mean Dice", phantoms, 0.98),
        _extreme("all phantoms, disease included: lowest Dice", phantoms, _worst, 0.90),
        _extreme("disease painted on real scans: lowest Dice", painted, _worst, 0.90),
        _most("gas of stomach and bowel in the mask, ml", scored, _gas, 5.0),
        _most("pockets of pure gas, no bullae, ml", sound, _pocket, 1.0),
        _most("flat walls through tissue, cm²", upright, _wall, 4.0),
        _most("pieces beyond one per lung", upright, _pieces, 0.0),
        _ranking("doubt against 1 - Dice, cases not fitted: Spearman", scored),
        _counted("cut and narrow scans flagged", [s for s in scored if cases[s.name].flags], cases),
        _counted("heads and abdomens refused", asked, cases),
    ]
    return [criterion for criterion in found if criterion]


def cost(volume: Volume) -> list[Criterion]:
    """CPU seconds and memory of one process that imports and segments."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "hu.npy")
        volume.save(path)
        command = [sys.executable, "-c", _COST, str(path), json.dumps(volume.grid.to_json())]
        scripts = str(Path(__file__).parents[2] / "scripts")
        environ = {"PYTHONPATH": scripts, "PATH": ""}
        output = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    seconds, memory = (float(v) for v in output.stdout.split())
    return [
        Criterion("segment step with import", "<= 1.2 CPU s", f"{seconds:.2f}", seconds <= 1.2),
        Criterion("its peak memory", "<= 0.5 GB", f"{memory:.2f}", memory <= 0.5),
    ]


def _named(scores: Sequence[Score], *globs: str) -> list[Score]:
    return [s for s in scores if any(fnmatchcase(s.name, glob) for glob in globs)]


def _worst(score: Score) -> float | None:
    return score.worst


def _over(score: Score) -> float:
    return score.over


def _airway(score: Score) -> float:
    return score.airway


def _change(score: Score) -> float:
    return score.change


def _swapped(score: Score) -> float:
    return score.swapped


def _missed(score: Score) -> float:
    return 1 - min(score.lesions)


def _outside(score: Score) -> float:
    return score.where.get("wall", 0.0)


def _extreme(what: str, scores: Sequence[Score], pick: Pick, limit: float) -> Criterion | None:
    """The lowest Dice, or the highest of anything else."""
    values = {s.name: v for s in scores if (v := pick(s)) is not None}
    if not values:
        return None
    if pick is _worst:
        name = min(values, key=lambda n: values[n])
        value, asked, met = f"{values[name]:.4f}", f">= {limit}", values[name] >= limit
    else:
        name = max(values, key=lambda n: values[n])
        value, asked, met = f"{values[name]:.2%}", f"< {limit:.1%}", values[name] < limit
    return Criterion(what, asked, f"{value} ({name}, of {len(values)})", met)


def _gas(score: Score) -> float:
    return score.gas_ml


def _pocket(score: Score) -> float:
    return score.shape.gas_ml


def _wall(score: Score) -> float:
    return score.shape.wall_cm2


def _pieces(score: Score) -> float:
    return float(score.shape.pieces)


def _most(
    what: str, scores: Sequence[Score], pick: Callable[[Score], float], limit: float
) -> Criterion | None:
    """The highest of a measure with a unit; the name says of how many cases."""
    if not scores:
        return None
    worst = max(scores, key=pick)
    measured = f"{pick(worst):.1f} ({worst.name}, of {len(scores)})"
    return Criterion(what, f"<= {limit:g}", measured, pick(worst) <= limit)


def _ranking(what: str, scores: Sequence[Score]) -> Criterion | None:
    """How well the doubt ranks cases that its weights were not made from."""
    others = [s for s in scores if s.name not in FITTED and not s.name.endswith("/as-is")]
    pairs = [(s.doubt, 1 - s.worst) for s in others if s.worst is not None]
    if len(pairs) < _FEWEST:
        return None
    rho = float(spearmanr(*zip(*pairs, strict=True)).statistic)
    return Criterion(what, ">= 0.7", f"{rho:.2f} (of {len(pairs)})", rho >= 0.7)


def _mean(what: str, scores: Sequence[Score], limit: float) -> Criterion | None:
    values = [v for s in scores for v in (s.right, s.left) if v is not None]
    if not values:
        return None
    mean = sum(values) / len(values)
    return Criterion(what, f">= {limit}", f"{mean:.4f} (of {len(values)} lungs)", mean >= limit)


def _re_included(what: str, scores: Sequence[Score]) -> Criterion | None:
    shares = [share for s in scores for share in s.lesions]
    if not shares:
        return None
    inside = sum(share >= 0.5 for share in shares)
    value = inside / len(shares)
    return Criterion(what, ">= 95 %", f"{value:.1%} ({inside} of {len(shares)})", value >= 0.95)


def _counted(what: str, scores: Sequence[Score], cases: Mapping[str, Asked]) -> Criterion | None:
    if not scores:
        return None
    right = [s for s in scores if _as_announced(s, cases[s.name])]
    wrong = [s.name for s in scores if s not in right]
    measured = f"{len(right)} of {len(scores)}" + (f", not {', '.join(wrong)}" if wrong else "")
    return Criterion(what, "all", measured, not wrong)


def _as_announced(score: Score, case: Asked) -> bool:
    return score.error == case.error and set(case.flags) <= set(score.flags)
