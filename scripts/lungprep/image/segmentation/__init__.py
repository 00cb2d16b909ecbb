"""Lung masks of chest CT by classical image analysis."""

from lungprep.image.segmentation.lungs import Lungs, segment

__all__ = ["Lungs", "segment"]
