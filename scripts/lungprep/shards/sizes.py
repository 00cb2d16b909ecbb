"""Memory and time of a shard's job, from its patients and the config."""

from typing import Any

from lungprep.errors import StoreError
from lungprep.image.methods import METHODS
from lungprep.resources.budgets import ATTEMPTS, UNKNOWN_LOAD_MB
from lungprep.shards.messages import LIST, listed_mb
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address

#: Memory of Snakemake on the node, for the job and for the workflow in it, MB.
OWN_MB = 600
# Memory per core, each of which runs one step, MB: enough for scans of over 1,000 slices.
CORE_MB = 1000
# Start, stop and queueing within the job, minutes.
SPARE_MINUTES = 10


def shard_mb(method: str, cores: int, load_mb: int, attempt: int) -> int:
    """Memory of a shard's job, MB.

    Parameters
    ----------
    method : str
        ``segment.method``.
    cores : int
        Cores of the job.
    load_mb : int
        Largest estimate among its patients, MB.
    attempt : int
        Attempt, from 1 on; each gets more memory.
    """
    segmentations = max(1, cores // METHODS[method].threads)
    first = max(cores * CORE_MB, segmentations * METHODS[method].shard_mb, load_mb)
    return OWN_MB + round(first * ATTEMPTS[min(attempt, len(ATTEMPTS)) - 1])


def shard_minutes(method: str, cores: int, patients: int, attempt: int) -> int:
    """Time limit of a shard's job, minutes; each attempt gets more."""
    return SPARE_MINUTES + attempt * -(-patients * METHODS[method].minutes // cores)


def load_mb_of(config: dict[str, Any], shard: str) -> int:
    """Estimate for the largest patient of a shard, MB, from the shard's list.

    Parameters
    ----------
    config : dict
        Complete config.
    shard : str
        Name of the shard.
    """
    target = open_store(parse_address("target", config["target"]), S3Options(**config["s3"]))
    try:
        listed = listed_mb(target.read(LIST.format(shard=shard)))
    except StoreError:
        # The job itself will report the error.
        listed = {}
    return max(listed.values(), default=UNKNOWN_LOAD_MB)
