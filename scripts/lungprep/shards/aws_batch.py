"""Job sizes that AWS Batch accepts, as in the table of its executor plugin."""

from lungprep.errors import ConfigError

# By vCPUs: minimum, maximum and step of the memory, MB. The plugin replaces other values by the
# minimum.
SIZES = {
    1: (2048, 8192, 1024),
    2: (4096, 16384, 1024),
    4: (8192, 30720, 1024),
    8: (16384, 61440, 4096),
    16: (32768, 122880, 8192),
}


def accepted_mb(vcpus: int, needed_mb: int) -> int:
    """Smallest accepted memory that suffices for a job.

    Parameters
    ----------
    vcpus : int
        Number of vCPUs of the job.
    needed_mb : int
        Estimated memory, MB.

    Returns
    -------
    int
        Memory, MB. If no size for this number of vCPUs suffices, the largest one: the job then
        processes fewer patients at a time. If the number of vCPUs is not accepted, `needed_mb`.
    """
    if vcpus not in SIZES:
        return needed_mb
    least, most, step = SIZES[vcpus]
    steps = max(0, -(-(needed_mb - least) // step))
    return min(least + steps * step, most)


def check_job(vcpus: int, mem_mb: int, longest_s: int, timeout_s: int) -> None:
    """Refuse jobs that the service would reject or stop early.

    Parameters
    ----------
    vcpus, mem_mb : int
        vCPUs and memory (MB) of a job.
    longest_s : int
        Time limit of the job's last attempt, s.
    timeout_s : int
        Time after which the service ends a job, s.

    Raises
    ------
    ConfigError
        If the service has no such size, or its timeout is too short.
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
            f"set aws-batch-task-timeout to {longest_s}, or set a smaller patients_per_job",
        )
