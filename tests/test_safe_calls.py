"""Nothing that is read is run: by the calls in the source, and by the tests that the notes name."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = [*(ROOT / "scripts").rglob("*.py"), *(ROOT / ".ci").rglob("*.py")]
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load",
    "pickle.loads", "yaml.load", "yaml.unsafe_load", "joblib.load", "marshal.loads", "shelve.open",
}  # fmt: skip
# Calls that are safe with this argument alone.
GUARDED = {"np.load": ("allow_pickle", False), "torch.load": ("weights_only", True)}


def unsafe(source):
    """Calls of a source text that run, or may run, what they are given."""
    found = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        given = {k.arg: k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}
        guard = GUARDED.get(name)
        unguarded = guard is not None and given.get(guard[0]) is not guard[1]
        if name in FORBIDDEN or unguarded or given.get("shell") is True:
            found.append(f"line {call.lineno}: {name}")
    return found


def test_no_call_runs_what_it_reads():
    assert len(SOURCES) > 100
    assert not {path: found for path in SOURCES if (found := unsafe(path.read_text()))}


def test_the_search_finds_what_it_should():
    for text in ("eval(x)", "np.load(f)", "np.load(f, allow_pickle=True)", "torch.load(f)"):
        assert unsafe(text)
    assert unsafe("subprocess.run(x, shell=True)")
    assert not unsafe("np.load(f, allow_pickle=False)")
    assert not unsafe("re.compile(x)")


def test_the_shell_of_rules_has_no_name_from_outside():
    for path in (ROOT / "rules").glob("*.smk"):
        for command in re.findall(r"shell:\s*\n\s*\"(.*)\"", path.read_text()):
            assert set(re.findall(r"\{(.*?)\}", command)) <= {"log"}


def test_each_test_that_the_notes_name_is_there():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/security.md").read_text())
    assert len(named) > 30
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(), f"{file}::{name}"


def test_text_is_read_as_utf_8_whatever_the_locale():
    """Or the same source would have another digest, and a cohort be stale, on another machine."""
    for path in (ROOT / "scripts").rglob("*.py"):
        assert ".read_text()" not in path.read_text("utf-8"), path
