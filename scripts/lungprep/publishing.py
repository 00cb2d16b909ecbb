"""Writing a patient's results to the target, the receipt last."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lungprep.cohort import LUNGS, PREVIEW, RECEIPT, VOLUME
from lungprep.export import Product
from lungprep.ledger import Receipt
from lungprep.records import to_json
from lungprep.stores import Store


def publish(
    target: Store,
    patient: str,
    product: Product,
    preview: bytes,
    sidecar: dict[str, Any],
    usage: Callable[[], dict[str, float]],
) -> Receipt:
    """Write volume, mask, preview and, when all are complete and verified, the sidecar.

    An older receipt of the patient goes first, so that at no moment a receipt stands beside arrays
    that it does not describe.

    Parameters
    ----------
    target : Store
        Where results lie.
    patient : str
        Id, the stem of the keys.
    product : Product
        The arrays.
    preview : bytes
        A PNG.
    sidecar : dict
        All fields but ``npy``, ``lungs_npy`` and ``steps.publish``, which are added.
    usage : callable
        Seconds and memory of this step so far.

    Returns
    -------
    Receipt
        What the sidecar says, for the cohort index.

    Raises
    ------
    StoreError
        If an object can't be written or does not read as it was sent.
    """
    receipt = RECEIPT.format(patient=patient)
    target.discard(receipt)
    sidecar = {**sidecar, "steps": {**sidecar["steps"]}}
    for field, pattern, array in (
        ("npy", VOLUME, product.voxels),
        ("lungs_npy", LUNGS, product.lungs),
    ):
        content = npy(array)
        target.write(pattern.format(patient=patient), content)
        sidecar[field] = {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "dtype": str(array.dtype),
        }
    target.write(PREVIEW.format(patient=patient), preview)
    sidecar["steps"]["publish"] = usage()
    written = to_json(sidecar)
    return Receipt.of(target.write(receipt, written).etag, written)


def npy(array: NDArray[np.generic]) -> memoryview:
    """The array as the bytes of a ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getbuffer()
