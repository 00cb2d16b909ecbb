"""Writing a patient's results to the target, the receipt last."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lungprep.cohort import LUNGS, PREVIEW, RECEIPT, VOLUME
from lungprep.errors import ContestedTarget
from lungprep.export import Product
from lungprep.receipt import Receipt
from lungprep.records import to_json
from lungprep.stores import Entry, Store
from lungprep.stores.etags import is_digest


def publish(
    target: Store,
    patient: str,
    product: Product,
    preview: bytes,
    sidecar: dict[str, Any],
    usage: Callable[[], dict[str, float]],
) -> Receipt:
    """Write volume, mask, preview and, when all are complete and verified, the sidecar.

    A receipt of the patient goes before each array, the older one or that of another run which has
    published meanwhile, so that no receipt stands beside arrays that it does not describe. The new
    one names the ETags of its arrays, by which the next plan tells one that was replaced.

    Two runs that publish a patient at once end with the same bytes; if they differ, by their
    recipes, both are refused and the patient stays to be done.

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
    ContestedTarget
        If another run has written other arrays meanwhile.
    """
    receipt = RECEIPT.format(patient=patient)
    sidecar = {**sidecar, "steps": {**sidecar["steps"]}}
    written: list[Entry] = []
    for field, pattern, array in (
        ("npy", VOLUME, product.voxels),
        ("lungs_npy", LUNGS, product.lungs),
    ):
        content = npy(array)
        sha256 = hashlib.sha256(content).hexdigest()
        target.discard(receipt)
        entry = target.write(pattern.format(patient=patient), content)
        written.append(entry)
        sidecar[field] = {
            "bytes": len(content),
            "sha256": sha256,
            "dtype": str(array.dtype),
            "etag": entry.etag if is_digest(entry.etag) else None,
        }
    target.write(PREVIEW.format(patient=patient), preview)
    sidecar["steps"]["publish"] = usage()
    said = to_json(sidecar)
    etag = target.write(receipt, said).etag
    for entry, field in zip(written, ("npy", "lungs_npy"), strict=True):
        if not _stands(target, entry, sidecar[field]["sha256"]):
            target.discard(receipt)
            raise ContestedTarget(
                f"another run has replaced {target.address}{entry.key} with another content",
                "let only one recipe publish there at a time, then run again",
            )
    return Receipt.of(etag, said)


def _stands(target: Store, written: Entry, sha256: str) -> bool:
    """Whether an object is still what was written, or the same bytes of another writer."""
    return target.stat(written.key) == written or (
        hashlib.sha256(target.read(written.key)).hexdigest() == sha256
    )


def npy(array: NDArray[np.generic]) -> bytes:
    """The array as the bytes of a ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    # The buffer's own bytes, not a copy. A view of it could outlive it in the S3 client, of which
    # Python 3.13 complains when the job ends.
    return buffer.getvalue()
