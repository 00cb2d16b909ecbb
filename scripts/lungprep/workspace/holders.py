"""Holders of locks: who signed a lock, and whether that process is alive.

This decides where file locks prove nothing. A process is identified by its id and start time within
a boot and a PID namespace of the kernel. Processes of another machine or container can't be looked
up: they show that they are alive by touching their lock file.
"""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Interval between touches of a lock, and time without a touch that counts as silence, s.
BEAT_S = 10.0
SILENT_S = 3 * BEAT_S
LOOK_S = 0.5
# File systems that only processes of one kernel can use, so that its locks are reliable.
LOCAL_DISKS = {
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "ntfs3", "overlay",
    "ramfs", "reiserfs", "tmpfs", "vfat", "xfs", "zfs",
}  # fmt: skip


def myself() -> dict[str, Any]:
    """Signature of this process."""
    return {
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "boot": _line("/proc/sys/kernel/random/boot_id"),
        "namespace": _namespace(),
        "started": started(os.getpid()),
        "since": time.time_ns(),
    }


def is_comparable(fields: dict[str, Any]) -> bool:
    """Whether the process of a signature would be visible from here if it were alive."""
    own = myself()
    return all(own[name] and fields.get(name) == own[name] for name in ("boot", "namespace"))


def is_alive(fields: dict[str, Any]) -> bool | None:
    """Whether another process that signed is alive; None if this machine can't tell."""
    pid = fields.get("pid")
    if not isinstance(pid, int) or not is_comparable(fields):
        return None
    # This process held the lock itself, in an earlier round.
    if pid == os.getpid():
        return False
    return bool(started(pid)) and started(pid) == fields.get("started")


def started(pid: int) -> str:
    """Start time of a process in the kernel's ticks; empty if it has ended, even as a zombie."""
    fields = _line(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return "" if len(fields) < 20 or fields[0] in "ZX" else fields[19]


def is_beating(path: Path, say: Callable[[str], None] = lambda line: None) -> bool:
    """Wait until a lock file is touched; False after a silence.

    Parameters
    ----------
    path : Path
        Path of the lock; a file beside it shows the clock of that file system.
    say : callable
        Called with a line about the wait.
    """
    first = touched(path)
    if age_s(path) > SILENT_S:
        return False
    say(f"waiting up to {SILENT_S:.0f} s to see whether another run is alive")
    deadline = time.monotonic() + SILENT_S
    while time.monotonic() < deadline:
        time.sleep(LOOK_S)
        if touched(path) != first:
            return True
    return False


def touched(path: Path) -> int:
    """Last touch of a file, ns. It is opened because network file systems refresh only then."""
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return 0


def age_s(path: Path) -> float:
    """Time since the last touch of a file, by the clock of its own file system, s."""
    probe = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        probe.touch()
        return (touched(probe) - touched(path)) / 1e9
    except OSError:
        return 0.0
    finally:
        probe.unlink(missing_ok=True)


def is_local(path: Path) -> bool:
    """Whether a file is on a disk of this machine; False if the kernel does not tell."""
    path = path.resolve()
    found = "", ""
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return False
    for line in lines:
        head, _, tail = line.partition(" - ")
        # The kernel writes a blank as its octal code.
        place = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), head.split(" ")[4])
        # A later mount hides an earlier one.
        if path.is_relative_to(place) and len(place) >= len(found[0]):
            found = place, tail.split()[0]
    return found[1] in LOCAL_DISKS


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _line(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return ""
