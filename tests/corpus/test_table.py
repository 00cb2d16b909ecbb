"""The published table is that of the cases, and each case is told apart."""

import pytest

from corpus.case import Case, reads_as
from corpus.table import PAGE, THEMES, outcome, page, row
from lungprep import errors

CASES = [case for _, cases in THEMES for case in cases]


def test_the_page_is_rendered_from_the_cases():
    assert PAGE.read_text("utf-8") == page(), "run make table"


def test_each_case_has_a_line_of_its_own():
    assert len({(case.given, *case.settings.items()) for case in CASES}) == len(CASES)
    assert page().count("\n| ") == len(CASES) + len(THEMES)


def test_each_outcome_is_a_refusal_or_an_acceptance_whose_voxels_are_compared():
    for case in CASES:
        if case.refused is None:
            assert case.check is not None, case.given
        else:
            assert (case.check, case.flags) == (None, ()), case.given
            assert issubclass(getattr(errors, case.refused[0]), errors.DataError)
            assert "; " in case.refused[1] or case.refused[1].endswith("…")


def test_rows_read_as_they_should():
    case = Case("a | b", dict, {"accept_derived": True}, refused=("TooShort", "12 mm; …"))
    assert row(case) == r"| a \| b | `accept_derived: true` | **TooShort**: 12 mm; … |" + "\n"
    assert outcome(Case("a", dict, flags=("x", "y"))) == "accepted: `x`, `y`"


@pytest.mark.parametrize(
    ("text", "expected", "same"),
    [
        ("3 of 4; do", "3 of 4; do", True),
        ("3 of 4; do", "… of 4; do", True),
        ("3 of 4; do", "3 of 4; …", True),
        ("3 of 4; do", "3 of 4", False),
        ("3 of 4; do", "of 4; do", False),
        ("3 of 4; do", "3.of 4; do", False),
    ],
)
def test_expected_texts_are_matched_whole_and_literally(text, expected, same):
    assert reads_as(text, expected) is same
