"""The examples in docstrings print what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"
MODULES = sorted(
    ".".join(file.relative_to(SCRIPTS).with_suffix("").parts)
    for file in (SCRIPTS / "lungprep").rglob("*.py")
    if ">>> " in file.read_text(encoding="utf-8")
)


def test_modules_with_examples_are_found():
    assert "lungprep.image.resampling.grids" in MODULES


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0
