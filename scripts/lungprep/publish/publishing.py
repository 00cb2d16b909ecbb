"""Write a patient's results to the target, the sidecar last."""

import hashlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lungprep.cohort.patients import LUNGS, PREVIEW, SIDECAR, VOLUME
from lungprep.cohort.sidecar_facts import SidecarFacts
from lungprep.errors import ContestedTarget
from lungprep.image.export import Product
from lungprep.stores import Entry, Store
from lungprep.stores.etags import is_digest
from lungprep.workspace.records import to_json


def publish(
    target: Store,
    patient: str,
    product: Product,
    preview: bytes,
    sidecar: dict[str, Any],
    usage: Callable[[], dict[str, float]],
) -> SidecarFacts:
    """Write volume, mask and preview, then the sidecar once all are complete and verified.

    Any sidecar of the patient, an older one or one that another run has published meanwhile, is
    deleted before each array is written. So no sidecar is ever beside arrays that it does not
    describe. The new sidecar holds the ETags of its arrays, by which the next plan recognises an
    array that was replaced.

    If two runs publish a patient at the same time, their bytes are usually equal. If they differ,
    because the recipes differ, both runs are refused and the patient remains to be done.

    Parameters
    ----------
    target : Store
        Store for the results.
    patient : str
        Id of the patient, the stem of the keys.
    product : Product
        The arrays.
    preview : bytes
        The preview, a PNG.
    sidecar : dict
        All fields except ``npy``, ``lungs_npy`` and ``steps.publish``, which are added.
    usage : callable
        Function that returns seconds and memory of this step so far.

    Returns
    -------
    SidecarFacts
        Content of the sidecar, for the cohort index.

    Raises
    ------
    StoreError
        If an object can't be written, or differs when it is read back.
    ContestedTarget
        If another run has written different arrays meanwhile.
    """
    facts = SIDECAR.format(patient=patient)
    sidecar = {**sidecar, "steps": {**sidecar["steps"]}}
    written: list[Entry] = []
    for field, pattern, array in (
        ("npy", VOLUME, product.voxels),
        ("lungs_npy", LUNGS, product.lungs),
    ):
        content = npy(array)
        sha256 = hashlib.sha256(content).hexdigest()
        target.discard(facts)
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
    etag = target.write(facts, said).etag
    for entry, field in zip(written, ("npy", "lungs_npy"), strict=True):
        if not _stands(target, entry, sidecar[field]["sha256"]):
            target.discard(facts)
            raise ContestedTarget(
                f"another run has replaced {target.address}{entry.key} with another content",
                "let only one recipe publish there at a time, then run again",
            )
    return SidecarFacts.of(etag, said)


def _stands(target: Store, written: Entry, sha256: str) -> bool:
    """Whether an object is unchanged, or another run has replaced it with the same bytes."""
    return target.stat(written.key) == written or (
        hashlib.sha256(target.read(written.key)).hexdigest() == sha256
    )


def npy(array: NDArray[np.generic]) -> bytes:
    """Encode the array as a ``.npy`` file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    # getvalue shares the buffer's bytes without a copy. A memoryview could outlive the buffer in
    # the S3 client, and Python 3.13 complains about that when the job ends.
    return buffer.getvalue()
