"""The sidecar ``{patient}.json``: what was made, of what, how and where it lies."""

from typing import Any

from lungprep.export import Product

FROM_SCAN = (
    "series_instance_uid",
    "source",
    "acquisition",
    "rejected_series",
    "flag_details",
    "stray_slices",
)


def sidecar(
    patient: str,
    product: Product,
    records: dict[str, dict[str, Any]],
    recipe: dict[str, Any],
    series_uid: str | None,
) -> dict[str, Any]:
    """Gather the fields of a sidecar.

    Parameters
    ----------
    patient : str
        Id.
    product : Product
        What is published.
    records : dict
        Records of the steps, by name; each has its ``usage``.
    recipe : dict
        From `lungprep.recipe.recipe`.
    series_uid : str or None
        The series that the cohort file asked for.

    Returns
    -------
    dict
        JSON-able; lengths in mm, volumes in ml. Of the DICOM headers only what the record of
        ``load`` holds, which is a whitelist.
    """
    grid = product.grid
    scan, lungs = records["load"], records["segment"]
    return {
        "patient": patient,
        **{name: scan[name] for name in FROM_SCAN},
        "requested_series_uid": series_uid,
        **grid.to_json(),
        "affine": grid.affine.tolist(),
        "crop": {"start": list(product.start), "stop": list(product.stop)},
        "values": product.values(),
        "lungs": {k: v for k, v in lungs.items() if k not in {"box", "flags", "usage"}},
        "flags": sorted({*scan["flags"], *lungs["flags"]}),
        "recipe": recipe,
        "steps": {name: record["usage"] for name, record in records.items()},
    }
