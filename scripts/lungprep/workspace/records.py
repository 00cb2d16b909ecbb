"""Small JSON files: records of steps beside their arrays, and records in the target."""

import json
from pathlib import Path
from typing import Any

# Records of one patient in a target take about 10 kB; larger files are not read.
LARGEST_RECORD = 1 << 22


def write_record(path: str | Path, record: dict[str, Any]) -> None:
    """Write a record as indented JSON."""
    Path(path).write_bytes(to_json(record))


def read_record(path: str | Path) -> dict[str, Any]:
    """Read a record of `write_record`."""
    record: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    return record


def from_store(content: bytes) -> Any:
    """Parse content of a store, which may be any JSON or none.

    Raises
    ------
    ValueError
        If it is not JSON, or is nested too deeply.
    """
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def to_json(record: dict[str, Any]) -> bytes:
    """Record as UTF-8 JSON, one key per line; NaN is refused."""
    return (json.dumps(record, indent=2, allow_nan=False) + "\n").encode()
