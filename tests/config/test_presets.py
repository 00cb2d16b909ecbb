# ruff: noqa: E501 (the table of messages reads best with a line each)
"""Presets: their values, what overrides them, and what can't be meant."""

import re
from pathlib import Path

import pytest

from lungprep.config.presets import export_options, preset_values
from lungprep.config.recipe import recipe, recipe_digest
from lungprep.config.schema import complete, preset_table, read_schema, with_table
from lungprep.errors import ConfigError
from lungprep.image.output.options import ExportOptions

ROOT = Path(__file__).parents[2]
SCHEMA = read_schema()
PRESETS = ("hu", "uncropped", "tutorial", "grt123")
FIVE = [[5.0, 5.0], [5.0, 5.0], [5.0, 5.0]]


def completed(preset="hu", segment=None, **output):
    config = {"source": "s3://bucket/in/", "target": "s3://bucket/out/"}
    config["output"] = {"preset": preset, **output}
    return complete({**config, "segment": segment or {}}, SCHEMA)


def test_presets_in_full():
    def of(preset):
        return list(export_options(completed(preset)).values())

    assert list(export_options(completed())) == [
        "hull", "hull_growth", "dilate_mm", "dilate_shape", "crop_margin_mm", "outside_hu",
        "bone_hu", "window_hu", "zero_centre", "dtype",
    ]  # fmt: skip
    assert of("hu") == [False, 1.5, 0, "ball", FIVE, "keep", "keep", "keep", 0, "int16"]
    assert of("uncropped") == [False, 1.5, 0, "ball", "keep", "keep", "keep", "keep", 0, "int16"]
    assert of("tutorial") == [
        False, 1.5, 5, "ball", FIVE, -1000, "keep", [-1000, 400], 0.25, "float32"
    ]  # fmt: skip
    assert of("grt123") == [
        True, 1.5, 10, "diamond", [[5, 9]] * 3, 0, 289, [-1200, 600], 0, "uint8"
    ]  # fmt: skip


def test_options_default_to_the_preset_hu():
    stock = ExportOptions(**export_options(completed()))
    margin = tuple(tuple(pair) for pair in stock.crop_margin_mm)
    assert ExportOptions() == ExportOptions(**{**vars(stock), "crop_margin_mm": margin})


def test_every_preset_sets_the_same_keys():
    values = preset_values(SCHEMA)
    assert tuple(values) == PRESETS
    assert len({tuple(v) for v in values.values()}) == 1


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_preset_sets_may_be_stated(preset):
    """A sidecar's recipe is a config that makes the same again."""
    resolved = completed(preset)
    assert complete(resolved, SCHEMA) == resolved
    other = {**resolved, "output": {**resolved["output"], "preset": "hu"}}
    assert recipe_digest(complete(other, SCHEMA)) == recipe_digest(resolved)


@pytest.mark.parametrize(
    ("preset", "segment", "output"),
    [
        ("grt123", {"dilate_mm": 7}, {}),
        ("grt123", {"hull": False}, {}),
        ("grt123", {"hull_growth": 2}, {}),
        ("tutorial", {"dilate_shape": "diamond"}, {}),
        ("tutorial", {}, {"outside_hu": 40, "bone_hu": 300, "zero_centre": 0.5}),
        ("hu", {}, {"outside_hu": -1024}),
        ("hu", {}, {"crop_margin_mm": [[0, 1], [2, 3], [4, 500]], "dtype": "float32"}),
        ("uncropped", {}, {"window_hu": [-1350, 150], "dtype": "uint8"}),
        ("tutorial", {}, {"window_hu": "keep", "zero_centre": 0}),
    ],
)
def test_any_key_overrides_its_preset(preset, segment, output):
    resolved = completed(preset, segment, **output)
    plain = completed(preset)
    for section, given in (("segment", segment), ("output", output)):
        for key, value in resolved[section].items():
            assert value == given.get(key, plain[section][key]), key
    assert recipe_digest(resolved) != recipe_digest(plain)


@pytest.mark.parametrize("preset", PRESETS)
def test_null_is_what_the_preset_says(preset):
    keys = [key.split(".") for key in preset_values(SCHEMA)["hu"]]
    null = {section: {k: None for s, k in keys if s == section} for section, _ in keys}
    assert completed(preset, null["segment"], **null["output"]) == completed(preset)
    words = {k: "null" for s, k in keys if s == "output"}
    assert completed(preset, **words) == completed(preset)


def test_equal_values_are_one_recipe_by_any_preset():
    uncropped = completed("hu", crop_margin_mm="keep")
    assert recipe_digest(uncropped) == recipe_digest(completed("uncropped"))
    assert recipe_digest(completed(crop_margin_mm=[[5, 5]] * 3)) == recipe_digest(completed())
    digests = {recipe_digest(completed(preset)) for preset in PRESETS}
    assert len(digests) == len(PRESETS)


