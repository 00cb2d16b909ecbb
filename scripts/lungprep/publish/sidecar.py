"""The sidecar ``{patient}.json``: result, source, recipe and geometry of a patient."""

from dataclasses import replace
from typing import Any

from lungprep import __version__
from lungprep.image.export import Product
from lungprep.image.volume import Grid, triple

FROM_SCAN = ("source", "acquisition", "rejected_series", "flag_details", "stray_slices")
# Fields of the lungs' record that stand elsewhere in the sidecar, or nowhere.
BESIDE = {"box", "doubt", "flags", "usage"}
# Significant decimals: rounding to them moves no voxel of a volume by 1e-6 mm.
MM, SPACING, COSINE = 6, 9, 12


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
        Id of the patient.
    product : Product
        The published arrays.
    records : dict
        Records of the steps, by name; each has its ``usage``.
    recipe : dict
        Recipe from `lungprep.config.recipe.recipe`.
    series_uid : str or None
        Series that the cohort file asked for.

    Returns
    -------
    dict
        Fields for JSON; lengths in mm, volumes in ml. docs/sidecar.md describes each field. The
        only values from DICOM headers are in the record of ``load``, which is a whitelist.
    """
    scan, lungs = records["load"], records["segment"]
    return {
        "patient": patient,
        "version": __version__,
        "series_instance_uid": scan["series_instance_uid"] or None,
        "requested_series_uid": series_uid,
        **{name: rounded(scan[name]) for name in FROM_SCAN},
        **_geometry(product.grid),
        "crop": {"start": list(product.start), "stop": list(product.stop)},
        "values": product.values(),
        "lungs": {k: rounded(v) for k, v in lungs.items() if k not in BESIDE},
        "doubt": rounded(lungs["doubt"]),
        "flags": sorted({*scan["flags"], *lungs["flags"]}),
        "recipe": recipe,
        "steps": {name: record["usage"] for name, record in records.items()},
    }


def rounded(value: Any, decimals: int = MM) -> Any:
    """Round all floats in a value, at any depth; -0.0 becomes 0.0."""
    if isinstance(value, float):
        return round(value, decimals) + 0.0
    if isinstance(value, dict):
        return {name: rounded(part, decimals) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part, decimals) for part in value]
    return value


def _geometry(grid: Grid) -> dict[str, Any]:
    """Return the grid in rounded numbers, and the affine computed from them."""
    a, b, c = (triple(rounded(row, COSINE)) for row in grid.direction)
    told = replace(
        grid,
        spacing_mm=triple(rounded(grid.spacing_mm, SPACING)),
        origin_mm=triple(rounded(grid.origin_mm)),
        direction=(a, b, c),
    )
    return {**told.to_json(), "affine": rounded(told.affine.tolist(), COSINE)}
