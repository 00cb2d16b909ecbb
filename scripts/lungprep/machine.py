"""What of this machine, or the container that it looks like, has a bearing on its jobs."""

from collections.abc import Iterator, MutableMapping
from pathlib import Path

MB = 1 << 20
#: The rest is left to the system and to all others.
SHARE = 0.85
# What Snakemake takes for a patient's jobs, MB: 1.2 GB for 20,000 patients.
PATIENT_MB = 0.06
#: By which OpenBLAS lets its kernels be chosen.
KERNELS = "OPENBLAS_CORETYPE"
# Those of this name need these features, and are the same for AMD's processors.
AVX2, FEATURES = "Haswell", {"avx2", "fma"}


def choose_kernels(environ: MutableMapping[str, str], proc: Path = Path("/proc")) -> None:
    """Let OpenBLAS add up in the same order on all x86 processors that can.

    It has kernels for each kind, whose sums differ in the last bit, and so some voxels by 1 HU;
    those for AVX-512 take 0.02 CPU s less of a chest. A choice that was made already stands.

    Parameters
    ----------
    environ : mutable mapping
        Environment of the jobs.
    proc : Path
        Where the kernel tells.
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
    """Memory for all jobs together: 85 % of the machine's, less what Snakemake takes itself.

    Parameters
    ----------
    own_mb : float
        Memory of this process by now.
    patients : int
        Whose jobs it is about to make.
    proc, cgroups : Path
        Where the kernel tells.

    Returns
    -------
    int or None
        MB of 1024² bytes; None where the kernel does not tell, as on macOS.
    """
    total = total_mb(proc, cgroups)
    return None if total is None else max(1, int(SHARE * total - own_mb - PATIENT_MB * patients))


def total_mb(proc: Path, cgroups: Path) -> float | None:
    """Memory of the machine, or what its control groups allow, if that is less."""
    try:
        memory = (proc / "meminfo").read_text(errors="replace").partition("MemTotal:")[2].split()[0]
        groups = (proc / "self/cgroup").read_text(errors="replace").splitlines()
    except (FileNotFoundError, IndexError):
        return None
    limits = [int(limit) / MB for limit in _limits(groups, cgroups) if limit.isdecimal()]
    return min([int(memory) / 1024, *limits])


def _limits(groups: list[str], cgroups: Path) -> Iterator[str]:
    """Limits of the process's groups and of all that hold them, ``max`` where there is none."""
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            root = cgroups / controllers
            name = "memory.limit_in_bytes" if controllers else "memory.max"
            # In a container the path may be the host's, and the root the container's own.
            inner = root / path.strip("/")
            for group in (inner, *inner.parents):
                if (group / name).is_file():
                    yield (group / name).read_text(errors="replace").strip()
                if group == root:
                    break
