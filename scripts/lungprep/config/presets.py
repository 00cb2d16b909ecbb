"""Presets: values for the output's keys that a config leaves null.

The schema states, beside each key, its value in every preset. Contradictory combinations are
refused here, before any job starts.
"""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from lungprep.errors import ConfigError

Values = dict[str, Any]


class Idle(NamedTuple):
    """Key that has no effect beside some values of other keys."""

    key: str
    beside: Callable[[Values], bool]
    why: str
    remedy: str


NOTHING_HIDDEN = "output.outside_hu is keep, so nothing is hidden"
HIDE = "set output.outside_hu to the HU that hidden voxels take"
IDLE = (
    Idle("segment.hull", lambda v: v["output.outside_hu"] == "keep", NOTHING_HIDDEN, HIDE),
    Idle("segment.dilate_mm", lambda v: v["output.outside_hu"] == "keep", NOTHING_HIDDEN, HIDE),
    Idle("output.bone_hu", lambda v: v["output.outside_hu"] == "keep", NOTHING_HIDDEN, HIDE),
    Idle(
        "output.bone_hu",
        lambda v: not v["segment.hull"] and v["segment.dilate_mm"] == 0,
        "only the lungs are shown",
        "set segment.dilate_mm or segment.hull",
    ),
    Idle(
        "segment.hull_growth",
        lambda v: not v["segment.hull"],
        "segment.hull is false",
        "set segment.hull to true",
    ),
    Idle(
        "segment.dilate_shape",
        lambda v: v["segment.dilate_mm"] == 0,
        "segment.dilate_mm is 0",
        "set segment.dilate_mm",
    ),
)


def resolve(config: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Replace null by the values of ``output.preset``.

    Parameters
    ----------
    config : dict
        All keys of the schema, each valid by itself; it is not changed.
    schema : dict
        Schema from `lungprep.config.schema.read_schema`.

    Returns
    -------
    dict
        Config without null in these keys, and with one margin per axis and side. Keys without
        effect have their values of the preset ``hu``, so that equal voxels have equal values.

    Raises
    ------
    ConfigError
        If values contradict one another, or the config sets a key that has no effect.
    """
    preset = config["output"]["preset"]
    presets = preset_values(schema)
    stated = {key: _get(config, key) for key in presets["hu"]}
    values = {k: presets[preset][k] if value is None else value for k, value in stated.items()}
    for key, beside, why, remedy in IDLE:
        if beside(values):
            quiet = presets["hu"][key]
            if stated[key] not in (None, quiet):
                raise ConfigError(f"{key} is {_shown(stated[key])}, but {why}", remedy)
            values[key] = quiet
    _refuse_contradictions(
        values, {k: "" if v is not None else f" (preset {preset})" for k, v in stated.items()}
    )
    margin = values["output.crop_margin_mm"]
    if isinstance(margin, int | float):
        values["output.crop_margin_mm"] = [[margin, margin] for _ in range(3)]
    resolved = copy.deepcopy(config)
    for key, value in values.items():
        section, name = key.split(".")
        resolved[section][name] = copy.deepcopy(value)
    return resolved


def preset_values(schema: dict[str, Any]) -> dict[str, Values]:
    """Value of each key in each preset; keys are ``section.name``."""
    found: dict[str, Values] = {}
    for section, part in schema["properties"].items():
        for name, leaf in part.get("properties", {}).items():
            for preset, value in leaf.get("presets", {}).items():
                found.setdefault(preset, {})[f"{section}.{name}"] = value
    return found


def export_options(config: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `lungprep.image.output.options.ExportOptions`, from a complete config."""
    segment = ("hull", "hull_growth", "dilate_mm", "dilate_shape")
    output = {key: value for key, value in config["output"].items() if key != "preset"}
    return {**{key: config["segment"][key] for key in segment}, **output}


def _refuse_contradictions(values: Values, origin: dict[str, str]) -> None:
    def says(key: str) -> str:
        return f"{key} is {_shown(values[key])}{origin[key]}"

    window, dtype, zero = "output.window_hu", "output.dtype", "output.zero_centre"
    scaled = values[window] != "keep"
    if scaled and values[window][0] >= values[window][1]:
        raise ConfigError(says(window), "give the lower HU first")
    if not scaled and values[dtype] == "uint8":
        raise ConfigError(
            f"{says(dtype)} and {says(window)}: HU do not fit into 0 to 255",
            f"set {window}, such as [-1200, 600], or {dtype} to int16",
        )
    if not scaled and values[zero] != 0:
        raise ConfigError(
            f"{says(zero)} and {says(window)}: the mean applies to values of 0 to 1, not to HU",
            f"set {window}, such as [-1000, 400], or {zero} to 0",
        )
    if scaled and values[dtype] == "int16":
        raise ConfigError(
            f"{says(dtype)} and {says(window)}: int16 holds HU, nothing between 0 and 1",
            f"set {dtype} to float32 or uint8, or {window} to keep",
        )
    if values[zero] != 0 and values[dtype] != "float32":
        raise ConfigError(
            f"{says(zero)} and {says(dtype)}: it holds no negative values",
            f"set {dtype} to float32, or {zero} to 0",
        )


def _get(config: dict[str, Any], key: str) -> Any:
    section, name = key.split(".")
    return config[section][name]


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
