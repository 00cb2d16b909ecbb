"""Print published results on a terminal."""

import json
import os
from pathlib import Path
from typing import Any

COLUMNS = "{:<20} {:<16} {:<16} {:>7} {:>7} {:>7}  {}"


def show(folder: Path) -> None:
    """Print one line per patient, and the locations of the files.

    Parameters
    ----------
    folder : Path
        Folder with the target's objects as files.
    """
    place = os.path.relpath(folder)
    lines = [
        "",
        COLUMNS.format(
            "patient", "shape (z, y, x)", "spacing mm", "right", "left", "both", "flags"
        ),
        *(_line(json.loads(path.read_text("utf-8"))) for path in sidecars(folder)),
        "",
        f"volumes    {place}/PATIENT.npy        int16 HU",
        f"masks      {place}/PATIENT.lungs.npy  uint8: 1 right lung, 2 left lung",
        f"sidecars   {place}/PATIENT.json",
        f"report     {place}/qc/index.html",
    ]
    print("\n".join(lines))


def sidecars(folder: Path) -> list[Path]:
    """Sidecars in a folder, in order of the patients' ids."""
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith("_"))


def _line(sidecar: dict[str, Any]) -> str:
    right, left = (sidecar["lungs"][f"{side}_ml"] / 1000 for side in ("right", "left"))
    return COLUMNS.format(
        sidecar["patient"],
        "x".join(str(n) for n in sidecar["shape"]),
        "x".join(f"{s:g}" for s in sidecar["spacing_mm"]),
        *(f"{litres:.2f} l" for litres in (right, left, right + left)),
        ", ".join(sidecar["flags"]) or "none",
    )
