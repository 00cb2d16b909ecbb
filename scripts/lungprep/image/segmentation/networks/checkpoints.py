"""Files of weights, read as data: nothing that they hold may run.

A checkpoint of PyTorch is a pickle, which may name any function to call. PyTorch's restricted
reader (``weights_only=True``) takes tensors, plain containers and a short list of names.
"""

import _codecs
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np

from lungprep.errors import ConfigError


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running what it holds.

    Parameters
    ----------
    path : Path
        File of ``torch.save``, zipped or of the older kind.

    Returns
    -------
    dict
        Tensors on the CPU. Besides them, what nnU-Net keeps of its training is taken: NumPy's
        numbers, under their names of NumPy 1 and 2.

    Raises
    ------
    ConfigError
        The file is no checkpoint, or holds more than data.
    """
    import torch

    scalar = np.float64(0).__reduce__()[0]
    kinds = [type(np.dtype(kind)) for kind in ("f8", "f4", "i8", "i4", "?")]
    numbers = [
        (scalar, "numpy.core.multiarray.scalar"),
        (scalar, "numpy._core.multiarray.scalar"),
        np.dtype,
        _codecs.encode,
        *kinds,
    ]
    broken = (
        *(pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError),
        *(AttributeError, TypeError, struct.error),
    )
    try:
        with torch.serialization.safe_globals(numbers):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except broken as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise ConfigError(
            f"{path} can't be read as weights alone ({reason})",
            "get the file anew from its authors; one that holds code is never run",
        ) from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path} holds no weights by name", "give the model's own file")
    return found