def test_what_has_no_effect_does_not_count():
    kept = completed("tutorial", outside_hu="keep")
    assert kept["segment"]["dilate_mm"] == 0
    kept = completed("grt123", outside_hu="keep")
    assert (kept["segment"]["hull"], kept["output"]["bone_hu"]) == (False, "keep")
    bare = completed("grt123", {"hull": False, "dilate_mm": 0})
    assert (bare["segment"]["dilate_shape"], bare["output"]["bone_hu"]) == ("ball", "keep")


def test_the_sidecars_recipe_has_the_resolved_values():
    config = recipe(completed("grt123"))["config"]
    assert config["output"]["preset"] == "grt123"
    assert config["output"]["window_hu"] == [-1200, 600]
    assert config["segment"]["dilate_mm"] == 10


NO_HIDING = "but output.outside_hu is keep, so nothing is hidden; set output.outside_hu to the HU that hidden voxels take"


@pytest.mark.parametrize(
    ("preset", "segment", "output", "line"),
    [
        ("hu", {}, {"dtype": "uint8"}, "output.dtype is uint8 and output.window_hu is keep (preset hu): HU do not fit into 0 to 255; set output.window_hu, such as [-1200, 600], or output.dtype to int16"),
        ("grt123", {}, {"window_hu": "keep"}, "output.dtype is uint8 (preset grt123) and output.window_hu is keep: HU do not fit"),
        ("hu", {}, {"window_hu": [-1000, 400]}, "output.dtype is int16 (preset hu) and output.window_hu is [-1000, 400]: int16 holds HU, nothing between 0 and 1; set output.dtype to float32 or uint8, or output.window_hu to keep"),
        ("tutorial", {}, {"dtype": "int16"}, "output.dtype is int16 and output.window_hu is [-1000, 400] (preset tutorial): int16 holds HU"),
        ("tutorial", {}, {"dtype": "uint8"}, "output.zero_centre is 0.25 (preset tutorial) and output.dtype is uint8: it holds no negative values; set output.dtype to float32, or output.zero_centre to 0"),
        ("grt123", {}, {"zero_centre": 0.25}, "output.zero_centre is 0.25 and output.dtype is uint8 (preset grt123): it holds no"),
        ("hu", {}, {"zero_centre": 0.25}, "output.zero_centre is 0.25 and output.window_hu is keep (preset hu): the mean applies to values of 0 to 1, not to HU; set output.window_hu, such as [-1000, 400], or output.zero_centre to 0"),
        ("tutorial", {}, {"window_hu": [400, -1000]}, "output.window_hu is [400, -1000]; give the lower HU first"),
        ("tutorial", {}, {"window_hu": [40, 40]}, "output.window_hu is [40, 40]; give the lower HU first"),
        ("hu", {"dilate_mm": 5}, {}, f"segment.dilate_mm is 5, {NO_HIDING}"),
        ("hu", {"hull": True}, {}, f"segment.hull is true, {NO_HIDING}"),
        ("hu", {}, {"bone_hu": 300}, f"output.bone_hu is 300, {NO_HIDING}"),
        ("hu", {}, {"bone_hu": 300, "outside_hu": 0}, "output.bone_hu is 300, but only the lungs are shown; set segment.dilate_mm or segment.hull"),
        ("tutorial", {"hull_growth": 2}, {}, "segment.hull_growth is 2, but segment.hull is false; set segment.hull to true"),
        ("hu", {"dilate_shape": "diamond"}, {"outside_hu": 0}, "segment.dilate_shape is diamond, but segment.dilate_mm is 0; set segment.dilate_mm"),
        ("hu", {}, {"outside_hu": 4000}, "config key output.outside_hu has 4000; it takes a whole number, -1024 to 3071, or keep, or null"),
        ("grt123", {}, {"outside_hu": "none"}, "config key output.outside_hu has 'none'; it takes a whole number, -1024 to 3071, or keep, or null"),
        ("grt123", {}, {"dtype": "float64"}, "config key output.dtype has 'float64'; it takes int16 or uint8 or float32 or null"),
        ("winner", {}, {}, "config key output.preset has 'winner'; it takes hu or uncropped or tutorial or grt123"),
        ("hu", {}, {"crop_margin_mm": [5, 5, 5]}, "config key output.crop_margin_mm has [5, 5, 5]; it takes a number, 0 to 500, or [ ] of 3, each [ ] of 2, each a number, 0 to 500, or keep, or null"),
        ("hu", {"dilate_mm": 31}, {"outside_hu": 0}, "config key segment.dilate_mm has 31; it takes a number or null, 0 to 30"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_one_line(preset, segment, output, line):
    with pytest.raises(ConfigError, match=re.escape(line)) as caught:
        completed(preset, segment, **output)
    assert "\n" not in str(caught.value)


def test_the_page_shows_the_presets_of_the_schema():
    page = (ROOT / "docs/presets.md").read_text()
    assert with_table(page, preset_table(SCHEMA)) == page, "run make table"
