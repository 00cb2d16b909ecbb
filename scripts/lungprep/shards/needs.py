"""What the job of a share asks for: memory and time, by its patients and the config."""

from typing import Any

from lungprep.budgets import ATTEMPTS, UNKNOWN_LOAD_MB
from lungprep.errors import StoreError
from lungprep.shards.papers import LIST, listed_mb
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address

#: What Snakemake takes on the node, for the job and for the run inside, MB.
OWN_MB = 600
# For each core, which has a step of some patient at a time, MB: scans of 1,000 slices and more.
CORE_MB = 1000
# Memory of a network at work, and cores that it takes; docs/networks.md has what was measured.
NETWORK_MB = {"lungmask": 5000, "totalsegmentator": 8000}
# Minutes of a core for a patient, with room for slow stores and nodes.
PATIENT_MINUTES = {"classical": 1, "lungmask": 10, "totalsegmentator": 15}
# Queueing within the job, start and stop, minutes.
SPARE_MINUTES = 10


def share_mb(method: str, cores: int, segment_cores: int, load_mb: int, attempt: int) -> int:
    """Memory of a share's job, MB.

    Parameters
    ----------
    method : str
        ``segment.method``.
    cores, segment_cores : int
        Of the job, and of one segmentation.
    load_mb : int
        Estimate of the largest of its patients.
    attempt : int
        From 1 on; each has more.
    """
    networks = max(1, cores // segment_cores) * NETWORK_MB.get(method, 0)
    first = max(cores * CORE_MB, networks, load_mb)
    return OWN_MB + round(first * ATTEMPTS[min(attempt, len(ATTEMPTS)) - 1])


def share_minutes(method: str, cores: int, patients: int, attempt: int) -> int:
    """Time of a share's job, minutes; each attempt has more."""
    return SPARE_MINUTES + attempt * -(-patients * PATIENT_MINUTES[method] // cores)


def load_mb_of(config: dict[str, Any], shard: str) -> int:
    """Estimate of the largest patient of a share, MB, as its list says to the job.

    Parameters
    ----------
    config : dict
        The complete config.
    shard : str
        Name of the share.
    """
    target = open_store(parse_address("target", config["target"]), S3Options(**config["s3"]))
    try:
        listed = listed_mb(target.read(LIST.format(shard=shard)))
    except StoreError:
        # The job will say so.
        listed = {}
    return max(listed.values(), default=UNKNOWN_LOAD_MB)
