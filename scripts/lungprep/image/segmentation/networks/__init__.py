"""Lungs by neural networks: optional, imported by name, with weights that the user gives.

Each module has ``label(volume, weights, *, threads)``, which gives uint8 labels on the volume's
grid: 0 outside, 1 the patient's right lung, 2 the left. Their packages are imported within
functions, so that all around them can be tested without them.
"""
