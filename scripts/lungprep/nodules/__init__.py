"""Nodule lists: world coordinates to voxels of published volumes, and back."""
