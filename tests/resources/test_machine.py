"""The memory that jobs may take, by faked files of the kernel."""

import pytest

from lungprep.resources.machine import KERNELS, choose_kernels, spare_mb

GB = 1 << 30


def kernel(folder, group="0::/", limits=(), total_gb=8):
    """Write /proc and /sys/fs/cgroup; `limits` are pairs of a path and bytes."""
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/meminfo").write_text(
        f"MemTotal:       {total_gb << 20} kB\nMemFree:         1 kB\n"
    )
    (folder / "proc/self/cgroup").write_text(f"{group}\n")
    for path, limit in limits:
        file = folder / "cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{limit}\n")
    return folder / "proc", folder / "cgroup"


@pytest.mark.parametrize(
    ("group", "limits", "total_mb"),
    [
        ("0::/", [], 8192),
        ("0::/", [("memory.max", "max")], 8192),
        ("0::/", [("memory.max", 2 * GB)], 2048),
        ("0::/user/job", [("user/job/memory.max", "max"), ("user/memory.max", 4 * GB)], 4096),
        ("0::/of/the/host", [("memory.max", 3 * GB)], 3072),
        ("0::/a", [("a/memory.max", 64 * GB)], 8192),
        ("5:cpu:/b\n4:memory:/a", [("memory/a/memory.limit_in_bytes", GB)], 1024),
        ("4:memory:/a", [("memory/a/memory.limit_in_bytes", 0x7FFFFFFFFFFFF000)], 8192),
    ],
)
def test_the_smallest_limit_counts(tmp_path, group, limits, total_mb):
    assert spare_mb(0, 0, *kernel(tmp_path, group, limits)) == int(0.85 * total_mb)


def test_snakemake_itself_takes_some(tmp_path):
    places = kernel(tmp_path)
    assert spare_mb(200, 1000, *places) == int(0.85 * 8192 - 200 - 60)
    assert spare_mb(9000, 0, *places) == 1, "never zero: Snakemake would take that for no limit"


def test_a_system_without_such_files_tells_nothing(tmp_path):
    assert spare_mb(200, 0, tmp_path, tmp_path) is None


@pytest.mark.parametrize(
    ("cpuinfo", "before", "after"),
    [
        ("flags\t\t: fpu avx avx2 fma avx512f\nbugs\t\t: none\nflags : none\n", {}, "Haswell"),
        ("flags\t\t: fpu avx avx2 fma\n", {KERNELS: ""}, "Haswell"),
        ("flags\t\t: fpu avx avx2 fma\n", {KERNELS: "Zen"}, "Zen"),
        ("flags\t\t: fpu avx\nbugs\t\t: avx2 fma\n", {}, None),
        ("Features\t: fp asimd\n", {}, None),
        (None, {}, None),
    ],
)
def test_kernels_are_those_that_most_processors_have(tmp_path, cpuinfo, before, after):
    if cpuinfo is not None:
        (tmp_path / "cpuinfo").write_text(cpuinfo)
    choose_kernels(before, tmp_path)
    assert before.get(KERNELS) == after
