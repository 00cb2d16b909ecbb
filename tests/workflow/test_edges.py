"""Where a run has no room, no right to write or no UTF-8, it works or says why in one line."""

import subprocess

import pytest

from lungprep_demo.phantom import chest, slices
from workflow.conftest import COARSE, three

PHANTOM = list(slices(chest(), COARSE))
MOUNT, UMOUNT = "/usr/bin/mount", "/usr/bin/umount"
ASCII = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_without_utf_8_the_recipe_and_the_results_are_the_same(lab):
    lab.admit("P1", [(f"é {name}", content) for name, content in PHANTOM])
    done = lab.run(environ=ASCII)
    assert done.returncode == 0, done.stdout
    assert lab.published() == three("P1")
    assert lab.missing() == ["0 of 1 patients"]
    assert lab.run("-n", environ=ASCII).stdout.rstrip().endswith("missing: 0 of 1 patients")


@pytest.fixture
def tiny(lab, tmp_path):
    """A working directory of 64 KB; `tiny(options)` mounts it anew."""
    lab.folder.mkdir()
    command = [MOUNT, "-t", "tmpfs", "-o", "size=64k", "tmpfs", lab.folder]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("disks can only be mounted by root")
    yield lambda how: subprocess.run([MOUNT, "-o", f"remount,{how}", lab.folder], check=True)
    subprocess.run([UMOUNT, "-l", lab.folder], check=True)


def ended(done, words):
    """A run that ended by one line."""
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("lungprep: ")]
    assert words in line


def test_a_full_working_directory(lab, tiny):
    lab.admit("P1", PHANTOM)
    lab.config = {}
    assert lab.missing() == ["1 of 1 patients", "  P1: missing"]
    with pytest.raises(OSError, match="No space"):
        (lab.folder / "ballast").write_bytes(bytes(70_000))
    # The test's own config is there by now.
    lab.start = with_config_in_place(lab.start)
    assert lab.missing() == ["1 of 1 patients", "  P1: missing"]
    ended(lab.run(), "can't be written (No space left on device); make the working directory")


def test_a_read_only_working_directory(lab, tiny):
    lab.admit("P1", PHANTOM)
    assert lab.run("--lint").returncode == 0
    lab.start = with_config_in_place(lab.start)
    tiny("ro")
    ended(lab.run(), "(Read-only file system); make the working directory writable, or run in")
    tiny("rw")
    assert lab.missing() == ["1 of 1 patients", "  P1: missing"]
    tiny("ro")
    assert lab.missing() == ["1 of 1 patients", "  P1: missing"]


def with_config_in_place(start):
    """Start without writing the config file of the test again."""

    def started(*arguments, **options):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("pathlib.Path.write_text", lambda path, text: len(text))
            return start(*arguments, **options)

    return started
