"""Sizes of jobs that AWS Batch takes, as its executor plugin knows them."""

from lungprep.errors import ConfigError

# vCPUs: MB of memory, from, to, in steps of. Other amounts the plugin replaces by the least.
SIZES = {
    1: (2048, 8192, 1024),
    2: (4096, 16384, 1024),
    4: (8192, 30720, 1024),
    8: (16384, 61440, 4096),
    16: (32768, 122880, 8192),
}


def accepted_mb(vcpus: int, needed_mb: int) -> int:
    """The least amount of memory that a job can have and that is enough.

    Parameters
    ----------
    vcpus : int
        Of the job.
    needed_mb : int
        By estimate, MB.

    Returns
    -------
    int
        MB. Where that is more than a job with so many vCPUs can have, the most: it then works at
        fewer patients at a time. As needed where no job has so many vCPUs.
    """
    if vcpus not in SIZES:
        return needed_mb
    least, most, step = SIZES[vcpus]
    steps = max(0, -(-(needed_mb - least) // step))
    return min(least + steps * step, most)


def check_job(vcpus: int, mem_mb: int, longest_s: int, timeout_s: int) -> None:
    """Refuse jobs that the service would not take, or would cut short.

    Parameters
    ----------
    vcpus, mem_mb : int
        Of a job.
    longest_s : int
        What its last attempt is given, s.
    timeout_s : int
        After which the service ends it, s.

    Raises
    ------
    ConfigError
        If there is no such size, or too little time.
    """
    if vcpus not in SIZES:
        raise ConfigError(
            f"AWS Batch has no job with {vcpus} vCPUs",
            f"set-threads of shard takes one of {', '.join(map(str, SIZES))}",
        )
    accepted = accepted_mb(vcpus, mem_mb)
    if mem_mb != accepted:
        raise ConfigError(
            f"AWS Batch has no job with {vcpus} vCPUs and {mem_mb} MB",
            f"set mem_mb of shard to {accepted}, or leave it to the workflow",
        )
    if longest_s > timeout_s:
        raise ConfigError(
            f"a job may take {longest_s} s, and AWS Batch would end it after {timeout_s}",
            f"set aws-batch-task-timeout to {longest_s}, or take a smaller patients_per_job",
        )
