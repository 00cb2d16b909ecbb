"""Runs on engines start as all others do."""

from workflow.conftest import lab

__all__ = ["lab"]
