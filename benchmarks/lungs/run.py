"""Evaluate the lung mask on phantoms and real scans.

``python benchmarks/lungs/run.py`` runs all cases, prints their table, and renders docs/lungs.md and
its pictures again. ``... --only 'nodules*' 'rider/*' --png pictures`` runs some cases, leaves the
page alone, and writes a picture per case: the truth in green, the mask in blue and orange.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/lungs.md"
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "scripts")]

import cv2  # noqa: E402

from lungs import real, report, tables  # noqa: E402
from lungs.cases import CASES  # noqa: E402
from lungs.criteria import cost, criteria  # noqa: E402
from lungs.pictures import draw, middle  # noqa: E402
from lungs.scoring import Asked, Score, score  # noqa: E402


def main() -> None:
    """Run the chosen cases and print their table."""
    options = arguments()
    cases, absent = chosen(options)
    if options.list:
        print("\n".join(cases))
        return
    print(*(f"skipped, {reason}" for reason in absent), sep="\n")
    print(tables.HEAD, flush=True)
    scores = []
    for found in run(cases, options):
        scores.append(found)
        print(tables.line(found, cases[found.name]), flush=True)
    print(tables.summary(scores, cases))
    verdict = criteria(scores, cases)
    if options.scan.exists():
        verdict += cost(real.reference(options.scan, (1.0, 1.0, 1.0)).volume)
    print(*(tables.verdict(criterion) for criterion in verdict), sep="\n")
    if options.only == ["*"] and not options.spacing:
        PAGE.write_text(report.with_tables(PAGE.read_text(), scores, cases, verdict, absent))


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=["*"], metavar="GLOB", help="cases to run")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--png", type=Path, metavar="FOLDER", help="write a picture per case")
    parser.add_argument(
        "--spacing", type=float, metavar="MM", help="isotropic spacing, for a quick look"
    )
    parser.add_argument("--processes", type=int, default=2, help="cases at a time")
    parser.add_argument(
        "--scan", type=Path, default=real.ARCHIVE, help="archive of the demo's scan"
    )
    parser.add_argument("--shared", type=Path, default=real.SHARED, help="folder of more scans")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> tuple[dict[str, Asked], list[str]]:
    """Cases by name, and why some are not here."""
    found, absent = real.available(options.scan, options.shared)
    everything = {**CASES, **found}
    names = [name for name in everything if any(fnmatchcase(name, g) for g in options.only)]
    return {name: everything[name] for name in names}, absent


def run(cases: dict[str, Asked], options: argparse.Namespace) -> Iterator[Score]:
    """Score cases, in order, in several processes."""
    task = partial(one, options=options)
    if options.processes == 1 or len(cases) == 1:
        yield from map(task, cases)
        return
    with ProcessPoolExecutor(options.processes) as pool:
        yield from pool.map(task, cases)


def one(name: str, options: argparse.Namespace) -> Score:
    """Score one case and draw it. It is looked up here, as functions don't travel."""
    cv2.setNumThreads(1)
    cases, _ = chosen(options)
    scene = cases[name].scene((options.spacing,) * 3 if options.spacing else None)
    found, lungs = score(name, scene)
    labels = None if lungs is None else lungs.labels
    planes = partial(draw, scene.volume.hu, scene.volume.grid, labels, scene.truth)
    if scene.lesions and not (found.over or found.under):
        planes = partial(planes, at=middle(scene.lesions))
    file = f"{name.replace('/', '-')}.png"
    if options.png:
        options.png.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(options.png / file), planes(f"{name}: {tables.words(found)}"))
    if name in report.SHOWN and options.only == ["*"] and not options.spacing:
        report.save_picture(PAGE.with_suffix("") / file, planes(name, high=report.HIGH))
    return found


if __name__ == "__main__":
    main()
