"""Weights of the optional networks, checked and hashed before any job starts.

No network is imported here, and no path but the user's is read: weights are never searched for or
downloaded.
"""

import hashlib
import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lungprep.errors import ConfigError
from lungprep.image.methods import CHECKPOINTS, DATASET, NETWORKS, PLANS

# Those of `segmentation.labels`, which would import OpenCV into each process of a run.
RIGHT, LEFT = 1, 2
INSTALL = "pip install -r envs/requirements-networks.txt"
# Class names in TotalSegmentator's tasks "total" and, with whole lungs, "total_mr".
_LUNG = re.compile(r"lung(?:_(?:upper|middle|lower)_lobe)?_(right|left)")


def check_weights(segment: dict[str, Any]) -> None:
    """Refuse a network that could not run.

    Parameters
    ----------
    segment : dict
        Section of the config: ``method`` and ``weights``; the classical method needs no weights.

    Raises
    ------
    ConfigError
        If a package is not installed, or the weights are not set or invalid.
    """
    method, weights = segment["method"], segment["weights"]
    if method not in NETWORKS:
        return
    network = NETWORKS[method]
    remedy = f"give {network.weights}; docs/networks.md says where to get it"
    if weights is None:
        raise ConfigError(f"segment.method is {method} and segment.weights is not set", remedy)
    if not Path(weights).exists():
        raise ConfigError(f"segment.weights is {weights!r}, which does not exist here", remedy)
    if method == "lungmask" and not Path(weights).is_file():
        raise ConfigError(f"segment.weights is {weights!r}, which is not a file", remedy)
    if method == "totalsegmentator":
        lung_classes(model_folder(weights))
    for package in network.packages:
        if find_spec(package.replace("-", "_")) is None:
            found = f"segment.method is {method}, whose package {package} is not installed here"
            raise ConfigError(found, f"run {INSTALL}, or set segment.method to classical")


def weights_digest(segment: dict[str, Any]) -> str | None:
    """SHA-256 of the weights in use, independent of their path; None for the classical method.

    Reads every file once per process, which takes about 1 s per gigabyte.
    """
    method, weights = segment["method"], segment["weights"]
    if method not in NETWORKS:
        return None
    if method == "lungmask":
        return _digest(Path(weights))
    folder = model_folder(weights)
    files = [folder / DATASET, folder / PLANS, *checkpoints(folder)]
    lines = [f"{path.relative_to(folder).as_posix()} {_digest(path)}\n" for path in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _digest(path: Path) -> str:
    found = path.stat()
    return _content_digest(path, found.st_size, found.st_mtime_ns)


@cache
def _content_digest(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_folder(weights: str | Path) -> Path:
    """Folder of one trained nnU-Net v2 model: the given one, or the only one directly below it.

    Raises
    ------
    ConfigError
        If no model is found, or several.
    """
    given = Path(weights)
    folders = [f for f in (given, *sorted(given.glob("*/"))) if (f / PLANS).is_file()]
    complete = [f for f in folders if (f / DATASET).is_file() and checkpoints(f)]
    if len(complete) == 1:
        return complete[0]
    found = "none" if not complete else ", ".join(f.name for f in complete)
    raise ConfigError(
        f"segment.weights is {str(given)!r}, where one model is expected, but there is {found}",
        f"give {NETWORKS['totalsegmentator'].weights}",
    )


def checkpoints(folder: Path) -> list[Path]:
    """Checkpoints of a model, one per fold, in order of their names."""
    return sorted(folder.glob(CHECKPOINTS))


def lung_classes(folder: Path) -> dict[int, int]:
    """Lung of each class of a model, from the class names in its ``dataset.json``.

    Parameters
    ----------
    folder : Path
        Folder from `model_folder`.

    Returns
    -------
    dict of int to int
        1 (right) or 2 (left) by class number, for the lungs' classes only.

    Raises
    ------
    ConfigError
        If the file can't be read or does not name both lungs.
    """
    path = folder / DATASET
    try:
        labels = json.loads(path.read_text("utf-8"))["labels"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(
            f"{path} is not a dataset.json of nnU-Net v2", "download the model again"
        ) from None
    sides = {"right": RIGHT, "left": LEFT}
    found = [(_LUNG.fullmatch(name), number) for name, number in labels]
    classes = {n: sides[match[1]] for match, n in found if match and isinstance(n, int)}
    if set(classes.values()) != {RIGHT, LEFT}:
        raise ConfigError(
            f"{path} does not name a class for each lung",
            "use a model with lung classes, such as TotalSegmentator's Dataset291 (organs)",
        )
    return classes
