"""Rows of a cohort file, in the variants that spreadsheets and text editors write."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lungprep.errors import ConfigError

NEEDED = ("patient", "prefix")
READ = (*NEEDED, "series_uid")
AS_CSV = "save it as CSV in UTF-8"
DELIMITERS = ",;\t"
# First bytes of files that are not text, whatever their extension.
BINARY = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "compressed by gzip",
    b"PAR1": "a Parquet file",
}
# Line in which Excel states the delimiter.
SEPARATOR_LINE = re.compile(r"sep=([,;\t])\r?\n?", re.IGNORECASE)
# Blanks between a closing quote and the end of a cell, which csv's strict mode refuses.
QUOTED_THEN_BLANK = re.compile(r'" +(?=[,;\t\r\n]|$)')


@dataclass(frozen=True)
class Row:
    """Row of the file.

    Attributes
    ----------
    line : int
        Number of its first line in the file, from 1.
    patient, prefix : str
        Cells, never empty.
    series_uid : str or None
        Cell; None if it is empty or the column is absent.
    """

    line: int
    patient: str
    prefix: str
    series_uid: str | None


def read_rows(path: str | Path) -> list[Row]:
    """Read the rows below the header; blank rows are skipped.

    Parameters
    ----------
    path : str or Path
        CSV in UTF-8, or in UTF-16 with a byte order mark. Cells are separated by commas,
        semicolons or tabs, as in the header. Column names are stripped and compared without regard
        to case; other columns are ignored.

    Raises
    ------
    ConfigError
        If the file can't be read, or a row is not clear; the text names the line.
    """
    where = f"patients file {path}"
    records = _records(where, _text(where, Path(path)))
    line, header = next(records, (1, []))
    columns = _columns(where, line, header)
    rows = [_row(f"{where}, line {at},", at, cells, columns, len(header)) for at, cells in records]
    if not rows:
        raise ConfigError(f"{where} has no row below its header", "write a row for each patient")
    return rows


def _text(where: str, path: Path) -> str:
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{where} can't be read ({said})", "give a CSV file") from error
    for start, kind in BINARY.items():
        if content.startswith(start):
            raise ConfigError(f"{where} is {kind}, whatever its name", AS_CSV)
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        known = content[: error.start].decode("utf-8", "replace")
        line = len(re.findall(r"\r\n|\r|\n", known)) + 1
        found = "is not UTF-16" if wide else f"is not UTF-8: byte {content[error.start]:#04x}"
        raise ConfigError(f"{where} {found} in line {line}", AS_CSV) from error
    if not text.strip():
        raise ConfigError(f"{where} is empty", "start it with the line patient,prefix")
    if "\0" in text:
        line = len(re.findall(r"\r\n|\r|\n", text[: text.index("\0")])) + 1
        raise ConfigError(f"{where} has a NUL in line {line}", f"remove it, or {AS_CSV}")
    return text


def _records(where: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of each record that is not blank."""
    lines, skipped, delimiter = io.StringIO(text, newline=""), 0, None
    if named := SEPARATOR_LINE.fullmatch(lines.readline()):
        delimiter, skipped = named[1], 1
    else:
        lines.seek(0)
    delimiter = delimiter or _delimiter(text)
    cleaned = (QUOTED_THEN_BLANK.sub('"', line) for line in lines)
    reader = csv.reader(cleaned, delimiter=delimiter, skipinitialspace=True, strict=True)
    while True:
        line = reader.line_num + skipped + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            stray = "expected after" in str(error)
            found = "has text after a closing quote" if stray else "has a quote that is not closed"
            raise ConfigError(
                f"{where}, line {line}, {found}", "close the quote, or remove it"
            ) from error
        if any(cells):
            yield line, cells


def _delimiter(text: str) -> str:
    """Delimiter with which the first line that has text yields the most known column names."""
    first = next((line for line in text.splitlines() if line.strip(" ,;\t")), "")

    def known(delimiter: str) -> int:
        return len({_name(cell.strip().strip('"')) for cell in first.split(delimiter)} & {*READ})

    return max(DELIMITERS, key=known)


def _name(cell: str) -> str:
    return cell.strip().lower()


def _columns(where: str, line: int, header: list[str]) -> dict[str, int]:
    """Index of each column in use."""
    names = [_name(cell) for cell in header]
    for name in READ:
        if names.count(name) > 1:
            raise ConfigError(
                f"{where} has {names.count(name)} columns {name}", "keep the right one"
            )
    for name in NEEDED:
        if name not in names:
            found = ", ".join(cell[:30] for cell in header[:6] if cell)
            raise ConfigError(
                f"{where} has no column {name}: line {line} reads {found!r}",
                "start it with the line patient,prefix",
            )
    return {name: names.index(name) for name in READ if name in names}


def _row(where: str, line: int, cells: list[str], columns: dict[str, int], width: int) -> Row:
    if any(cells[width:]):
        raise ConfigError(
            f"{where} has {len(cells)} cells under {width} columns",
            "quote a cell that holds the delimiter",
        )
    found = {name: cells[index] if index < len(cells) else "" for name, index in columns.items()}
    for name in NEEDED:
        if not found[name]:
            raise ConfigError(
                f"{where} has no {name}", "give each row a patient and a prefix, or remove it"
            )
    for name, value in found.items():
        if "\n" in value or "\r" in value:
            raise ConfigError(
                f"{where} has a line break in its {name}", "close a quote before it, or remove it"
            )
    return Row(line, found["patient"], found["prefix"], found.get("series_uid") or None)
