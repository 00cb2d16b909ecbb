"""The library of the lungprep workflow: CT images and S3 objects; no Snakemake, no global state.

Arrays are (z, y, x) and points are (x, y, z) in millimetres in the DICOM patient system (LPS+):
x grows to the patient's left, y to the back, z to the head. Voxel values are Hounsfield units
in int16 unless a name says otherwise (``stored`` is a raw pixel value).
"""

#: As in pyproject.toml; each sidecar names it.
__version__ = "0.1.0"
