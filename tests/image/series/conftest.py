"""Series of phantoms, as the slices that the loader sees."""

import pytest

from lungprep.image.dicom.objects import read_object
from lungprep_demo.phantom import Scan, chest, slices


@pytest.fixture
def read():
    """Scan a phantom, coarsely, and parse its files; `edit` may break their headers."""

    def run(phantom=None, **scan):
        wanted = {"gap_mm": 20, "shape": (48, 40), "spacing_mm": (7.5, 9.0), **scan}
        found = []
        for name, content in slices(phantom or chest(), Scan(**wanted)):
            found += read_object(f"{scan.get('seed', 0)}/{name}", content)
        return found

    return run


@pytest.fixture
def tags():
    """An edit that sets tags, to values or to functions of the slice's index."""

    def edit(**values):
        def apply(dataset, index):
            for keyword, value in values.items():
                value = value(index) if callable(value) else value
                if value is None:
                    del dataset[keyword]
                else:
                    setattr(dataset, keyword, value)

        return apply

    return edit
