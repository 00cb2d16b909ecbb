"""Digests of what the image chain makes of the corpus, of phantoms and of the demo's real scan.

``make golden`` writes them beside the digest of the program that made them. A refactoring that
leaves them as they were keeps the recipe; see `lungprep.config.recipe`.
"""

import hashlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from corpus.case import load_case
from corpus.files import Patient
from corpus.table import THEMES
from lungprep.config.presets import export_options, preset_values
from lungprep.config.recipe import GOLDEN, chain_digest
from lungprep.config.schema import complete, read_schema
from lungprep.image.export import export
from lungprep.image.loading import LoadOptions, load
from lungprep.image.output.options import ExportOptions
from lungprep.image.resampling import resample
from lungprep.image.segmentation.methods import find_lungs
from lungprep.image.volume import Volume, extent
from lungprep.resources.machine import choose_kernels
from lungprep_demo import scan as real
from lungprep_demo.phantom import Scan, chest, slices
from lungs.cases import CASES
from real_archive import ARCHIVE

TESTS = Path(__file__).parents[1]
SCANS = {
    "fine": Scan(gap_mm=2.5, shape=(192, 192), spacing_mm=(1.8, 1.8), noise_hu=20),
    "coarse": Scan(gap_mm=5, shape=(128, 128), spacing_mm=(2.7, 2.7), noise_hu=30),
}
RESAMPLINGS = [
    ((1.0, 1.0, 1.0), "linear", True),
    ((2.0, 2.0, 2.0), "linear", True),
    ((2.0, 2.0, 2.0), "linear", False),
    ((3.0, 1.5, 1.5), "cubic", True),
    ((4.0, 4.0, 4.0), "nearest", True),
]
# Gas below a dome and in the chest, a dense base, fluid, a tumour, a small body.
DISEASE = (
    "raised-scatter", "pneumothorax-rim", "consolidation", "effusion-basal", "tumour-costal-40",
    "infant",
)  # fmt: skip
PLACES = {"source": "s3://bucket/in/", "target": "s3://bucket/out/"}


def of_corpus() -> Iterator[bytes]:
    """Volumes of all inputs of the corpus that are accepted and need no other files."""
    for _, cases in THEMES:
        for case in cases:
            if case.refused is None and not case.needs:
                volume, scan = load_case(case.files(), case.settings)
                yield from of_volume(volume)
                yield json.dumps(sorted(scan.flags)).encode()


def of_resampling() -> Iterator[bytes]:
    """A phantom on several grids."""
    volume = phantom("coarse")
    for spacing_mm, interpolation, antialias in RESAMPLINGS:
        resampled = resample(volume, spacing_mm, interpolation=interpolation, antialias=antialias)
        yield from of_volume(resampled)


def of_lungs() -> Iterator[bytes]:
    """Masks, flags and arrays of every preset, of phantoms."""
    for name in SCANS:
        yield from of_chain(phantom(name), (2.0, 2.0, 2.0))


def of_disease() -> Iterator[bytes]:
    """Masks of the evaluation's phantoms that take the rarer ways of segmentation."""
    for name in DISEASE:
        scene = CASES[name].scene((2.0, 2.0, 2.0))
        lungs = find_lungs(scene.volume, method="classical", weights=None, threads=1)
        yield lungs.labels.tobytes()
        yield json.dumps(list(lungs.flags)).encode()


def of_real_scan() -> Iterator[bytes]:
    """The demo's scan, as the stock config has it."""
    files = Patient(dict(real.files(ARCHIVE)))
    volume, scan = load(files, LoadOptions())
    yield from of_volume(volume)
    yield from of_chain(volume, (1.0, 1.0, 1.0), tuple(scan.flags))


PARTS: dict[str, Callable[[], Iterator[bytes]]] = {
    "corpus": of_corpus,
    "resampling": of_resampling,
    "lungs": of_lungs,
    "disease": of_disease,
    "real_scan": of_real_scan,
}


def phantom(name: str) -> Volume:
    """A volume of the phantom chest."""
    return load(Patient(dict(slices(chest(), SCANS[name]))), LoadOptions())[0]


def of_volume(volume: Volume) -> Iterator[bytes]:
    """All that a volume holds; places to a millionth of a millimetre."""
    grid, slicing = volume.grid, volume.slicing
    places = [*grid.shape, *grid.spacing_mm, *grid.origin_mm]
    if slicing is not None:
        places += [slicing.axis, *slicing.positions_mm, *np.ravel(slicing.shifts_mm)]
    # Adding 0 makes one zero of two.
    yield (np.round(places, 6) + 0.0).tobytes()
    yield np.ascontiguousarray(volume.hu).tobytes()


def of_chain(
    volume: Volume, spacing_mm: tuple[float, float, float], flags: tuple[str, ...] = ()
) -> Iterator[bytes]:
    """From a loaded volume to the arrays of each preset."""
    volume = resample(volume, spacing_mm, interpolation="linear", antialias=True)
    yield from of_volume(volume)
    lungs = find_lungs(volume, method="classical", weights=None, threads=1, scan_flags=flags)
    yield lungs.labels.tobytes()
    yield json.dumps(list(lungs.flags)).encode()
    for preset in preset_values(read_schema()):
        config = complete({**PLACES, "output": {"preset": preset}}, read_schema())
        options = ExportOptions(**export_options(config))
        product = export(volume, lungs.labels, options, extent(lungs.labels))
        yield f"{preset} {product.voxels.dtype} {product.start}".encode()
        yield product.voxels.tobytes()
        yield product.lungs.tobytes()


def part(name: str) -> str:
    """SHA-256 of a part."""
    digest = hashlib.sha256()
    for piece in PARTS[name]():
        digest.update(piece)
    return digest.hexdigest()


def computed(names: list[str]) -> dict[str, str]:
    """Digests of parts, each from a process that adds up as the workflow's jobs do."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    choose_kernels(environ)
    done = {}
    for name in names:
        command = [sys.executable, "-m", "golden.outputs", name]
        run = subprocess.run(
            command, cwd=TESTS, env=environ, check=True, stdout=subprocess.PIPE, text=True
        )
        done[name] = run.stdout
    return done


def identity(parts: dict[str, str]) -> str:
    """One digest of all parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def main() -> None:
    """Print the digest of the part that is named, or write all of them."""
    if len(sys.argv) > 1:
        logging.disable()
        sys.stdout.write(part(sys.argv[1]))
        return
    parts = computed(list(PARTS))
    golden = {"outputs": identity(parts), "program": chain_digest(), "parts": parts}
    GOLDEN.write_text(json.dumps(golden, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
