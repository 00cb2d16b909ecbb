"""The argument TARGET of the subcommands, and how to reach it."""

import argparse

from lungprep.stores import S3Options, Store, open_store
from lungprep.stores.address import parse_address


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add TARGET and the options of its store to a parser."""
    parser.add_argument(
        "target", metavar="TARGET", help="the workflow's target: s3://bucket/prefix/ or a folder"
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


def open_target(options: argparse.Namespace) -> Store:
    """Open the store that the options name."""
    s3 = S3Options(options.endpoint_url, options.anonymous, options.requester_pays)
    return open_store(parse_address("TARGET", options.target), s3)
