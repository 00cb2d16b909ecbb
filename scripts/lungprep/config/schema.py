"""The config; its schema is the only source of types, bounds, units, defaults and descriptions."""

import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from lungprep.config.presets import resolve
from lungprep.errors import ConfigError
from lungprep.stores.address import at_home

Schema = dict[str, Any]
SCHEMA = Path(__file__).with_name("schema.yaml")
# YAML's .nan and .inf do not count as numbers.
Validator = validators.extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "number",
        lambda _, value: (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        ),
    ),
)
TABLE_MARKS = ("<!-- config table: make table -->", "<!-- end of config table -->")
# What every run needs, with an example.
PLACES = {"source": "s3://bucket/dicom/", "target": "s3://bucket/npy/"}


def read_schema(path: Path = SCHEMA) -> Schema:
    """Read the JSON schema of the config."""
    schema: Schema = yaml.safe_load(path.read_text("utf-8"))
    return schema


def complete(config: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Check a config and fill in missing keys.

    Parameters
    ----------
    config : dict
        Config as the user wrote it; it is not changed.
    schema : dict
        Schema from `read_schema`.

    Returns
    -------
    dict
        All keys of the schema. Keys that a preset sets have its values if they were null.

    Raises
    ------
    ConfigError
        If a key is unknown, a value has the wrong type or is out of bounds, a path names the home
        of an unknown user, or keys of the output contradict one another. The text names the key,
        its value and the accepted values.
    """
    full = with_defaults(config, schema)
    errors = list(Validator(schema).iter_errors(full))
    if errors:
        raise _explain(min(errors, key=lambda error: str(error.json_path)), full, schema)
    resolved: dict[str, Any] = _canonical(resolve(full, schema), schema)
    _expand_home(resolved, schema)
    unset = [key for key in PLACES if resolved[key] is None]
    if unset:
        given = " ".join(f"{key}={PLACES[key]}" for key in unset)
        raise ConfigError(
            f"{' and '.join(unset)} {'is' if len(unset) == 1 else 'are'} not set",
            f"set {' and '.join(unset)} in config.yaml, or add --config {given}",
        )
    return resolved


def _expand_home(config: dict[str, Any], schema: Schema) -> None:
    """Replace ``~`` in paths by the home folder, because jobs may run as another user."""
    for name, part in _leaves(schema):
        if part.get("format") == "path":
            *sections, key = name.split(".")
            place = config
            for section in sections:
                place = place[section]
            place[key] = place[key] and at_home(f"config key {name}", place[key])


def with_defaults(config: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Copy of a config with defaults for missing keys, unchecked."""
    return _with_defaults(copy.deepcopy(config), schema)


def _with_defaults(config: dict[str, Any], schema: Schema) -> dict[str, Any]:
    for name, part in schema["properties"].items():
        if "properties" in part:
            section = config.get(name)
            if section is None or isinstance(section, dict):
                config[name] = _with_defaults(section or {}, part)
        elif "default" in part:
            config.setdefault(name, copy.deepcopy(part["default"]))
            config[name] = _from_command_line(config[name], part)
    return config


def _canonical(value: Any, part: Schema) -> Any:
    """Give equal values one form, such as 1 and 1.0, because the recipe's digest includes them."""
    if "anyOf" in part:
        part = next(p for p in part["anyOf"] if Validator(p).is_valid(value))
    kinds = part.get("type", [])
    if "object" in kinds:
        return {name: _canonical(v, part["properties"][name]) for name, v in value.items()}
    if "array" in kinds:
        return [_canonical(v, part["items"]) for v in value]
    if isinstance(value, bool | str | None):
        return value
    return float(value) if "number" in kinds else int(value)


def _from_command_line(value: Any, part: Schema) -> Any:
    """Read what ``--config`` hands on as text: words such as true, and all inside [ ] and { }."""
    if value == "null" and Validator(part).is_valid(None):
        return None
    for one in part.get("anyOf", [part]):
        kinds = one.get("type", [])
        if isinstance(value, list) and "array" in kinds:
            return [_from_command_line(each, one["items"]) for each in value]
        if isinstance(value, str) and kinds and "string" not in kinds:
            read = _read_word(value)
            if Validator({"type": kinds}).is_valid(read):
                return read
    return value


def _read_word(text: str) -> Any:
    """A number or a word of YAML; the text itself where it is neither."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _explain(error: ValidationError, config: dict[str, Any], schema: Schema) -> ConfigError:
    path = [str(p) for p in error.absolute_path if not isinstance(p, int)]
    if error.validator == "additionalProperties":
        unknown = sorted(set(error.instance) - set(error.schema["properties"]))
        known = ", ".join(error.schema["properties"])
        name = ".".join([*path, unknown[0]])
        return ConfigError(f"unknown config key {name}", f"known keys here are {known}")
    part, value = schema, config
    for name in path:
        part, value = part["properties"][name], value[name]
    return ConfigError(
        f"config key {'.'.join(path)} has {value!r}",
        f"it takes {takes(part)}",
    )


def takes(part: Schema) -> str:
    """Describe in words which values a key accepts."""
    if "anyOf" in part:
        return ", or ".join(takes(one) for one in part["anyOf"])
    if "enum" in part or "const" in part:
        return " or ".join(_shown(value) for value in part.get("enum", [part.get("const")]))
    if part.get("type") == "array":
        return f"[ ] of {part['minItems']}, each {takes(part['items'])}"
    if "properties" in part:
        return f"a mapping of {', '.join(part['properties'])}"
    names = {"string": "text", "boolean": "true or false", "integer": "a whole number"}
    kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
    words = " or ".join(names.get(k, "a number" if k == "number" else k) for k in kinds)
    if "minimum" in part and "maximum" in part:
        words += f", {part['minimum']} to {part['maximum']}"
    elif "minimum" in part:
        words += f", at least {part['minimum']}"
    elif "exclusiveMinimum" in part:
        words += f" above {part['exclusiveMinimum']}, up to {part['maximum']}"
    return f"{words} like {part['examples'][0]}" if "examples" in part else words


def table(schema: Schema) -> str:
    """Render the table of all keys in docs/config.md."""
    rows = ["| key | takes | default | what it does |", "|---|---|---|---|"]
    for name, part in _leaves(schema):
        unit = f" [{part['unit']}]" if "unit" in part else ""
        default = "(set it)" if "default" not in part else f"`{_shown(part['default'])}`"
        # Links in the schema start from the top of the repository.
        description = part["description"].replace("docs/", "")
        rows.append(f"| `{name}` | {takes(part)}{unit} | {default} | {description} |")
    return "\n".join(rows) + "\n"


def preset_table(schema: Schema) -> str:
    """Render the table of presets, in Markdown."""
    names = schema["properties"]["output"]["properties"]["preset"]["enum"]
    rows = [f"| key | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for key, part in _leaves(schema):
        if "presets" in part:
            cells = [f"`{_shown(part['presets'][name])}`" for name in names]
            rows.append(f"| `{key}` | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def with_table(page: str, rendered: str) -> str:
    """Replace the table between the marks of a page."""
    start, end = (page.index(mark) for mark in TABLE_MARKS)
    return page[:start] + TABLE_MARKS[0] + "\n" + rendered + page[end:]


def _leaves(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    for name, part in schema["properties"].items():
        if "properties" in part:
            yield from _leaves(part, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", part


def _shown(value: Any) -> str:
    return (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )
