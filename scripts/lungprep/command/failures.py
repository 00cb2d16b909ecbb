"""List the failed patients of a target: at which step, why, and in how many runs."""

import argparse
import sys
from collections import Counter

from lungprep.cohort.failures import FailedPatient, read_table
from lungprep.cohort.missing import cell
from lungprep.command.target import add_target, open_target

EXAMPLES = """\
examples:
  lungprep failures s3://bucket/npy/
  lungprep failures /data/npy --tsv > failures.tsv

The list comes from failures.csv in the target, which each run updates at its end. The next run
tries these patients again. Quarantined patients are tried again only with
  snakemake --cores 8 --config retry_failed=true ...

exit status: 0 with or without failures; 1 if the target can't be used: one line says why; 2 if the
command line is wrong.

Credentials, region and endpoint come from the AWS_* environment and profiles.
"""
COLUMNS = ("patient", "step", "type", "attempt", "text")


def run(options: argparse.Namespace) -> None:
    """Print the failures of a target."""
    target = open_target(options)
    # A target that can't be read must not look like one without failures.
    target.entries()
    rows = [row for _, row in sorted(read_table(target).items())]
    lines = tsv(rows) if options.tsv else table(rows)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def cells(row: FailedPatient) -> tuple[str, ...]:
    """Fields of a row in the order of `COLUMNS`."""
    return row.patient, row.step, row.type, str(row.attempt), row.text


def tsv(rows: list[FailedPatient]) -> list[str]:
    """Lines of tab-separated cells, escaped as those of `missing_tsv`."""
    return ["\t".join(cell(text) for text in line) for line in (COLUMNS, *map(cells, rows))]


def table(rows: list[FailedPatient]) -> list[str]:
    """Lines of columns for a terminal, then how many failed by each type."""
    if not rows:
        return ["no failures"]
    lines = [COLUMNS, *map(cells, rows)]
    # The last column is as wide as it likes.
    widths = [*(max(map(len, column)) for column in list(zip(*lines, strict=True))[:-1]), 0]
    shown = [
        "  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True))
        for line in lines
    ]
    counts = Counter(row.type for row in rows).most_common()
    total = ", ".join(f"{count} {name}" for name, count in counts)
    return [*shown, "", f"{len(rows)} patients failed: {total}"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subcommand."""
    add_target(parser)
    parser.add_argument(
        "--tsv", action="store_true", help="print tab-separated values, for other programs"
    )
