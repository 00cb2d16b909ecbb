"""Compare the estimated memory of each step with its peak.

``python benchmarks/memory/run.py`` makes a phantom per case, puts it into the embedded S3 server,
runs the scripts of all steps one after another, and prints a Markdown table for docs/memory.md.
``--only 3`` runs only the third case. The last case needs 5 GB of disk and 2.5 GB of memory.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "benchmarks")]

from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGLSLossless, RLELossless  # noqa: E402

from lungprep_demo.server import s3_server  # noqa: E402
from memory.measuring import STEPS, Row, measure  # noqa: E402
from memory.phantoms import Case  # noqa: E402

CASES = (
    Case(64, 512, 5.0, 0.7),
    Case(200, 512, 1.5, 0.7),
    Case(500, 512, 0.6, 0.7),
    Case(1000, 512, 0.3, 0.7),
    Case(64, 1024, 5.0, 0.35),
    Case(200, 512, 1.5, 0.7, JPEGLSLossless),
    Case(64, 1024, 5.0, 0.35, JPEGLSLossless),
    Case(100, 512, 3.0, 0.7, RLELossless),
    Case(100, 512, 3.0, 0.7, DeflatedExplicitVRLittleEndian),
    Case(100, 512, 3.0, 0.7, series=2),
    Case(100, 512, 3.0, 0.7, JPEGLSLossless, series=2),
    Case(100, 512, 3.0, 0.7, orientation="coronal"),
    Case(600, 512, 1.0, 0.97),
    Case(200, 512, 1.5, 0.7, spacing_mm=(1.34, 1.34, 1.34)),
    Case(200, 512, 1.5, 0.7, spacing_mm=(1.5, 1.5, 1.5)),
    Case(200, 512, 1.5, 0.7, spacing_mm=(2.0, 2.0, 2.0)),
    Case(200, 512, 1.5, 0.7, spacing_mm=(0.7, 0.7, 0.7)),
    Case(64, 512, 5.0, 0.7, preset="uncropped"),
    Case(64, 512, 5.0, 0.7, preset="tutorial"),
    Case(64, 512, 5.0, 0.7, preset="grt123"),
    Case(1000, 1024, 0.3, 0.35),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the cases to run, from 1")
    chosen = parser.parse_args().only or range(1, len(CASES) + 1)
    print(f"| series | {' | '.join(STEPS)} |\n|---{'|---' * len(STEPS)}|")
    for number in chosen:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with s3_server(folder / "s3", buckets=["bucket"]) as server:
                os.environ.update(server.environ)
                (folder / "work").mkdir()
                rows = measure(CASES[number - 1], folder / "work", server)
                print(f"| {rows[0].case} | {' | '.join(_cell(row) for row in rows)} |", flush=True)


def _cell(row: Row) -> str:
    return f"{row.estimate_mb:.0f} / {row.peak_mb:.0f} = {row.ratio:.2f}"


if __name__ == "__main__":
    main()
