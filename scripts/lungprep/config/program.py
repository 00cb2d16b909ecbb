"""Digest of a program: what Python code does, however it is written, named or explained.

Comments, docstrings, annotations, the order and place of imports, the names and the places of
files, log lines and the words of errors do not count.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

#: Where ``lungprep`` and the scripts of the rules lie.
SCRIPTS = Path(__file__).parents[2]
LIBRARY = "lungprep"
ERRORS = f"{LIBRARY}.errors"
# Fields of syntax that change nothing, or are not the same in every version of Python.
IGNORED = {"annotation", "returns", "type_comment", "type_params", "type_ignores", "ctx", "kind"}
CHECKED_ONLY = "TYPE_CHECKING"


def program_digest(files: Iterable[Path], followed: tuple[str, ...]) -> str:
    """SHA-256 over what files do, and what the modules do that they import.

    Parameters
    ----------
    files : iterable of Path
        Python files.
    followed : tuple of str
        Packages and modules that are part of the program; of other modules the names alone count.

    Returns
    -------
    str
        Hexadecimal; the same under every version of Python.
    """
    return _hash(_file_digest(path, followed) for path in files)


@cache
def _file_digest(path: Path, followed: tuple[str, ...]) -> str:
    tree = ast.parse(path.read_text("utf-8"))
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    blocks = [node for node in ast.walk(tree) if _is_checked_only(node)]
    checked = {id(node) for block in blocks for node in ast.walk(block)}
    counted = [node for node in statements if id(node) not in checked]
    imports = {line for node in counted for line in _imports(node, followed)}
    errors = {
        alias.asname or alias.name
        for node in statements
        if isinstance(node, ast.ImportFrom) and node.module == ERRORS
        for alias in node.names
    }
    return _hash([*sorted(imports), *_Writer(errors).body(tree.body)])


def _imports(node: ast.Import | ast.ImportFrom, followed: tuple[str, ...]) -> Iterator[str]:
    """What each name of an import stands for: the module's digest where that is followed."""
    for alias in node.names:
        name = alias.asname or alias.name
        if isinstance(node, ast.Import):
            module, attribute = alias.name, ""
        else:
            module, attribute = str(node.module), alias.name
            if _file(f"{module}.{attribute}"):
                module, attribute = f"{module}.{attribute}", ""
        path = _file(module)
        if path and any(f"{module}.".startswith(f"{part}.") for part in followed):
            yield f"{name} {attribute} {_file_digest(path, followed)}"
        elif module.split(".")[0] == LIBRARY:
            yield f"{name} {attribute}"
        elif module != "__future__":
            yield f"{name} {attribute} {module}"


def _file(module: str) -> Path | None:
    path = SCRIPTS.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


class _Writer:
    """Writes syntax trees as text, less what changes nothing.

    Parameters
    ----------
    errors : set of str
        Names of errors, whose words are left out.
    """

    def __init__(self, errors: set[str]) -> None:
        self._errors = errors

    def body(self, statements: Iterable[ast.stmt], *, of_class: bool = False) -> Iterator[str]:
        for node in statements:
            if _does_nothing(node) or (not of_class and _only_declares(node)):
                continue
            if isinstance(node, ast.AnnAssign) and node.value and not of_class:
                yield self._node(ast.Assign(targets=[node.target], value=node.value))
            else:
                yield self._node(node)

    def _node(self, node: ast.AST, *, worded: bool = True) -> str:
        if isinstance(node, ast.JoinedStr) and not worded:
            return "''"
        if isinstance(node, ast.Constant):
            return repr(node.value) if worded or not isinstance(node.value, str) else "''"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            worded = worded and node.func.id not in self._errors
        parts = [type(node).__name__]
        for name, value in ast.iter_fields(node):
            if name in IGNORED or value is None or value == []:
                continue
            parts.append(f"{name}={self._value(value, node, worded)}")
        return f"({' '.join(parts)})"

    def _value(self, value: object, owner: ast.AST, worded: bool) -> str:
        if isinstance(value, ast.AST):
            return self._node(value, worded=worded)
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            return f"[{' '.join(self.body(value, of_class=isinstance(owner, ast.ClassDef)))}]"
        if isinstance(value, list):
            return f"[{' '.join(self._value(part, owner, worded) for part in value)}]"
        return repr(value)


def _does_nothing(node: ast.stmt) -> bool:
    """Whether a statement is an import, a text alone, a log line, or for type checkers."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass) or _is_checked_only(node):
        return True
    if not isinstance(node, ast.Expr):
        return False
    call = node.value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        return isinstance(call.func.value, ast.Name) and call.func.value.id == "logger"
    return isinstance(call, ast.Constant)


def _only_declares(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and node.value is None


def _is_checked_only(node: ast.AST) -> bool:
    if not isinstance(node, ast.If):
        return False
    test = node.test
    return isinstance(test, ast.Name) and test.id == CHECKED_ONLY


def _hash(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part}\0".encode())
    return digest.hexdigest()
