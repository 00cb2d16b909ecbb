"""What lies directly below an address: folders, and everything else."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lungprep.errors import printable

SHOWN = 3
LONGEST = 60
SLICES = (".dcm", ".dicom", ".ima")
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz", ".xz", ".zst", ".7z", ".rar", ".iso")
#: Singular and plural of each kind.
LOOSE, ARCHIVE, OTHER = (
    ("loose slice", "loose slices"),
    ("archive", "archives"),
    ("other file", "other files"),
)
LOST = ("link that leads nowhere", "links that lead nowhere")
DOUBLE = ("link to slices of another folder here", "links to slices of other folders here")
LINK = ("link to a file", "links to files")
DEVICE = ("pipe or device", "pipes or devices")
Kind = tuple[str, str]


def kind_of(name: str) -> Kind:
    """Kind of a file, judged by its name."""
    suffix = PurePosixPath(name).suffix.lower()
    return LOOSE if suffix in SLICES else ARCHIVE if suffix in ARCHIVES else OTHER


@dataclass
class Level:
    """What lies directly below an address.

    Attributes
    ----------
    folders : list of str
        Names, in order.
    counts : Counter
        Number of other things of each kind.
    first : dict
        First few names of each kind: a million loose slices would not fit.
    """

    folders: list[str]
    counts: Counter[Kind] = field(default_factory=Counter)
    first: defaultdict[Kind, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: Kind, name: str) -> None:
        """Count something that is not a folder."""
        self.counts[kind] += 1
        if len(self.first[kind]) < SHOWN:
            self.first[kind].append(name)

    def beside(self) -> str:
        """Everything that is not a folder, as text for one line; empty if there is nothing."""
        return ", ".join(self._told(kind) for kind in sorted(self.counts))

    def _told(self, kind: Kind) -> str:
        count, names = self.counts[kind], [_short(name) for name in self.first[kind]]
        names += ["..."] if count > SHOWN else []
        return f"{count} {kind[count > 1]} ({', '.join(names)})"


def _short(name: str) -> str:
    name = printable(name)
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 3]}..."
