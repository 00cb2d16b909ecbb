"""Kernel names of four vendors."""

import pytest

from lungprep.image.series.sharpness import sharpness


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        ("STANDARD", "soft"),
        ("LUNG", "sharp"),
        ("BONEPLUS", "sharp"),
        ("B30f", "soft"),
        ("B31s", "soft"),
        ("B70f", "sharp"),
        ("Br40d", "soft"),
        ("Bl57d", "sharp"),
        ("I50f\\3", "sharp"),
        ("I30f\\2", "soft"),
        ("FC01", "soft"),
        ("FC51", "sharp"),
        ("B", "soft"),
        ("YC", "sharp"),
        ("D", "sharp"),
        ("", "unknown"),
        ("59 convkernel.10.AB40", "unknown"),
    ],
)
def test_kernels_are_classed(kernel, expected):
    assert sharpness(kernel) == expected
