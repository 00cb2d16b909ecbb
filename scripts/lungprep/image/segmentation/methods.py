"""The lungs by the method of the config: the classical one, or a network that is optional.

A network is imported by its name, so that neither a classical run pays for it nor an edit of its
code makes classical results stale.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lungprep.errors import NoLungsFound
from lungprep.image.segmentation.blocks import Blocks, block_columns, block_means
from lungprep.image.segmentation.body import body_core, enclosed, padding
from lungprep.image.segmentation.body_size import LEAST_ML, body_cm2, body_scale
from lungprep.image.segmentation.doubts import flags
from lungprep.image.segmentation.findings import examine
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.lungs import Lungs, segment
from lungprep.image.segmentation.morphology import Mask
from lungprep.image.volume import Volume

#: Of `min_lungs_ml`.
AUTO = "auto"
_WALL_MM = 4.0


def find_lungs(
    volume: Volume,
    *,
    method: str = "classical",
    weights: str | None = None,
    min_lungs_ml: float | str = AUTO,
    threads: int = 1,
    scan_flags: Sequence[str] = (),
) -> Lungs:
    """Find the lungs of a chest CT.

    Parameters
    ----------
    volume : Volume
        HU, int16, clipped to [-1024, 3071]; canonical axes (z to the head, y to the back, x to the
        patient's left), any spacing.
    method : {"classical", "lungmask", "totalsegmentator"}
        Which algorithm.
    weights : str, optional
        File or folder with the network's weights.
    min_lungs_ml : float or "auto"
        Least volume of both lungs together; ``auto`` for what the body's size asks for.
    threads : int
        Threads of a network.
    scan_flags : sequence of str
        What is known of the scan, for the message where there are no lungs.

    Returns
    -------
    Lungs

    Raises
    ------
    NoLungsFound
        Less than that looks like lung.
    ConfigError
        The weights can't be used.
    """
    min_ml = None if isinstance(min_lungs_ml, str) else float(min_lungs_ml)
    if method == "classical":
        return segment(volume, min_ml=min_ml, scan_flags=scan_flags)
    if weights is None:
        raise ValueError(f"method {method} needs weights")
    network = import_module(f"lungprep.image.segmentation.networks.{method}")
    labels = network.label(volume, Path(weights), threads=threads)
    return measured(volume, labels, min_ml=min_ml, scan_flags=scan_flags)


def measured(
    volume: Volume,
    labels: NDArray[np.uint8],
    *,
    min_ml: float | None = None,
    scan_flags: Sequence[str] = (),
) -> Lungs:
    """Findings and flags of labels that a network made.

    Parameters
    ----------
    volume : Volume
        HU, axes (z, y, x).
    labels : ndarray of uint8
        Same shape: 0 outside, 1 the patient's right lung, 2 the left.
    min_ml : float, optional
        Least volume of both lungs together; by default what the body's size asks for.
    scan_flags : sequence of str
        What is known of the scan, for the message where there are no lungs.

    Returns
    -------
    Lungs
        The airways' volume is None: a network does not tell it. The flag ``swapped_sides`` says
        that the right lung lies on the left of the left one, as with weights for other axes.

    Raises
    ------
    NoLungsFound
        Less than `min_ml`.
    ValueError
        The labels are no uint8 array of the volume's shape.
    """
    if labels.dtype != np.uint8 or labels.shape != volume.grid.shape:
        raise ValueError(f"expected uint8 {volume.grid.shape}, got {labels.dtype} {labels.shape}")
    found_ml = int(np.count_nonzero(labels)) * volume.grid.voxel_ml
    blocks, padded = block_means(volume), padding(volume)
    if min_ml is None:
        min_ml = LEAST_ML * _scale(blocks, block_columns(padded, blocks)) ** 3
    if found_ml < min_ml:
        known = f", in a scan flagged {', '.join(scan_flags)}" if scan_flags else ""
        raise NoLungsFound(
            f"the network takes {found_ml / 1000:.2f} l for lung, where lungs have at least "
            f"{min_ml / 1000:.2f} l{known}",
            "check that the series shows a chest and is in Hounsfield units, and that the weights "
            "are a lung model's, or leave this patient out",
        )
    findings = examine(volume, blocks, labels, padded)
    doubts = ("swapped_sides",) if _swapped(labels) else ()
    return Lungs(labels, volume.grid, findings, (*flags(findings), *doubts))


def _scale(blocks: Blocks, padded: Mask) -> float:
    core = body_core(blocks, wall_mm=_WALL_MM)
    return body_scale(body_cm2(enclosed(core), blocks.spacing_mm), blocks, padded)


def _swapped(labels: NDArray[np.uint8]) -> bool:
    columns = np.arange(labels.shape[2])
    right, left = (np.count_nonzero(labels == side, axis=(0, 1)) for side in (RIGHT, LEFT))
    if not (right.any() and left.any()):
        return False
    return bool(np.average(columns, weights=right) > np.average(columns, weights=left))
