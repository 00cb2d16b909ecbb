"""Checks for engines whose jobs do not shard a file system with the run."""

import re
from collections.abc import Iterable
from typing import Any

from lungprep.errors import ConfigError
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import check_pair, parse_address

SECRET = re.compile("secret|access_key|token|password", re.IGNORECASE)


def check_apart(config: dict[str, Any], flags: str, registered: Iterable[str]) -> None:
    """Refuse a run whose jobs could not reach the data, or would reveal secrets.

    Parameters
    ----------
    config : dict
        Complete config.
    flags : str
        Value of ``default-storage-prefix``.
    registered : iterable of str
        Names of the variables whose values are stored in the job definition.

    Raises
    ------
    ConfigError
        If an address is not an S3 prefix, or a variable's name suggests a secret.
    StoreError
        If the bucket does not exist: Snakemake would create it.
    """
    secrets = sorted(name for name in registered if SECRET.search(name))
    if secrets:
        raise ConfigError(
            f"{', '.join(secrets)} would be stored in the job definitions",
            "remove it from envvars, or from the environment, and give the role of the jobs access",
        )
    for key, address in zip(
        ("source", "target"), check_pair(config["source"], config["target"]), strict=True
    ):
        if not address.is_s3:
            raise ConfigError(
                f"{key} is the folder {address}, which jobs on other machines can't see",
                "give an address like s3://bucket/prefix/",
            )
    place = parse_address("default-storage-prefix", flags)
    if not place.is_s3:
        raise ConfigError(f"default-storage-prefix is the folder {flags}", "write s3://...")
    open_store(place, S3Options(**config["s3"])).level()
