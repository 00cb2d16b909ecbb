"""Which keys of the recipe changed, in a line."""

import copy
import json

import pytest

from lungprep.config.recipe import decisive
from lungprep.config.recipe_changes import UNTOLD, changes, summed_up, told
from lungprep.config.schema import complete, read_schema

CONFIG = complete({"source": "s3://bucket/in/", "target": "s3://bucket/out/"}, read_schema())
NOW = told(decisive(CONFIG))


def made(**values):
    """A recipe with other values under ``section__key``, as it comes back from a sidecar."""
    recipe = copy.deepcopy(decisive(CONFIG))
    for name, value in values.items():
        section, _, key = name.partition("__")
        recipe["config"][section][key] = value
    return json.loads(json.dumps(recipe))


def test_keys_are_named_with_the_values_before_and_now():
    recipe = made(resample__spacing_mm=[2.0, 1.0, 0.5], segment__method="lungmask")
    assert changes(told(recipe), NOW) == (
        "resample.spacing_mm [2, 1, 0.5] -> [1, 1, 1], segment.method lungmask -> classical"
    )


def test_the_code_is_named_apart():
    recipe = made() | {"code": "other"}
    assert changes(told(recipe), NOW) == "the code of the image chain"
    recipe = made(load__series="soft") | {"code": "other"}
    assert changes(told(recipe), NOW) == "load.series soft -> any, the code of the image chain"


def test_another_method_is_other_code_by_itself():
    recipe = made(segment__method="lungmask") | {"code": "other"}
    assert changes(told(recipe), NOW) == "segment.method lungmask -> classical"


def test_keys_that_came_and_went():
    recipe = made(load__old=True)
    del recipe["config"]["load"]["series"]
    assert changes(told(recipe), NOW) == (
        "load.series (no such key) -> any, load.old true -> (no such key)"
    )


def test_a_preset_is_what_it_sets():
    assert changes(told(made(output__preset="uncropped")), NOW) == UNTOLD
    other = told(decisive(complete({**CONFIG, "output": {"preset": "uncropped"}}, read_schema())))
    assert "output.crop_margin_mm [[5, 5], [5, 5], [5, 5]] -> keep" in changes(NOW, other)


def test_many_keys_are_counted():
    recipe = made(**{f"load__k{n}": n for n in range(10)})
    found = changes(told(recipe), NOW)
    assert found.startswith("load.k0 0 -> (no such key), load.k1 1")
    assert found.endswith("load.k4 4 -> (no such key), 5 other keys")


@pytest.mark.parametrize(
    "recipe",
    [None, [], {}, {"config": None}, {"config": []}, {"digest": "x"}, "text", {"config": {}}],
)
def test_what_is_no_recipe_tells_nothing(recipe):
    assert changes(told(recipe), NOW).startswith((UNTOLD, "load.min_slices (no such key) -> 10"))


def test_what_comes_from_a_store_is_a_short_line():
    nested = json.loads("[" * 400 + "]" * 400)
    values = {"a\x1b[2J\n" * 99: "\x1b" * 999, "b": nested, "c": {"d": 1}, "d": float("inf")}
    recipe = {"config": {"load": values | {str(n): n for n in range(5000)}}, "code": nested}
    values = told(recipe)
    assert len(json.dumps(values)) < 50_000
    found = changes(values, NOW)
    assert found.isprintable()
    assert len(found) < 1000


def test_several_changes_are_summed_up_the_most_frequent_first():
    assert summed_up([("a 1 -> 2", 3)]) == "a 1 -> 2"
    assert summed_up([("b", 1), ("a", 3), ("c", 1)]) == "3 by a; 1 by b; 1 by c"
    assert summed_up((str(n), 10 - n) for n in range(9)).endswith("; 5 by 5; 9 otherwise")
