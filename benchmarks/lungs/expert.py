"""The tumour of the demo's scan as an expert outlined it (its DICOM SEG)."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset

from lungprep.image.volume import Grid
from lungprep_demo import scan
from lungs.rendering import Effect, Scene


def tumours(archive: Path) -> Effect:
    """Add the outlined volumes as lesions.

    Parameters
    ----------
    archive : Path
        The demo's archive, whose scan has to be the scene.

    Returns
    -------
    callable
        From a scene to one with a lesion for each segment. Nothing is painted.
    """

    def apply(scene: Scene) -> Scene:
        (seg,) = [d for d in _datasets(archive) if d.Modality == "SEG"]
        segments = range(1, len(seg.SegmentSequence) + 1)
        lesions = [_on_grid(seg, number, scene.volume.grid) for number in segments]
        return replace(scene, lesions=lesions)

    return apply


def _datasets(archive: Path) -> list[Dataset]:
    return [
        dcmread(BytesIO(content)) for name, content in scan.files(archive) if name.endswith(".dcm")
    ]


def _on_grid(seg: Dataset, number: int, grid: Grid) -> NDArray[np.bool_]:
    """Nearest frame (PS3.3 C.8.20) and pixel of a segment for each voxel of an axial grid."""
    measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    dy, dx = (float(step) for step in measures.PixelSpacing)
    frames = {
        float(position[2]): (position, frame)
        for frame, group in zip(seg.pixel_array, seg.PerFrameFunctionalGroupsSequence, strict=True)
        if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number
        for position in [group.PlanePositionSequence[0].ImagePositionPatient]
    }
    heights = np.array(sorted(frames))
    gap = float(np.min(np.diff(heights)))
    mask = np.zeros(grid.shape, np.bool_)
    x0, y0, z0 = grid.origin_mm
    for z in range(grid.shape[0]):
        height = heights[np.argmin(abs(heights - (z0 + z * grid.spacing_mm[0])))]
        if abs(height - (z0 + z * grid.spacing_mm[0])) > 0.5 * gap + 1e-3:
            continue
        (left, top, _), frame = frames[height]
        rows = np.rint((y0 + np.arange(grid.shape[1]) * grid.spacing_mm[1] - top) / dy).astype(int)
        columns = np.rint((x0 + np.arange(grid.shape[2]) * grid.spacing_mm[2] - left) / dx)
        inside = np.ix_(
            (rows >= 0) & (rows < len(frame)), (columns >= 0) & (columns < len(frame[0]))
        )
        padded = frame[
            np.ix_(rows.clip(0, len(frame) - 1), columns.clip(0, len(frame[0]) - 1).astype(int))
        ]
        mask[z][inside] = padded[inside]
    return mask
