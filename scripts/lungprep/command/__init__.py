"""The command ``lungprep``: what a user asks of a cohort beside running the workflow."""

import argparse
import sys

from lungprep import __version__
from lungprep.command import failures, missing, voxels
from lungprep.errors import LungprepError

SUBCOMMANDS = {"missing": missing, "failures": failures, "voxels": voxels}
EPILOG = """\
lungprep SUBCOMMAND --help explains each of them.

exit status: 0; 1 if something can't be read or written: one line says why; 2 if the command line
is wrong.
"""


def main(arguments: list[str] | None = None) -> None:
    """Run a subcommand; ends the process where it can't be done."""
    parser = argparse.ArgumentParser(
        prog="lungprep",
        description="Ask about a cohort of preprocessed chest CTs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lungprep {__version__}")
    subparsers = parser.add_subparsers(metavar="SUBCOMMAND", required=True)
    for name, module in SUBCOMMANDS.items():
        description = (module.__doc__ or "").strip()
        sub = subparsers.add_parser(
            name,
            help=description.partition(".\n")[0].rstrip(".").lower(),
            description=description,
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(sub)
        sub.set_defaults(run=module.run, parser=sub)
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args([voxels.shielded(argument) for argument in given])
    try:
        options.run(options)
    except LungprepError as error:
        sys.exit(f"lungprep: {error}")
