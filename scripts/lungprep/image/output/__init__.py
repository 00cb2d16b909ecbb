"""Crop of a result, voxels that it hides, and the scale of its stored values."""
