"""Synthetic patients with known truth: a chest as a function of position, scanned to DICOM.

``patient = chest()`` and ``scan = Scan(gap_mm=5)`` define a scan; ``dict(slices(patient, scan))``
are its files. ``patient.hu(grid)`` and ``patient.labels(grid)`` are the truth on any grid,
including ``scan.grid(patient)``.
"""

from lungprep_demo.phantom.anatomy import LEFT, RIGHT, Part
from lungprep_demo.phantom.chest import Phantom, chest, ramp
from lungprep_demo.phantom.dicom import PHI, slices, stored
from lungprep_demo.phantom.patients import healthy, thick
from lungprep_demo.phantom.scan import ORIENTATIONS, Scan
from lungprep_demo.phantom.shapes import Capsule, Ellipsoid

__all__ = [
    "LEFT",
    "ORIENTATIONS",
    "PHI",
    "RIGHT",
    "Capsule",
    "Ellipsoid",
    "Part",
    "Phantom",
    "Scan",
    "chest",
    "healthy",
    "ramp",
    "slices",
    "stored",
    "thick",
]
