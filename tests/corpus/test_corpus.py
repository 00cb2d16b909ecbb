"""Each case of the corpus: the outcome, and the voxels."""

import pytest

from corpus.case import load_case, reads_as
from corpus.table import THEMES
from lungprep.errors import DataError

# Half a second each, and hundreds of them.
pytestmark = pytest.mark.slow

ALL = [pytest.param(case, id=case.given) for _, cases in THEMES for case in cases]


@pytest.mark.parametrize("case", ALL)
def test_case(case):
    absent = [path for path in case.needs if not path.exists()]
    if absent:
        pytest.skip(f"{absent[0].name} is not here")
    files = case.files()
    if case.refused is not None:
        with pytest.raises(DataError) as caught:
            load_case(files, case.settings)
        found = f"{type(caught.value).__name__}: {caught.value}"
        assert reads_as(found, ": ".join(case.refused)), found
        assert "\n" not in found
        return
    volume, scan = load_case(files, case.settings)
    assert sorted(scan.flags) == sorted(case.flags)
    case.check(files, volume, scan)
