"""Convert points in patient coordinates to voxels of the published arrays, and back.

Points are x y z in mm, in DICOM patient coordinates (LPS). Voxels are z y x, the index order of
PATIENT.npy, and fractional: round them to index the array.
"""

import argparse
import csv
import re
import sys
import time
from collections.abc import Callable
from math import isfinite
from pathlib import Path

from lungprep.command.target import add_target, open_target
from lungprep.errors import ConfigError
from lungprep.nodules.conversion import Conversion, convert
from lungprep.nodules.coordinates import inside, to_voxel, to_world
from lungprep.nodules.lists import PATIENT, read_nodules
from lungprep.nodules.placements import read_placement, read_placements
from lungprep.stores import Store

EXAMPLES = """\
examples:
  lungprep voxels s3://bucket/npy/ P0042 --world -60.5 -20 -310.25
  lungprep voxels /data/npy P0042 --voxel 150 80 120
  lungprep voxels s3://bucket/npy/ --nodules annotations.csv --output voxels.csv

nodule lists: CSV files with the columns seriesuid,coordX,coordY,coordZ,diameter_mm (LUNA16) or
patient,coordX,coordY,coordZ,diameter_mm. The column diameter_mm is optional; other columns are
kept. With both seriesuid and patient, rows are matched by patient, and the series is checked.

output columns: patient, seriesuid, voxelZ, voxelY, voxelX, diameterZ_voxels, diameterY_voxels,
diameterX_voxels, inside (yes or no), then the other columns. A row outside the cropped array has
inside=no. A row whose patient or series is not published has empty voxels. Both kinds are counted
on stderr, which also lists the first of them.

exit status: 0 if the point was converted, or if each row was converted or counted on stderr; 1 if
the nodule list, the sidecars or the target can't be used: one line says why, and no file is
written; 2 if the command line is wrong.

Credentials, region and endpoint come from the AWS_* environment and profiles.
"""
LISTED = 20
QUIET_S = 3.0


def run(options: argparse.Namespace) -> None:
    """Convert one point or a nodule list."""
    check(options)
    target = open_target(options)
    if options.nodules is not None:
        convert_list(target, options.nodules, options.output)
        return
    placement = read_placement(target, options.patient)
    if options.world is not None:
        result = voxel = to_voxel(placement.affine, options.world)
    else:
        voxel = options.voxel
        result = to_world(placement.affine, voxel)
    # Adding zero turns -0.0 into 0.0.
    sys.stdout.write(" ".join(f"{number:.6f}" for number in result.round(6) + 0.0) + "\n")
    if not inside(placement.shape, voxel):
        say(f"outside of the array of {placement.patient}, whose (z, y, x) are {placement.shape}")


def convert_list(target: Store, source: str, output: str) -> None:
    """Convert a nodule list, and tell which rows have no voxel in an array."""
    if Path(output).resolve() == Path(source).resolve():
        raise ConfigError(f"--output {output} is the nodule list itself", "give another file")
    nodules = read_nodules(source)
    patients = nodules.names(PATIENT) if PATIENT in nodules.columns else None
    placements, unusable = read_placements(target, patients, progress())
    conversion = convert(nodules, placements)
    write(output, conversion)
    outside, unplaced = len(conversion.outside), len(conversion.unplaced)
    say(
        f"wrote {len(conversion.rows)} rows to {output}: "
        f"{len(conversion.rows) - outside - unplaced} inside, {outside} outside of the array, "
        f"{unplaced} without a voxel"
    )
    say_all("outside of the array", conversion.outside)
    say_all("without a voxel", conversion.unplaced)
    say_all("not a sidecar", unusable)


def progress() -> Callable[[int, int], None]:
    """Say every few seconds how many sidecars are read."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= QUIET_S:
            last = time.monotonic()
            say(f"read {done} of {total} sidecars")

    return tell


def write(path: str, conversion: Conversion) -> None:
    """Write a converted nodule list as CSV in UTF-8."""
    try:
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(conversion.columns)
            writer.writerows(conversion.rows)
    except OSError as error:
        raise ConfigError(
            f"--output {path} can't be written ({error.strerror})",
            "name a file in a folder that you can write to",
        ) from error


def say(text: str) -> None:
    """Tell the user something that is no result."""
    sys.stderr.write(f"{text}\n")


def say_all(what: str, items: list[str]) -> None:
    """List the first items, each on a line."""
    for item in items[:LISTED]:
        say(f"{what}: {item}")
    if len(items) > LISTED:
        say(f"{what}: and {len(items) - LISTED} more")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subcommand."""
    add_target(parser)
    parser.add_argument(
        "patient", metavar="PATIENT", nargs="?", help="id of the patient, for a single point"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--world",
        nargs=3,
        type=number,
        metavar=("X", "Y", "Z"),
        help="point in mm; print its voxel, z y x",
    )
    what.add_argument(
        "--voxel",
        nargs=3,
        type=number,
        metavar=("Z", "Y", "X"),
        help="voxel; print its point, x y z in mm",
    )
    what.add_argument("--nodules", metavar="CSV", help="nodule list to convert")
    parser.add_argument("--output", metavar="CSV", help="file for the converted nodule list")


def check(options: argparse.Namespace) -> None:
    """End the process where options do not go together."""
    if options.nodules is None and (options.patient is None or options.output is not None):
        options.parser.error("--world and --voxel take a PATIENT, and no --output")
    if options.nodules is not None and (options.patient is not None or options.output is None):
        options.parser.error("--nodules takes an --output, and no PATIENT")


def shielded(argument: str) -> str:
    """Put a blank before a negative number, or argparse takes -1e-05 for an option."""
    return f" {argument}" if re.match(r"-[\d.]", argument) else argument


def number(text: str) -> float:
    """Read a coordinate."""
    value = float(text)
    if not isfinite(value):
        raise ValueError(text)
    return value
