"""What changes the digest of a program, and what does not."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lungprep.config import program

SCRIPT = '''
"""Script."""
from pathlib import Path
from typing import TYPE_CHECKING

from lungprep.errors import DataError
from lungprep.image.first import half
from lungprep.stores import open_store

if TYPE_CHECKING:
    from lungprep.image.second import Whole


class A:
    """Class."""

    size: int
    name: str = "a"

    def f(self, x: int) -> float:
        """Function."""
        y: float = half(x)  # the comment
        logger.info("halved")
        if x < 0:
            raise DataError(f"{x} is below 0", "give more")
        return y + 1.0 + len(f"{x} # no comment")
'''
FIRST = "from lungprep.image.second import divided\n\n\ndef half(x):\n    return divided(x, 2)\n"
SECOND = "def divided(x, y):\n    return x / y\n"
IMAGE = ("lungprep.image",)


@pytest.fixture
def digest(tmp_path, monkeypatch):
    """Digest of the script with some texts replaced in its files."""
    monkeypatch.setattr(program, "SCRIPTS", tmp_path)
    files = {
        "script.py": SCRIPT,
        "lungprep/errors.py": "class DataError(Exception): ...\n",
        "lungprep/image/first.py": FIRST,
        "lungprep/image/second.py": SECOND,
        "lungprep/stores/__init__.py": "def open_store(): ...\n",
    }

    def computed(*edits, moved=None):
        program._file_digest.cache_clear()
        for name, text in files.items():
            for old, new in edits:
                text = text.replace(old, new)
            path = tmp_path / (moved or {}).get(name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return program.program_digest([tmp_path / "script.py"], IMAGE)

    return computed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Function."""', '"""Another function.\n\n        Longer.\n        """'),
        ("# the comment", "# another"),
        ("class A:", "\n# why\n\nclass A:"),
        ("x: int", "x: 'numpy.int16'"),
        ("y: float = half", "y = half"),
        ("-> float", "-> int"),
        ('logger.info("halved")', 'logger.warning("halved: %d", x)'),
        ('f"{x} is below 0", "give more"', '"below 0", "give none below 0"'),
        ("from pathlib import Path\nfrom typing import TYPE_CHECKING\n", ""),
        ("from lungprep.stores import open_store\n", ""),
        ("import Whole", "import Part"),
        ("def open_store(): ...", "def open_store(): return 1"),
        ("class DataError(Exception)", "class DataError(ValueError)"),
    ],
)
def test_what_changes_no_voxel_does_not_count(digest, old, new):
    imports = "from pathlib" in old or "open_store\n" in old
    assert old in SCRIPT or "def open_store" in old or "class DataError" in old
    # An import less is another program: only its place and order do not count.
    assert (digest() == digest((old, new))) is not imports


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("+ 1.0", "+ 1"),
        ("+ 1.0", "- 1.0"),
        ("no comment", "a comment"),
        ("x < 0", "x <= 0"),
        ("raise DataError(", "raise half("),
        ("divided(x, 2)", "divided(x, 3)"),
        ("x / y", "x // y"),
        ('name: str = "a"', 'name: str = "b"'),
        ("size: int", "length: int"),
        ("size: int", ""),
        ("class A", "class B"),
        ("import half", "import divided as half"),
        ("from pathlib import Path", "from shutil import Path"),
    ],
)
def test_what_may_change_one_does(digest, old, new):
    assert digest() != digest((old, new))


def test_the_order_and_the_place_of_imports_do_not_count(digest):
    path = "from pathlib import Path\n"
    inside = (path, ""), ('"""Function."""', f'"""Function."""\n        {path}')
    assert digest() == digest(*inside)
    assert digest() == digest((path, ""), ("import half\n", f"import half\n{path}"))


def test_a_module_may_move_and_may_not_be_swapped(digest):
    before = digest()
    moved = {"lungprep/image/second.py": "lungprep/image/arithmetic/quotients.py"}
    assert digest(("image.second", "image.arithmetic.quotients"), moved=moved) == before
    assert digest(("image.first import half", "image.second import half")) != before


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_version_of_python_has_the_same(version):
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-c", ""], check=False).returncode:
        pytest.skip(f"no Python {version} here")
    folder = Path(program.__file__).parents[2]
    code = "import sys; sys.path.insert(0, sys.argv[1])\n"
    code += "from pathlib import Path\nfrom lungprep.config.program import program_digest\n"
    code += "files = sorted(Path(sys.argv[1], 'lungprep', 'image').rglob('*.py'))\n"
    code += "print(program_digest(files, ('lungprep.image',)))"
    told = [
        subprocess.check_output([each, "-c", code, folder], text=True)
        for each in (python, sys.executable)
    ]
    assert told[0] == told[1]
    assert re.fullmatch(r"[0-9a-f]{64}\n", told[0])
