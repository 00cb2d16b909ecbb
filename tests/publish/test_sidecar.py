"""The sidecar: each field documented, none absent, and numbers that mean what they say."""

import json
import re
import tomllib
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from lungprep import __version__
from lungprep.config.presets import export_options
from lungprep.config.recipe import recipe
from lungprep.config.schema import complete, read_schema
from lungprep.image.export import export
from lungprep.image.loading import load
from lungprep.image.output.options import ExportOptions
from lungprep.image.provenance import TECHNICAL_TAGS, _plain
from lungprep.image.resampling import resample
from lungprep.image.segmentation.methods import find_lungs
from lungprep.image.series.policy import LoadOptions
from lungprep.image.volume import extent
from lungprep.publish.publishing import publish
from lungprep.publish.sidecar import rounded, sidecar
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep_demo.phantom import Scan, chest, slices

ROOT = Path(__file__).parents[2]
SPACING_MM = [4.0, 10 / 3, 3.7]
# Headers give positions and gaps with one decimal: sums and means of them have others.
COARSE = Scan(gap_mm=6.1, shape=(96, 96), spacing_mm=(3.7, 3.7), noise_hu=10)
USAGE = {"seconds": 0.1, "peak_mb": 1.0}
# Keys that differ from patient to patient.
OPEN = (
    "source.skipped.",
    "rejected_series.",
    "acquisition.set_aside.",
    "flag_details.",
    "recipe.config.",
    "recipe.versions.",
)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A sidecar as the workflow publishes it, and the true grid of its array."""
    place = open_store(parse_address("x", str(tmp_path_factory.mktemp("lab"))), S3Options())
    for name, content in slices(chest(), COARSE):
        place.write(f"in/{name}", content)
    place.write("in/NOTES", b"no slice")
    given = {"source": "in/", "target": "out/", "resample": {"spacing_mm": SPACING_MM}}
    config = complete(given, read_schema())
    source = open_store(place.address.join("in"), S3Options())
    volume, scan = load(source, LoadOptions(**config["load"]))
    resampled = resample(volume, SPACING_MM)
    lungs = find_lungs(resampled)
    records = {
        "load": {**asdict(scan), "usage": USAGE},
        "resample": {"usage": USAGE},
        "segment": {
            **lungs.to_json(), "box": extent(lungs.labels), "flags": lungs.flags,
            "doubt": lungs.doubt, "usage": USAGE,
        },
    }  # fmt: skip
    product = export(resampled, lungs.labels, ExportOptions(**export_options(config)))
    fields = sidecar("P1", product, records, recipe(config), None)
    publish(place, "P1", product, b"", fields, lambda: USAGE)
    return json.loads(place.read("P1.json")), product.grid


def names(value, path=""):
    """Dotted names of all fields; those of open and of repeated keys as the page writes them."""
    if not isinstance(value, dict):
        return {path}
    found = set()
    for name, part in value.items():
        dotted = f"{path}{'.' if path else ''}{name}"
        if f"{path}." in OPEN:
            found.add(f"{path}.{'UID' if path == 'rejected_series' else 'NAME'}")
        elif path == "steps":
            found |= names(part, "steps.NAME")
        else:
            found |= names(part, dotted)
    return found or {f"{path}.{'UID' if path == 'rejected_series' else 'NAME'}"}


def documented():
    page = (ROOT / "docs/sidecar.md").read_text().partition("## Flags of the lungs")[0]
    cells = re.findall(r"^\| (`[^|]*`) \|", page, re.MULTILINE)
    listed = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert len(listed) == len(set(listed))
    return set(listed)


def test_each_field_is_documented_and_there(published):
    assert names(published[0]) == documented()


def test_the_version_is_that_of_the_project(published):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert published[0]["version"] == __version__ == project["version"]


def test_technical_tags_are_null_where_they_are_absent(published):
    acquisition = published[0]["acquisition"]
    assert acquisition.keys() >= TECHNICAL_TAGS.keys()
    assert acquisition["model"] is None
    assert acquisition["kvp"] == 120.0


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        ("", None),
        ("  B40f ", "B40f"),
        ("x" * 100, "x" * 64),
        (120, 120.0),
        (float("nan"), None),
        (float("inf"), None),
        (MultiValue(str, ["ORIGINAL", "PRIMARY"]), ["ORIGINAL", "PRIMARY"]),
        (MultiValue(str, []), None),
        (b"Doe^Jane", None),
        ([Dataset()], None),
    ],
)
def test_a_tag_is_a_plain_value_or_null(value, plain):
    assert _plain(value) == plain


def test_no_number_has_decimals_that_mean_nothing(published):
    fields = published[0]
    assert fields["acquisition"]["spacing_mm"] == [6.1, 3.7, 3.7]
    assert fields["spacing_mm"] == [4.0, 3.333333333, 3.7]
    for name in ("origin_mm", "acquisition", "lungs", "flag_details"):
        assert rounded(fields[name]) == fields[name]
    assert "-0.0" not in json.dumps(fields)


def test_affine_origin_and_spacing_agree_with_each_other_and_the_array(published):
    fields, grid = published
    affine = np.array(fields["affine"])
    corners = np.array([[x, y, z, 1.0] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    corners[:, :3] *= np.array(fields["shape"][::-1]) - 1
    told = corners @ affine.T
    axes = np.array(fields["direction"]) * fields["spacing_mm"][::-1]
    by_parts = corners[:, :3] @ axes.T + fields["origin_mm"]
    assert np.abs(told[:, :3] - by_parts).max() < 1e-6
    assert np.abs(told - corners @ grid.affine.T).max() < 1e-6
