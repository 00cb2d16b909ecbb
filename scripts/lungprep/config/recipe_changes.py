"""Differences between the recipe of a published patient and the current one, in words."""

import json
from collections.abc import Iterable
from typing import Any

from lungprep.errors import printable

CODE = "code"
# Each method has its own code, so a change of the method says nothing about edits.
METHOD = "segment.method"
UNTOLD = "its sidecar does not say how"
#: Maximum number of keys in a line, and of sets of keys in a summary.
MOST = 6
LONGEST = 48
# The name of a preset changes no voxel; only the keys that it sets do.
NAMES_ONLY = {"output.preset"}
# More than in any recipe; content from a store may have any number.
MOST_KEYS, MOST_TEXT = 200, 200
DEEPEST = 3

#: Values of a recipe as text, by dotted key; `CODE` has the digest of its code.
Told = dict[str, str]


def told(recipe: Any) -> Told:
    """Values of a recipe, as a user writes them.

    Parameters
    ----------
    recipe : Any
        ``config`` and ``code`` of a sidecar's ``recipe``, which may be any JSON.
    """
    if not isinstance(recipe, dict) or not isinstance(recipe.get("config"), dict):
        return {}
    flat = {CODE: recipe.get(CODE)}
    for section, values in recipe["config"].items():
        if isinstance(values, dict):
            flat |= {f"{section}.{key}": value for key, value in values.items()}
    kept = [key for key in flat if key not in NAMES_ONLY][:MOST_KEYS]
    return {key[:MOST_TEXT]: json.dumps(_plain(flat[key]))[:MOST_TEXT].strip('"') for key in kept}


def changes(made: Told, now: Told) -> str:
    """Describe the changes since a patient was published.

    Parameters
    ----------
    made, now : dict of str to str
        Former and current recipe, from `told`.

    Returns
    -------
    str
        Keys with their former and current values, such as ``resample.spacing_mm [1, 1, 1] ->
        [2, 2, 2]``, and whether the code changed.
    """
    if not made:
        return UNTOLD
    keys = [key for key in dict.fromkeys([*now, *made]) if made.get(key) != now.get(key)]
    found = [f"{_short(k)} {_value(made, k)} -> {_value(now, k)}" for k in keys if k != CODE]
    if len(found) > MOST:
        found[MOST - 1 :] = [f"{len(found) - MOST + 1} other keys"]
    found += ["the code of the image chain"] if CODE in keys and METHOD not in keys else []
    return ", ".join(found) or UNTOLD


def summed_up(counts: Iterable[tuple[str, int]]) -> str:
    """Summarise the changes of several patients, the most frequent first."""
    ordered = sorted(counts, key=lambda item: (-item[1], item[0]))
    if len(ordered) == 1:
        return ordered[0][0]
    parts = [f"{count} by {text}" for text, count in ordered[:MOST]]
    rest = sum(count for _, count in ordered[MOST:])
    return "; ".join([*parts, *([f"{rest} otherwise"] if rest else [])])


def _plain(value: Any, depth: int = 0) -> Any:
    """Value with 1 in place of 1.0, and without content that no config can hold."""
    if isinstance(value, list) and depth < DEEPEST:
        return [_plain(part, depth + 1) for part in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return "..." if isinstance(value, list | dict) else value


def _value(values: Told, key: str) -> str:
    return _short(values[key]) if key in values else "(no such key)"


def _short(text: str) -> str:
    text = printable(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
