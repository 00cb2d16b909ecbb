"""Properties of this machine or container that matter to its jobs."""

from collections.abc import Iterator, MutableMapping
from pathlib import Path

MB = 1 << 20
#: Fraction of the memory for jobs; the rest is for the system and other processes.
SHARE = 0.85
# Snakemake's memory per patient in its plan, MB: 1.2 GB for 20,000 patients.
PATIENT_MB = 0.06
#: Variable that selects OpenBLAS's kernels.
KERNELS = "OPENBLAS_CORETYPE"
# The kernels of this name require these features, and also run on AMD's processors.
AVX2, FEATURES = "Haswell", {"avx2", "fma"}


def choose_kernels(environ: MutableMapping[str, str], proc: Path = Path("/proc")) -> None:
    """Make OpenBLAS sum in the same order on all capable x86 processors.

    It has kernels for each processor type, whose sums differ in the last bit, and hence some voxels
    by 1 HU. The kernels for AVX-512 would save only 0.02 CPU s per chest. An existing choice stays.

    Parameters
    ----------
    environ : mutable mapping
        Environment of the jobs.
    proc : Path
        Folder of the kernel's process information.
    """
    try:
        flags = (
            (proc / "cpuinfo").read_text(errors="replace").partition("flags")[2].partition("\n")[0]
        )
    except FileNotFoundError:
        return
    if set(flags.split()) >= FEATURES and not environ.get(KERNELS):
        environ[KERNELS] = AVX2


def spare_mb(
    own_mb: float, patients: int, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Memory for all jobs together: 85 % of the machine's, minus Snakemake's own.

    Parameters
    ----------
    own_mb : float
        Current memory of this process, MB.
    patients : int
        Number of patients in the plan.
    proc, cgroups : Path
        Folders of the kernel's process and control group information.

    Returns
    -------
    int or None
        Memory in MB of 1024² bytes; None if the kernel does not tell it, as on macOS.
    """
    total = total_mb(proc, cgroups)
    return None if total is None else max(1, int(SHARE * total - own_mb - PATIENT_MB * patients))


def total_mb(proc: Path, cgroups: Path) -> float | None:
    """Memory of the machine, or the limit of its control groups if that is lower, MB."""
    try:
        memory = (proc / "meminfo").read_text(errors="replace").partition("MemTotal:")[2].split()[0]
        groups = (proc / "self/cgroup").read_text(errors="replace").splitlines()
    except (FileNotFoundError, IndexError):
        return None
    limits = [int(limit) / MB for limit in _limits(groups, cgroups) if limit.isdecimal()]
    return min([int(memory) / 1024, *limits])


def _limits(groups: list[str], cgroups: Path) -> Iterator[str]:
    """Limits of the process's control groups and of their parents; ``max`` stands for no limit."""
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            root = cgroups / controllers
            name = "memory.limit_in_bytes" if controllers else "memory.max"
            # In a container, the path may be the host's and the root the container's own.
            inner = root / path.strip("/")
            for group in (inner, *inner.parents):
                if (group / name).is_file():
                    yield (group / name).read_text(errors="replace").strip()
                if group == root:
                    break
