"""Weights of a network are refused by name before any job, and digested by their content."""

import json
import re
import shutil
from pathlib import Path

import pytest

from lungprep.errors import ConfigError
from lungprep.image import weights
from lungprep.image.weights import check_weights, lung_classes, model_folder, weights_digest

LOBES = {"background": 0, "lung_upper_lobe_left": 1, "lung_lower_lobe_right": 3, "lung_vessels": 4}


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    monkeypatch.setattr(weights, "find_spec", lambda name: object())


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "Dataset291" / "trainer__plans__3d_fullres"
    (folder / "fold_0").mkdir(parents=True)
    (folder / "dataset.json").write_text(json.dumps({"labels": LOBES}))
    (folder / "plans.json").write_text("{}")
    (folder / "fold_0" / "checkpoint_final.pth").write_bytes(b"weights")
    return folder


def section(method, path):
    return {"method": method, "weights": None if path is None else str(path)}


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("lungmask", None, "method is lungmask and segment.weights is not set; give the file of"),
        ("totalsegmentator", None, "segment.weights is not set; give a folder of nnU-Net v2 with"),
        ("lungmask", "absent.pth", "'absent.pth', which does not exist here; give the file"),
        ("totalsegmentator", "s3://b/x/", "'s3://b/x/', which does not exist here; give a folder"),
        ("lungmask", ".", "'.', which is not a file; give the file"),
    ],
)  # fmt: skip
def test_weights_that_are_not_there_are_named(monkeypatch, tmp_path, method, path, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        check_weights(section(method, path))
    assert "\n" not in str(caught.value)


def test_a_package_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "find_spec", lambda name: None if name == "lungmask" else object())
    (tmp_path / "r231.pth").touch()
    words = r"package lungmask is not installed here; run pip install -r envs/requirements-networks"
    with pytest.raises(ConfigError, match=words):
        check_weights(section("lungmask", tmp_path / "r231.pth"))


def test_the_remedy_names_a_file_of_the_project():
    assert (Path(__file__).parents[2] / weights.INSTALL.split()[-1]).is_file()


def test_classical_needs_none():
    check_weights(section("classical", None))
    check_weights(section("classical", "nowhere"))
    assert weights_digest(section("classical", "nowhere")) is None


def test_either_folder_of_a_model_will_do(model):
    for path in (model, model.parent):
        check_weights(section("totalsegmentator", path))
        assert model_folder(path) == model


def test_one_model_is_expected(model):
    shutil.copytree(model, model.parent / "zweite")
    with pytest.raises(
        ConfigError, match=r"one model is expected, but there is trainer.*, zweite;"
    ):
        check_weights(section("totalsegmentator", model.parent))
    assert model_folder(model) == model


@pytest.mark.parametrize("missing", ["dataset.json", "plans.json", "fold_0/checkpoint_final.pth"])
def test_a_model_with_a_file_missing_is_none(model, missing):
    (model / missing).unlink()
    with pytest.raises(ConfigError, match="one model is expected, but there is none;"):
        check_weights(section("totalsegmentator", model.parent))


def test_classes_are_read_by_name(model):
    assert lung_classes(model) == {1: 2, 3: 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not a dataset.json of nnU-Net v2"),
        ("[]", "is not a dataset.json of nnU-Net v2"),
        ('{"labels": ["lung"]}', "is not a dataset.json of nnU-Net v2"),
        ('{"labels": {"liver": 1}}', "does not name a class for each lung"),
        ('{"labels": {"lung_left": 1}}', "does not name a class for each lung"),
        (
            '{"labels": {"lung_left": [1, 2], "lung_right": [3]}}',
            "does not name a class for each lung",
        ),
    ],
)
def test_a_model_without_lungs_is_refused(model, content, words):
    (model / "dataset.json").write_text(content)
    with pytest.raises(ConfigError, match=words):
        check_weights(section("totalsegmentator", model))


def test_the_digest_is_of_the_content_alone(model, tmp_path):
    first = weights_digest(section("totalsegmentator", model))
    moved = shutil.copytree(model.parent, tmp_path / "elsewhere")
    assert weights_digest(section("totalsegmentator", moved)) == first
    for name in ("dataset.json", "plans.json", "fold_0/checkpoint_final.pth"):
        path = moved / model.name / name
        before = path.read_bytes()
        path.write_bytes(before + b" ")
        assert weights_digest(section("totalsegmentator", moved)) != first
        path.write_bytes(before)
    assert weights_digest(section("totalsegmentator", moved)) == first


def test_a_file_is_read_once(monkeypatch, tmp_path):
    path = tmp_path / "r231.pth"
    path.write_bytes(b"weights")
    first = weights_digest(section("lungmask", path))
    monkeypatch.setattr(Path, "open", None)
    assert weights_digest(section("lungmask", path)) == first
