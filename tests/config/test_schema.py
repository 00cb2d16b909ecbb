# ruff: noqa: E501 (the table of messages reads best with a line each)
"""The config: each wrong value stops with a line that names the key and what it takes."""

import re
from pathlib import Path

import pytest
import yaml

from lungprep.config.schema import complete, read_schema, table, with_defaults, with_table
from lungprep.errors import ConfigError

ROOT = Path(__file__).parents[2]
SCHEMA = read_schema()
MINIMAL = {"source": "s3://bucket/in/", "target": "s3://bucket/out/"}


def leaves(schema, prefix=""):
    for name, part in schema["properties"].items():
        if "properties" in part:
            yield from leaves(part, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", part


def test_defaults_are_filled_in_and_the_input_left_alone():
    given = dict(MINIMAL, resample={"interpolation": "cubic"})
    full = complete(given, SCHEMA)
    assert full["resample"] == {
        "spacing_mm": [1.0, 1.0, 1.0],
        "interpolation": "cubic",
        "antialias": True,
    }
    assert given == dict(MINIMAL, resample={"interpolation": "cubic"})
    full["resample"]["spacing_mm"].append(1)
    assert complete(MINIMAL, SCHEMA)["resample"]["spacing_mm"] == [1.0, 1.0, 1.0]


def test_a_tilde_is_the_home_folder_in_each_path(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    names = [name for name, part in leaves(SCHEMA) if part.get("format") == "path"]
    assert {"source", "target", "patients", "missing_tsv", "segment.weights"} == set(names)
    given = {name: f"~/{name}" for name in names if "." not in name}
    full = complete({**given, "segment": {"weights": "~/w"}}, SCHEMA)
    assert {name: full[name] for name in given} == {n: f"{tmp_path}/{n}" for n in given}
    assert full["segment"]["weights"] == f"{tmp_path}/w"
    with pytest.raises(
        ConfigError, match="config key missing_tsv is '~nobody-such/x', and no user"
    ):
        complete({**MINIMAL, "missing_tsv": "~nobody-such/x"}, SCHEMA)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"resample": {"spacing_mm": ["0", "1", "1"]}}, "resample.spacing_mm has [0, 1, 1]; it takes [ ] of 3, each a number above 0, up to 100"),
        ({"resample": {"spacing_mm": [0, 1, 1]}}, "resample.spacing_mm has [0, 1, 1]; it takes [ ] of 3, each a number above 0, up to 100"),
        ({"resample": {"spacing_mm": [float("inf"), 1, 1]}}, "resample.spacing_mm has [inf, 1, 1]; it takes [ ] of 3"),
        ({"resample": {"spacing_mm": [float("nan"), 1, 1]}}, "resample.spacing_mm has [nan, 1, 1]; it takes [ ] of 3"),
        ({"overwrite": "{"}, "overwrite has '{'; it takes true or false"),
        ({"resample": {"spacing_mm": [1, 1]}}, "resample.spacing_mm has [1, 1]; it takes [ ] of 3"),
        ({"resample": {"spacing_mm": 1}}, "resample.spacing_mm has 1; it takes [ ] of 3"),
        ({"resample": {"interpolation": "spline"}}, "resample.interpolation has 'spline'; it takes linear or cubic or nearest"),
        ({"resample": "fine"}, "resample has 'fine'; it takes a mapping of spacing_mm, interpolation"),
        ({"resample": {"spacing": 1}}, "unknown config key resample.spacing; known keys here are spacing_mm"),
        ({"sorce": "x"}, "unknown config key sorce; known keys here are source, target"),
        ({"output": {"crop_margin_mm": -1}}, "output.crop_margin_mm has -1; it takes a number, 0 to 500"),
        ({"output": {"crop_margin_mm": "501"}}, "output.crop_margin_mm has 501; it takes a number, 0 to 500, or [ ] of 3, each [ ] of 2, each a number, 0 to 500, or keep, or null"),
        ({"output": {"outside_hu": 170.5}}, "output.outside_hu has 170.5; it takes a whole number, -1024 to 3071, or keep, or null"),
        ({"output": {"window_hu": ["low", "400"]}}, "output.window_hu has ['low', 400]; it takes [ ] of 2, each a number, -32768 to 32767, or keep, or null"),
        ({"check_source": "maybe"}, "check_source has 'maybe'; it takes true or false"),
        ({"check_source": 1}, "check_source has 1; it takes true or false"),
        ({"load": {"min_slices": 1}}, "load.min_slices has 1; it takes a whole number, at least 2"),
        ({"source": 3}, "source has 3; it takes text or null"),
        ({"source": None}, "source is not set; set source in config.yaml, or add --config source=s3://bucket/dicom/"),
        ({"s3": {"endpoint_url": "https://key:secret@host"}}, "it takes text or null like https://s3.example.org"),
    ],
)  # fmt: skip
def test_wrong_values_are_named(change, words):
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        complete({**MINIMAL, **change}, SCHEMA)
    assert "\n" not in str(caught.value)


def test_words_of_the_command_line_are_understood():
    given = dict(MINIMAL, overwrite="true", check_source="false", patients="null")
    full = complete(dict(given, output={"outside_hu": "null"}), SCHEMA)
    assert (full["overwrite"], full["check_source"], full["patients"]) == (True, False, None)
    assert full["output"]["outside_hu"] == "keep", "what the preset hu says"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"resample": {"spacing_mm": ["2", "1.5", "1.5"]}}, [2.0, 1.5, 1.5]),
        ({"resample": {"antialias": "false"}}, False),
        ({"output": {"crop_margin_mm": [["1", "2"], ["3", "4"], ["5", "6"]]}}, [[1, 2], [3, 4], [5, 6]]),
        ({"output": {"crop_margin_mm": "12"}}, [[12, 12]] * 3),
        ({"load": {"min_length_mm": "60"}}, 60),
        ({"output": {"outside_hu": "-1000"}}, -1000),
    ],
)  # fmt: skip
def test_numbers_inside_brackets_of_the_command_line_are_numbers(given, meant):
    ((section, values),) = given.items()
    ((key, _),) = values.items()
    assert complete({**MINIMAL, **given}, SCHEMA)[section][key] == meant


def test_a_config_without_source_and_target_says_what_to_set():
    line = (
        "source and target are not set; set source and target in config.yaml, or add "
        "--config source=s3://bucket/dicom/ target=s3://bucket/npy/"
    )
    with pytest.raises(ConfigError, match=re.escape(line)):
        complete({}, SCHEMA)


def test_every_key_has_type_default_and_description():
    for name, part in leaves(SCHEMA):
        assert {"type", "enum", "anyOf"} & set(part), name
        assert part["description"].rstrip().endswith("."), name
        assert "default" in part, name
        measured = "enum" not in part and part.get("type") != "boolean"
        if measured and re.search(r"_(mm|hu|slices|deg)$", name):
            assert "unit" in part, name


def test_the_defaults_satisfy_their_own_schema():
    complete(MINIMAL, SCHEMA)


def test_stock_config_states_each_key_with_its_default():
    text = (ROOT / "config.yaml").read_text()
    stock = yaml.safe_load(text)
    assert stock == with_defaults({}, SCHEMA)
    for line, before in zip(text.splitlines()[1:], text.splitlines(), strict=False):
        is_leaf = re.match(r" *\w+: \S", line)
        assert not is_leaf or before.lstrip().startswith("#"), f"uncommented key: {line}"


def test_the_page_of_the_config_shows_the_table_of_the_schema():
    page = (ROOT / "docs/config.md").read_text()
    assert with_table(page, table(SCHEMA)) == page, "run make table"
