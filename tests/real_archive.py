"""The demo's real scan as a store, for the tests that read it in full."""

import io
from pathlib import Path

import pydicom
import pytest

from lungprep.stores import Entry
from lungprep_demo import scan

ARCHIVE = Path(__file__).parents[1] / "demo/scan" / f"{scan.PACKAGE}-{scan.VERSION}.tar.gz"
needs_archive = pytest.mark.skipif(
    not ARCHIVE.exists(), reason="the real scan is not here; make test gets it"
)


class Archive:
    """The scan's files as a store."""

    address = "archive"

    def __init__(self):
        self.files = dict(scan.files(ARCHIVE))

    def entries(self, *, below):
        return [Entry(name, len(content), "") for name, content in sorted(self.files.items())]

    def read(self, key, expected=None):
        return self.files[key]

    def datasets(self, *, ct):
        """The CT slices, or else the segmentation and contours."""
        for name, content in self.files.items():
            if name.endswith(".dcm") and (scan.CT_SERIES in name) == ct:
                yield pydicom.dcmread(io.BytesIO(content))
