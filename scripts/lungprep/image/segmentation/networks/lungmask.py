"""The R231 network of lungmask: a U-Net on axial slices, 0 background, 1 right lung, 2 left lung.

Hofmanninger et al., European Radiology Experimental 4:50 (2020). The package wants HU with axes
(z, y, x) in the orientation that ITK calls LPS, rows towards the back and columns towards the
patient's left: the canonical axes as they are. It clips to [-1024, 600] HU, crops each slice to the
body, resizes it to 256 x 256, and afterwards keeps the largest piece of each lung and fills holes.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lungprep.errors import ConfigError
from lungprep.image.segmentation.networks.checkpoints import read_checkpoint
from lungprep.image.volume import Volume

CLASSES = 3
# Slices at a time: more are no faster on a CPU and take 0.2 GB each.
BATCH = 4


def label(volume: Volume, weights: Path, *, threads: int) -> NDArray[np.uint8]:
    """Label the lungs.

    Parameters
    ----------
    volume : Volume
        int16 HU, canonical axes (z, y, x), any spacing.
    weights : Path
        State dict of the R231 model, as its authors publish it.
    threads : int
        Threads of PyTorch.

    Returns
    -------
    ndarray of uint8
        Shape of the volume: 0 outside, 1 right lung, 2 left lung.

    Raises
    ------
    ConfigError
        The weights are not those of a model with these classes, or hold more than data.
    """
    found = _inferer(weights, threads).apply(np.asarray(volume.hu))
    return np.asarray(found, np.uint8)


def _inferer(weights: Path, threads: int) -> Any:
    # On import, lungmask silences all user warnings of the process.
    with warnings.catch_warnings():
        import torch
        from lungmask import LMInferer

    tensors = list(read_checkpoint(weights).values())
    last = tensors[-1] if tensors else None
    classes = len(last) if isinstance(last, torch.Tensor) and last.ndim else 0
    if classes != CLASSES:
        raise ConfigError(
            f"{weights} is a model of {classes} classes where R231 has {CLASSES}",
            "set segment.weights to the file of the R231 model",
        )
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    try:
        # It reads the file again, by the reader of PyTorch that has just found it harmless.
        return LMInferer(
            modelpath=str(weights),
            force_cpu=not torch.cuda.is_available(),
            batch_size=BATCH,
            tqdm_disable=True,
        )
    except RuntimeError as error:
        raise ConfigError(
            f"{weights} does not fit lungmask's U-Net", "set segment.weights to R231's file"
        ) from error
