"""The recipe: what must change the digest, and what must not."""

import ast
import copy
import hashlib
import re
import textwrap
from pathlib import Path

import pytest

from lungprep import recipe
from lungprep.config import complete, read_schema

ROOT = Path(__file__).parents[1]
MINIMAL = {"source": "s3://bucket/in/", "target": "s3://bucket/out/"}
CONFIG = complete(MINIMAL, read_schema())


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


CODE = '''
"""Module."""
import numpy as np  # the comment

class A:
    """Class.

    More.
    """

    def f(self, x):
        """Function."""
        return f"{x} # no comment"
'''


def test_comments_docstrings_and_blank_lines_are_no_code():
    bare = recipe.bare_code(CODE)
    edited = CODE.replace("# the comment", "# another").replace("Module.", "Other.\n\nLonger.")
    edited = edited.replace("Function.", "F.").replace("class A:", "\n# why\n\nclass A:")
    assert recipe.bare_code(edited) == bare
    assert "# no comment" in bare
    assert "Class." not in bare


@pytest.mark.parametrize(
    ("old", "new"), [("return", "yield"), ("no comment", "a comment"), ("class A", "class B")]
)
def test_code_and_its_texts_are(old, new):
    assert recipe.bare_code(CODE.replace(old, new)) != recipe.bare_code(CODE)


def test_what_is_left_is_the_same_program():
    for path in recipe.LIBRARY.rglob("*.py"):
        source = path.read_text()
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (
                ast.get_docstring(node) is not None
            ):
                node.body = node.body[1:] or [ast.Pass()]
        bare = recipe.bare_code(source)
        # A body that was a docstring alone is empty now; a pass stands for it.
        bare = re.sub(r"(?m)^( *)((?:class|def) .*:)$(?!\n\1 )", r"\1\2\n\1    pass", bare)
        assert ast.dump(ast.parse(textwrap.dedent(bare) or "pass")) == ast.dump(
            tree
        ) or path.stem in {
            "__init__",
            "errors",
        }, path


def test_the_image_chain_is_the_image_modules_alone():
    chain = [p.relative_to(recipe.SCRIPTS).as_posix() for p in recipe.image_chain()]
    assert chain[:4] == ["load.py", "resample.py", "segment.py", "publish.py"]
    names = {name.removeprefix("lungprep/") for name in chain[4:]}
    assert {
        "loading.py",
        "hounsfield/scale.py",
        "series/gaps.py",
        "resampling/kernels.py",
        "export.py",
        "output/hulls.py",
        "output/scales.py",
    } <= names
    assert "segmentation/lungs.py" in names
    strangers = {"publishing.py", "config.py", "presets.py", "errors.py", "run.py", "report.py"}
    assert not strangers & names
    assert not [
        name for name in names if name.startswith(("stores/", "demo/", "phantom/", "preview/"))
    ]


def test_a_script_follows_the_modules_that_it_imports(monkeypatch):
    before = {name: recipe.code_version(name) for name in ("load", "resample", "publish")}
    plain = recipe.bare_code
    monkeypatch.setattr(
        recipe, "bare_code", lambda s: plain(s) + ("#" if "def to_hu(" in s else "")
    )
    after = {name: recipe.code_version(name) for name in before}
    assert after["load"] != before["load"]
    assert after["resample"] != before["resample"], "hu's limits are part of resampling"
    assert after["publish"] == before["publish"]


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


def test_a_networks_code_is_part_of_its_own_chain_alone():
    def names(method):
        return {p.relative_to(recipe.LIBRARY.parent).as_posix() for p in recipe.image_chain(method)}

    folder = "lungprep/segmentation/networks"
    assert not [name for name in names("classical") if name.startswith(folder)]
    added = names("totalsegmentator") - names("classical")
    files = ("totalsegmentator", "nnunet", "checkpoints", "regridding")
    assert {f"{folder}/{file}.py" for file in files} <= added
    assert f"{folder}/lungmask.py" not in added
    assert recipe.code_version("segment") != recipe.code_version("segment", "lungmask")
