"""One row of the corpus: an input, the settings, and what becomes of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from corpus.files import Files, Patient
from lungprep.image.loading import LoadOptions, Scan, load
from lungprep.image.volume import Volume

ANYTHING = "…"


@dataclass(frozen=True)
class Case:
    """What is put in and what comes out.

    Attributes
    ----------
    given : str
        The input in words; unique.
    files : callable
        Makes the patient's files.
    settings : mapping
        Keys of the config's section ``load`` that are not at their default, and ``series_uid``.
    flags : tuple of str
        Of an accepted input: all of its flags.
    refused : tuple of str, optional
        Of a refused input: class of the error, and its text; ``…`` stands for anything.
    check : callable, optional
        Of an accepted input: called with the files, the volume and the scan; raises where a voxel
        or a position is wrong.
    needs : tuple of Path
        What must be there for the files to be made.
    """

    given: str
    files: Callable[[], Files]
    settings: Mapping[str, object] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    refused: tuple[str, str] | None = None
    check: Callable[[Files, Volume, Scan], None] | None = None
    needs: tuple[Path, ...] = ()


def load_case(files: Files, settings: Mapping[str, object]) -> tuple[Volume, Scan]:
    """Load files as the workflow does, with the config's defaults but for `settings`."""
    options = dict(settings)
    series_uid = options.pop("series_uid", None)
    return load(Patient(files), LoadOptions(**options), series_uid=series_uid)


def reads_as(text: str, expected: str) -> bool:
    """Whether a text is the expected one, whole, where ``…`` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.split(ANYTHING))
    return re.fullmatch(pattern, text) is not None
