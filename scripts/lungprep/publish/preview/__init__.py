"""One picture per patient, to check the lung mask by eye."""

from lungprep.publish.preview.sheet import preview

__all__ = ["preview"]
