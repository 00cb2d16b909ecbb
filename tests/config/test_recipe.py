"""The recipe: what must change the digest, and what must not."""

import copy
import hashlib
import json
from pathlib import Path

import pytest

from lungprep.config import recipe
from lungprep.config.schema import complete, read_schema

MINIMAL = {"source": "s3://bucket/in/", "target": "s3://bucket/out/"}
CONFIG = complete(MINIMAL, read_schema())


@pytest.fixture(autouse=True)
def fresh():
    recipe.code_digest.cache_clear()
    yield
    recipe.code_digest.cache_clear()


def changed(path, value):
    config = copy.deepcopy(CONFIG)
    *sections, key = path.split(".")
    part = config
    for name in sections:
        part = part[name]
    part[key] = value
    return recipe.recipe_digest(config)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("load.min_slices", 3),
        ("resample.spacing_mm", [2.0, 1.0, 1.0]),
        ("resample.antialias", False),
        ("output.outside_hu", 0),
        ("segment.dilate_mm", 5.0),
    ],
)
def test_values_that_change_voxels_change_the_recipe(path, value):
    assert changed(path, value) != recipe.recipe_digest(CONFIG)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("source", "s3://other/in/"),
        ("s3.anonymous", True),
        ("overwrite", True),
        ("output.preset", "uncropped"),
    ],
)
def test_values_that_change_no_voxel_do_not(path, value):
    assert changed(path, value) == recipe.recipe_digest(CONFIG)


def test_equal_values_are_one_recipe():
    whole = complete({**MINIMAL, "resample": {"spacing_mm": [1, 1, 1]}}, read_schema())
    assert recipe.recipe_digest(whole) == recipe.recipe_digest(CONFIG)
    whole = complete({**MINIMAL, "load": {"min_slices": 10.0}}, read_schema())
    assert recipe.recipe_digest(whole) == recipe.recipe_digest(CONFIG)


def golden(monkeypatch, tmp_path, **values):
    """A golden file of these values."""
    path = tmp_path / "golden.json"
    path.write_text(json.dumps(values))
    monkeypatch.setattr(recipe, "GOLDEN", path)
    recipe.code_digest.cache_clear()


def test_a_program_of_golden_outputs_bears_their_digest(monkeypatch, tmp_path):
    golden(monkeypatch, tmp_path, outputs="voxels", program=recipe.chain_digest())
    assert recipe.code_digest() == "voxels"


def test_a_refactoring_of_the_same_outputs_keeps_the_recipe(monkeypatch, tmp_path):
    golden(monkeypatch, tmp_path, outputs="voxels", program=recipe.chain_digest())
    before = recipe.recipe_digest(CONFIG)
    monkeypatch.setattr(recipe, "chain_digest", lambda: "refactored")
    golden(monkeypatch, tmp_path, outputs="voxels", program="refactored")
    assert recipe.recipe_digest(CONFIG) == before


def test_an_edit_that_nobody_tried_bears_its_own(monkeypatch, tmp_path):
    golden(monkeypatch, tmp_path, outputs="voxels", program="another")
    assert recipe.code_digest() == recipe.chain_digest()


@pytest.fixture
def r231(tmp_path):
    path = tmp_path / "r231.pth"
    path.write_bytes(b"weights")
    return path


def with_network(path, method="lungmask"):
    return {**CONFIG, "segment": {**CONFIG["segment"], "method": method, "weights": str(path)}}


def test_the_content_of_weights_is_part_of_the_recipe_and_their_path_is_not(r231, tmp_path):
    first = recipe.recipe_digest(with_network(r231))
    assert first != recipe.recipe_digest(CONFIG)
    copied = tmp_path / "copied.pth"
    copied.write_bytes(b"weights")
    assert recipe.recipe_digest(with_network(copied)) == first
    copied.write_bytes(b"other weights")
    assert recipe.recipe_digest(with_network(copied)) != first
    part = recipe.voxel_config(with_network(r231))["segment"]
    assert part["weights"] == hashlib.sha256(b"weights").hexdigest()
    assert recipe.recipe_digest(with_network(r231, "classical")) == recipe.recipe_digest(CONFIG)


def test_a_networks_versions_are_told_where_it_is_used(monkeypatch, r231):
    monkeypatch.setattr(recipe, "version", lambda name: f"{name}-1")
    assert recipe.recipe(with_network(r231))["versions"]["lungmask"] == "lungmask-1"
    assert not {"torch", "lungmask"} & set(recipe.recipe(CONFIG)["versions"])


def test_a_networks_code_is_part_of_its_own_chain_alone(monkeypatch, tmp_path):
    plain = recipe.code_digest()
    digests = {recipe.code_digest(method) for method in ("lungmask", "totalsegmentator")}
    assert len(digests | {plain}) == 3
    folder = Path("lungprep/image/segmentation/networks")
    copied = tmp_path / "scripts"
    for name in ("lungmask", "totalsegmentator"):
        source = (recipe.SCRIPTS / folder / f"{name}.py").read_text()
        (copied / folder).mkdir(parents=True, exist_ok=True)
        edit = "\nEDITED = 1\n" if name == "lungmask" else ""
        (copied / folder / f"{name}.py").write_text(source + edit)
    golden(monkeypatch, tmp_path, outputs=plain, program=recipe.chain_digest())
    before = recipe.code_digest("totalsegmentator")
    chain = recipe.chain_digest()
    monkeypatch.setattr(recipe, "chain_digest", lambda: chain)
    monkeypatch.setattr(recipe, "SCRIPTS", copied)
    recipe.code_digest.cache_clear()
    assert recipe.code_digest() == plain
    assert recipe.code_digest("totalsegmentator") == before
    assert recipe.code_digest("lungmask") not in digests
