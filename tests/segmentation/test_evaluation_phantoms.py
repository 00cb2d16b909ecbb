"""What the evaluation asks of the mask, on a coarse grid; `make lungs` asks it in full."""

import pytest

from lungs.cases import CASES
from lungs.scoring import score

# Neighbours share what is rendered.
NAMES = (
    "vessels",
    "noise-80",
    "metal-spine",
    "field-half",
    "cut-bottom",
    "tracheostomy",
    "stomach-2mm",
    "colon",
    "mattress",
    "breasts",
    "pneumonectomy",
    "nodules-costal-inside-ggo",
    "abdomen-ileus",
    "head",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_mask_is_as_asked(name):
    case = CASES[name]
    found, _ = score(name, case.scene((2.0, 2.0, 2.0)))
    assert found.failures(case) == []
