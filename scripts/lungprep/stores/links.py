"""What lies directly in a folder, links included."""

import os
from pathlib import Path

from lungprep.stores.level import DEVICE, DOUBLE, LINK, LOST, Kind, Level, kind_of
from lungprep.stores.system_files import is_left_by_a_system, is_no_patient


def level_of(root: Path, items: list[os.DirEntry[str]]) -> Level:
    """Separate the folders from everything else.

    A link to the slices of another folder would duplicate a patient: a real folder takes
    precedence over links to it, and the first of several links over the others.
    """
    items = sorted(items, key=lambda item: item.name)
    level = Level([item.name for item in items if item.is_dir(follow_symlinks=False)])
    taken = {root.resolve() / name for name in level.folders if not is_no_patient(name)}
    for item in items:
        if item.is_symlink():
            kind = _kind_of_link(item, root.resolve(), taken)
        elif item.is_dir():
            continue
        else:
            kind = kind_of(item.name) if item.is_file() else DEVICE
        if kind is None:
            level.folders.append(item.name)
        elif not is_left_by_a_system(item.name):
            level.add(kind, item.name)
    level.folders.sort()
    return level


def _kind_of_link(item: os.DirEntry[str], root: Path, taken: set[Path]) -> Kind | None:
    """Kind of a link, or None for a link to a new folder, which is then recorded in `taken`."""
    try:
        is_folder = item.is_dir()
        # Raises an error if the link leads nowhere, or in a circle.
        item.stat()
    except OSError:
        return LOST
    if not is_folder:
        return LINK
    place = Path(item.path).resolve()
    if root.is_relative_to(place) or not taken.isdisjoint((place, *place.parents)):
        return DOUBLE
    taken.add(place)
    return None
