"""The table of the corpus, docs/corpus.md, rendered from the cases.

To write it: ``make table``.
"""

from pathlib import Path

from corpus import (
    acquisition_cases,
    beside_cases,
    choice_cases,
    coherence_cases,
    encoding_cases,
    file_cases,
    gap_cases,
    geometry_cases,
    hu_cases,
    person_cases,
    real_encoding_cases,
    real_file_cases,
    resampled_cases,
    series_cases,
    stored_value_cases,
    subtle_cases,
    tilt_cases,
)
from corpus.case import Case

PAGE = Path(__file__).parents[2] / "docs/corpus.md"
THEMES = (
    ("Series", series_cases.CASES),
    ("Series: what they show", choice_cases.CASES),
    ("People", person_cases.CASES),
    ("Duplicates and acquisitions", acquisition_cases.CASES),
    ("Geometry: orientation and pixels", geometry_cases.CASES),
    ("Geometry: gaps and length", gap_cases.CASES),
    ("Geometry: shifts, tilt, obliquity", tilt_cases.CASES),
    ("What the slices show", [*coherence_cases.CASES, *subtle_cases.CASES]),
    ("What the slices show: resampled scans, written as slices again", resampled_cases.CASES),
    ("Stored values", stored_value_cases.CASES),
    ("Hounsfield units", hu_cases.CASES),
    ("Encodings", encoding_cases.CASES),
    ("Broken files and headers", file_cases.CASES),
    ("Beside the scan, or in its place", beside_cases.CASES),
    ("Real files", real_file_cases.CASES),
    ("Real files: encodings", real_encoding_cases.CASES),
)
INTRO = """\
# What happens to each input

This page lists inputs, sound and defective, and what lungprep does with each. It is for whoever
wants to know whether a certain defect is repaired, flagged or refused; [images.md](images.md)
gives the rules behind it.

Each row is a test in `tests/corpus`:

* **input.** "The scan" is the demo's real scan, thinned to 30 slices of 128 x 128 pixels. It keeps
  its own headers, with PixelSpacing and SliceThickness adapted to the thinned scan. "A phantom" is
  synthetic, with known values at every point.
* **settings.** The keys of the config's section `load` that differ from their default, and
  `series_uid` of the cohort file.
* **outcome.** An accepted input has exactly the flags that its row lists. Its voxels are compared:
  bit by bit with the undisturbed scan, or at 1 mm with an evaluation in float64 of the slices as
  their headers place them. A refused input ends in the error of its row, and the whole text must
  match; "…" stands for anything.

Real files are not part of this repository: their tests skip if `../shared/data` is absent.

The tables are rendered from the tests' own data, and a test fails if they differ. To render them
again:

    make table
"""
HEAD = "| input | settings | outcome |\n|---|---|---|\n"


def page() -> str:
    """The whole page, Markdown."""
    parts = [INTRO]
    for theme, cases in THEMES:
        parts += [f"\n## {theme}\n\n", HEAD, *(row(case) for case in cases)]
    return "".join(parts)


def row(case: Case) -> str:
    """One line of a table."""
    settings = ", ".join(f"`{key}: {_plain(value)}`" for key, value in case.settings.items())
    return f"| {_cell(case.given)} | {settings} | {_cell(outcome(case))} |\n"


def outcome(case: Case) -> str:
    """What becomes of the input, in words."""
    if case.refused is not None:
        kind, text = case.refused
        return f"**{kind}**: {text}"
    if case.flags:
        return "accepted: " + ", ".join(f"`{flag}`" for flag in case.flags)
    return "accepted"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
