"""Evaluate the lung mask on phantoms and real scans.

``python benchmarks/lungs/run.py --only 'nodules*' --png /tmp/pictures`` prints a table and writes
a picture per case: the truth in green, the mask in blue and orange.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "scripts")]

import cv2  # noqa: E402

from lungs import tables  # noqa: E402
from lungs.cases import CASES  # noqa: E402
from lungs.pictures import draw  # noqa: E402
from lungs.scoring import Score, score  # noqa: E402


def main() -> None:
    """Run the chosen cases and print their table."""
    options = arguments()
    names = [name for name in CASES if any(fnmatchcase(name, g) for g in options.only)]
    if options.list:
        print("\n".join(names))
        return
    scores = []
    for found in run(names, options):
        scores.append(found)
        print(tables.line(found, CASES[found.name]), flush=True)
    print(tables.summary(scores))


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=["*"], metavar="GLOB")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--png", type=Path, metavar="FOLDER", help="write a picture per case")
    parser.add_argument("--spacing", type=float, metavar="MM", help="isotropic, for a quick look")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def run(names: list[str], options: argparse.Namespace) -> Iterator[Score]:
    """Score cases, in order, in several processes."""
    task = partial(one, spacing=options.spacing, folder=options.png)
    print(tables.HEAD, flush=True)
    if options.processes == 1 or len(names) == 1:
        yield from map(task, names)
        return
    with ProcessPoolExecutor(options.processes) as pool:
        yield from pool.map(task, names)


def one(name: str, spacing: float | None, folder: Path | None) -> Score:
    """Score one case and draw it."""
    cv2.setNumThreads(1)
    scene = CASES[name].scene((spacing,) * 3 if spacing else None)
    found, lungs = score(name, scene)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        labels = None if lungs is None else lungs.labels
        title = f"{name}: {tables.words(found)}"
        picture = draw(scene.volume.hu, scene.volume.grid, labels, scene.truth, title)
        cv2.imwrite(str(folder / f"{name}.png"), picture)
    return found


if __name__ == "__main__":
    main()
