"""The golden outputs, and the program that is said to make them."""

import json

import pytest

from golden.outputs import PARTS, computed, identity
from lungprep.config.recipe import GOLDEN, chain_digest
from real_archive import ARCHIVE

pytestmark = pytest.mark.slow
GOLD = json.loads(GOLDEN.read_text("utf-8"))


@pytest.mark.parametrize("name", PARTS)
def test_the_image_chain_makes_the_golden_outputs(name):
    if name == "real_scan" and not ARCHIVE.exists():
        pytest.skip("make demo downloads the scan")
    assert computed([name])[name] == GOLD["parts"][name], "where that is meant: make golden"


def test_they_are_those_of_this_program():
    assert GOLD["program"] == chain_digest(), "the code of the image chain was edited: make golden"
    assert GOLD["outputs"] == identity(GOLD["parts"])
