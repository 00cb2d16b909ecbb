"""What Snakemake is not to see while it plans."""

import inspect
from types import SimpleNamespace

from snakemake import persistence
from snakemake.io import IOCache, IOFile

from lungprep.unseen import hide_leftovers, leave_no_trace


def test_files_of_hidden_folders_do_not_exist():
    cache = IOCache(0)
    hide_leftovers(cache, ["work/P1/published", "work/_refused"])
    for path, hidden in (
        ("work/P1/load.json", True), ("work/_refused", True),
        ("work/P2/load.json", False), ("config.yaml", False),
    ):  # fmt: skip
        file = IOFile(path)
        assert (file in cache.exists_local) == hidden, path
        assert not hidden or cache.exists_local[file] is False


def test_a_dry_run_takes_no_lock_and_looks_for_none():
    assert "Directory cannot be locked" in inspect.getsource(persistence)
    assert "self.lock = self.lock_warn_only" in inspect.getsource(persistence)
    assert callable(persistence.PersistenceBase.save_iocache)
    held = SimpleNamespace(lock=lambda: 1 / 0, save_iocache=lambda: 1 / 0)
    leave_no_trace(held)
    with held.lock():
        held.save_iocache()
