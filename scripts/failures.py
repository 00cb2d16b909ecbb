"""List the failed patients of a target: at which step, why, and in how many runs."""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])
import own_code

own_code.check()

import argparse
from collections import Counter

from lungprep.absentees import cell
from lungprep.errors import LungprepError
from lungprep.failures import FailedPatient, read_table
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address

EXAMPLES = """\
examples:
  python scripts/failures.py s3://bucket/npy/
  python scripts/failures.py /data/npy --tsv > failures.tsv

The list comes from failures.csv in the target, which each run updates at its end. The next run
tries these patients again. Quarantined patients are tried again only with
  snakemake --cores 8 --config retry_failed=true ...

exit status: 0 with or without failures; 1 if the target can't be used: one line says why; 2 if the
command line is wrong.

Credentials, region and endpoint come from the AWS_* environment and profiles.
"""
COLUMNS = ("patient", "step", "type", "attempt", "text")


def main(arguments: list[str]) -> None:
    """Print the failures of a target."""
    options = parse(arguments)
    s3 = S3Options(options.endpoint_url, options.anonymous, options.requester_pays)
    target = open_store(parse_address("TARGET", options.target), s3)
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


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; ends the process where it is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "target", metavar="TARGET", help="the workflow's target: s3://bucket/prefix/ or a folder"
    )
    parser.add_argument(
        "--tsv", action="store_true", help="print tab-separated values, for other programs"
    )
    parser.add_argument(
        "--endpoint-url", metavar="URL", help="server of an S3 store other than Amazon's"
    )
    parser.add_argument(
        "--anonymous", action="store_true", help="send unsigned requests, for public buckets"
    )
    parser.add_argument(
        "--requester-pays", action="store_true", help="agree to pay for the requests"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LungprepError as error:
        sys.exit(f"lungprep: {error}")
