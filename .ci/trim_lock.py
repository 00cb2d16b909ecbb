"""Leave in a lock only what it adds to the locks that it builds on, which it then names first.

    python .ci/trim_lock.py requirements-dev.txt requirements-slurm.txt

uv writes each lock whole; pip reads the others through the lines ``-r``.
"""

import re
import sys
from pathlib import Path


def main(lock: Path, bases: list[Path]) -> None:
    """Trim a lock in place.

    Raises
    ------
    SystemExit
        If it has another version of a package of those that it builds on, and so pip could not
        install them together.
    """
    header, blocks = read(lock)
    known = {pin for base in bases for pin in pins(base)}
    others = {name(pin) for pin in known}
    versions = {version(pin) for pin in known}
    added = {pin: block for pin, block in blocks.items() if pin not in known}
    for pin in added:
        if name(pin) in others and version(pin) not in versions:
            raise SystemExit(f"{lock.name}: {version(pin)} is another version than it builds on")
    first = "".join(f"-r {base.name}\n" for base in bases)
    lock.write_text(header + first + "".join(added.values()), "utf-8")


def read(lock: Path) -> tuple[str, dict[str, str]]:
    """The comments that open a lock, and its pins with their hashes by their first lines."""
    header, *parts = re.split(r"(?m)^(?=[a-z0-9])", lock.read_text("utf-8"))
    header = "".join(line for line in header.splitlines(True) if line.startswith("#"))
    return header, {part.splitlines()[0].removesuffix(" \\"): part for part in parts}


def pins(lock: Path) -> set[str]:
    """First lines of all pins of a lock and of those that it builds on."""
    nested = re.findall(r"(?m)^-r (.+)$", lock.read_text("utf-8"))
    return set(read(lock)[1]).union(*(pins(lock.parent / other) for other in nested))


def name(pin: str) -> str:
    """The package of a pin."""
    return pin.partition("==")[0]


def version(pin: str) -> str:
    """The package and its version, without the marker."""
    return pin.partition(" ;")[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(base) for base in sys.argv[2:]])
