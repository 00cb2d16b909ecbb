"""What decides the voxels: config values and the code of the image chain."""

import ast
import hashlib
import io
import json
import tokenize
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lungprep.weights import NETWORKS, weights_digest

LIBRARY = Path(__file__).parent
SCRIPTS = LIBRARY.parent
# Config sections whose every value changes voxels, and the code that turns slices into voxels: the
# scripts, which set the parameters, and the image functions with all that they import, less errors,
# whose wording changes nothing, and stores, which hand on bytes.
SECTIONS = ("load", "resample", "segment", "output")
STEPS = ("load", "resample", "segment", "publish")
ROOTS = ("loading", "resampling", "segmentation.methods", "export")
NO_IMAGE = ("errors.py", "stores")
VERSIONS = (
    "numpy",
    "pydicom",
    "pyjpegls",
    "pylibjpeg-libjpeg",
    "pylibjpeg-openjpeg",
    "opencv-python-headless",
    "connected-components-3d",
    "fill-voids",
)


def recipe_digest(config: dict[str, Any]) -> str:
    """SHA-256 over all that changes voxels: what a receipt must carry to be up to date.

    Parameters
    ----------
    config : dict
        The complete config.
    """
    parts = voxel_config(config)
    # By now the preset has set the other keys; its name changes nothing.
    parts["output"] = {k: v for k, v in parts["output"].items() if k != "preset"}
    text = json.dumps([parts, chain_digest(config["segment"]["method"])], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def recipe(config: dict[str, Any]) -> dict[str, Any]:
    """The sidecar's ``recipe``: the digest and what went into it, with the versions in use."""
    method = config["segment"]["method"]
    packages = NETWORKS[method].packages if method in NETWORKS else ()
    return {
        "digest": recipe_digest(config),
        **decisive(config),
        "versions": {name: version(name) for name in (*VERSIONS, *packages)},
    }


def decisive(config: dict[str, Any]) -> dict[str, Any]:
    """What goes into the digest: the config that changes voxels, and the digest of the code."""
    return {"config": voxel_config(config), "code": chain_digest(config["segment"]["method"])}


def voxel_config(config: dict[str, Any]) -> dict[str, Any]:
    """The sections that change voxels; of a network's weights the content, not the path."""
    segment = config["segment"]
    segment = segment | {"weights": weights_digest(segment)}
    return {name: config[name] for name in SECTIONS} | {"segment": segment}


def code_version(script: str, method: str = "classical") -> str:
    """Digest of a script and of every library module that it leads to, for a rule's ``params``.

    Snakemake sees an edit of the script, but not of a module that the script imports; a network's
    module is imported by the name of the method.
    """
    path = SCRIPTS / f"{script}.py"
    roots = [path, *_network(method)]
    return code_digest([path, *_network(method), *imported_modules(roots)])


@cache
def chain_digest(method: str = "classical") -> str:
    """Digest of the code of the image chain."""
    return code_digest(image_chain(method))


def image_chain(method: str = "classical") -> list[Path]:
    """Source files that turn slices into voxels by a method of segmentation, in order of names."""
    roots = [*(_source(name) for name in ROOTS), *_network(method)]
    found = {path for path in roots if path is not None} | set(imported_modules(roots))
    scripts = [SCRIPTS / f"{step}.py" for step in STEPS]
    return [*scripts, *sorted(p for p in found if p.relative_to(LIBRARY).parts[0] not in NO_IMAGE)]


def _network(method: str) -> list[Path]:
    """Module of a network, which `lungprep.segmentation.methods` imports by its name."""
    path = _source(f"segmentation.networks.{method}")
    return [] if path is None else [path]


def imported_modules(sources: Iterable[Path | None]) -> list[Path]:
    """Files of the library that the given files import, directly or not, in order of names."""
    found: set[Path] = set()
    waiting = [path for path in sources if path is not None]
    while waiting:
        for name in _imports(waiting.pop()):
            path = _source(name)
            if path is not None and path not in found:
                found.add(path)
                waiting.append(path)
    return sorted(found)


def code_digest(sources: Iterable[Path]) -> str:
    """SHA-256 over the code of files, whatever their comments, docstrings and blank lines."""
    digest = hashlib.sha256()
    for path in sources:
        name = path.relative_to(SCRIPTS).as_posix()
        digest.update(f"{name}\0{bare_code(path.read_text('utf-8'))}\0".encode())
    return digest.hexdigest()


@cache
def bare_code(source: str) -> str:
    """Source text without comments, docstrings, blank lines and trailing space.

    The text is cut and not rebuilt from a syntax tree, so that every Python version has the same.
    """
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    scopes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, scopes) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            for row in range(text.lineno, (text.end_lineno or text.lineno) + 1):
                lines[row - 1] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


@cache
def _imports(path: Path) -> frozenset[str]:
    """Dotted names below ``lungprep`` that a file imports anywhere."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return frozenset(n.removeprefix("lungprep.") for n in names if n.startswith("lungprep."))


def _source(name: str) -> Path | None:
    path = LIBRARY.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
