"""Small JSON files: of steps to one another beside their arrays, and in the target."""

import json
from pathlib import Path
from typing import Any

# Of one patient in a target: they have some 10 kB. What is larger is none, and is not read.
LARGEST_RECORD = 1 << 22


def write_record(path: str | Path, record: dict[str, Any]) -> None:
    """Write a record as indented JSON."""
    Path(path).write_bytes(to_json(record))


def read_record(path: str | Path) -> dict[str, Any]:
    """Read what `write_record` wrote."""
    record: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    return record


def from_store(content: bytes) -> Any:
    """Parse what lies in a store, which may hold any JSON or none.

    Raises
    ------
    ValueError
        Where it is no JSON, or nested too deep to be parsed.
    """
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def to_json(record: dict[str, Any]) -> bytes:
    """UTF-8 JSON, one key a line, NaN refused."""
    return (json.dumps(record, indent=2, allow_nan=False) + "\n").encode()
