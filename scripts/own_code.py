"""Ensure that the clone's own code runs; each script calls this before it imports anything else.

Python searches the folders of PYTHONPATH before its own folders and those of its packages, and
Snakemake puts a script's folder last. Any module there that is named ``lungprep``, or like a module
that lungprep needs, would run instead, and publish other voxels under this clone's recipe. Only
modules that every Python has already loaded are imported here: others might be such impostors.
"""

import os
import sys

HERE = os.path.realpath(__file__).rpartition("/")[0]
OURS = "lungprep"
# Top-level modules of lungprep's dependencies, and of those that they need to reach a store; a test
# compares them with the locked packages.
NEEDED = {
    "boto3", "botocore", "cc3d", "cv2", "dateutil", "fill_voids", "imageio", "jmespath", "jpeg_ls",
    "jsonschema", "libjpeg", "lungmask", "nnunetv2", "numpy", "obstore", "openjpeg", "pydicom",
    "pylibjpeg", "s3transfer", "scipy", "six", "skimage", "snakemake", "torch", "urllib3", "yaml",
}  # fmt: skip
# Modules that Python takes from the first folder that has one: they hide nothing.
HOOKS = {"sitecustomize", "usercustomize"}
SUFFIXES = (".py", ".pyc", ".so")
LINE = 200
LISTED = 3


def check() -> None:
    """Move folders that hide modules of the clone, of Python or of packages to the end of the path.

    Prints a line about each folder, except in jobs, whose run has already printed it. Ends the
    process with one line if such a module is already loaded or, later, if a package can't be
    imported.
    """
    sys.excepthook = _told
    python = os.path.realpath(os.__file__).rpartition("/")[0]
    first = _index(python)
    for folder in _before(first):
        hidden = _hidden(folder, sys.path[first:])
        for name, path in hidden.items():
            # In a folder of installed packages, loaded packages are legitimate.
            if not _is_installed(folder) or name not in NEEDED:
                _refuse_loaded(name, path, folder)
        if hidden or os.path.isfile(folder):
            sys.path[:] = [*(p for p in sys.path if p != folder), folder]
        if hidden and not hasattr(sys.modules["__main__"], "snakemake"):
            some = ", ".join(list(hidden.values())[:LISTED])
            _say(f"{some}: ignored, because it hides a module that lungprep needs")
    sys.path[:] = [HERE, *(path for path in sys.path if os.path.realpath(path) != HERE)]
    sys.meta_path.insert(0, OwnModules)
    import lungprep

    for name in [name for name in sys.modules if f"{name}.".startswith(f"{OURS}.")]:
        _refuse_loaded(name, str(lungprep.__file__), "")


class OwnModules:
    """First finder in `sys.meta_path`: finds lungprep's modules by the path alone."""

    @staticmethod
    def find_spec(name, path=None, target=None):  # type: ignore[no-untyped-def]
        """See `importlib.abc.MetaPathFinder`."""
        if not f"{name}.".startswith(f"{OURS}."):
            return None
        return sys.modules["_frozen_importlib_external"].PathFinder.find_spec(name, path, target)


def pass_on(environ: "os._Environ[str]") -> None:
    """Remove the folders that are searched last from the PYTHONPATH of child processes."""
    first = _index(os.path.realpath(os.__file__).rpartition("/")[0])
    kept = {os.path.realpath(path) for path in _before(first)}
    parts = [p for p in environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    parts = [part for part in parts if os.path.realpath(part) in {*kept, HERE}]
    if parts:
        environ["PYTHONPATH"] = os.pathsep.join(parts)
    else:
        environ.pop("PYTHONPATH", None)


def _index(python: str) -> int:
    """Index of Python's own modules in the search path."""
    real = [os.path.realpath(path) for path in sys.path]
    return real.index(python) if python in real else len(real)


def _before(first: int) -> list[str]:
    """Folders searched before Python's own modules, and the user's, searched before packages."""
    site = sys.modules.get("site")
    user = getattr(site, "USER_SITE", None) if getattr(site, "ENABLE_USER_SITE", False) else None
    return [
        path
        for n, path in enumerate(sys.path)
        if (n < first or path == user) and os.path.realpath(path) != HERE
    ]


def _hidden(folder: str, later: list[str]) -> dict[str, str]:
    """Files of a folder that hide modules of Python, of lungprep or of its packages.

    Parameters
    ----------
    folder : str
        Part of the search path.
    later : list of str
        Parts after it: a package that exists nowhere else is not hidden.

    Returns
    -------
    dict of str to str
        Files, by the name of the module.
    """
    found = {}
    modules = _modules(folder)
    for name in sorted(modules.keys() & {OURS, *NEEDED, *sys.stdlib_module_names}, key=_ours_first):
        elsewhere = (path for path in later if os.path.realpath(path) != os.path.realpath(folder))
        own = name == OURS or name in sys.stdlib_module_names
        if own or any(_has(path, name) for path in elsewhere):
            found[name] = modules[name]
    # The user's own packages, installed by pip, take precedence on purpose.
    user = folder == getattr(sys.modules.get("site"), "USER_SITE", None)
    return {} if user and _is_installed(folder) else found


def _ours_first(name: str) -> tuple[bool, str]:
    return name != OURS, name


def _is_installed(folder: str) -> bool:
    return any(name.endswith((".dist-info", ".egg-info")) for name in _names(folder))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder or ".")
    except OSError:
        return []


def _modules(folder: str) -> dict[str, str]:
    """Modules of a folder that Python could import, with their files."""
    found = {}
    folder = folder or "."
    for name in _names(folder):
        stem, dot, _ = name.partition(".")
        if dot and name.endswith(SUFFIXES):
            found.setdefault(stem, f"{folder}/{name}")
        elif not dot and os.path.isfile(f"{folder}/{name}/__init__.py"):
            found[name] = f"{folder}/{name}/__init__.py"
    return {name: path for name, path in found.items() if name not in HOOKS}


def _has(folder: str, name: str) -> bool:
    return os.path.isdir(f"{folder}/{name}") or any(
        entry.partition(".")[0] == name and entry.endswith(SUFFIXES) for entry in _names(folder)
    )


def _refuse_loaded(name: str, path: str, folder: str) -> None:
    """End the process if the wrong module of this name is loaded."""
    module = sys.modules.get(name)
    taken = os.path.realpath(str(getattr(module, "__file__", None)))
    if module is None:
        return
    ours = f"{name}.".startswith(f"{OURS}.")
    wrong = not taken.startswith(f"{HERE}/{OURS}/") if ours else taken == os.path.realpath(path)
    if wrong:
        whose = f"the one of {HERE}" if ours else "Python's or that of its packages"
        remedy = f"remove {folder} from PYTHONPATH" if folder else "uninstall or rename it"
        _end(f"{name} was imported from {taken}, and is not {whose}; {remedy}, then run again")


def _told(kind, error, trace) -> None:  # type: ignore[no-untyped-def]
    """Replace `sys.excepthook`: a package that can't be imported gets one line."""
    frames, frame = [], trace
    while frame is not None:
        code = frame.tb_frame.f_code
        frames.append((code.co_filename, code.co_name))
        frame = frame.tb_next
    foreign = [file for file, name in frames if name == "<module>" and _is_foreign(file)]
    # With PYTHONINSPECT, SystemExit arrives here too.
    of_import = issubclass(kind, Exception) and (
        foreign or issubclass(kind, ImportError | SyntaxError)
    )
    if not of_import:
        sys.__excepthook__(kind, error, trace)
        return
    words = (str(error).strip().splitlines() or [""])[0]
    what = foreign[0] if foreign else getattr(error, "name", None) or "a package"
    remedy = (
        "install the packages of envs/requirements.txt, or remove what hides them from PYTHONPATH"
    )
    _end(f"{what} can't be imported ({kind.__name__}: {words[:LINE]}); {remedy}")


def _is_foreign(file: str) -> bool:
    script = str(getattr(sys.modules["__main__"], "__real_file__", HERE))
    return not file.startswith(("<", f"{HERE}/")) and file != script


def _end(text: str) -> None:
    """End the process with a line, which also goes to the job's log and to the run."""
    text = _printable(text)
    job = getattr(sys.modules["__main__"], "snakemake", None)
    if job is not None:
        patient = job.wildcards.get("patient")
        _leave(str(job.log[0]), f"{patient or 'share'}: {text}\n")
        if patient:
            _leave(f"{os.path.dirname(job.output[0])}/failure.json", _verdict(job.rule, text))
    _say(text)
    os._exit(1)


def _say(text: str) -> None:
    os.write(2, f"lungprep: {_printable(text)}\n".encode(errors="replace"))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _verdict(step: str, text: str) -> str:
    """Verdict in the form of `workspace.verdicts`: no retry helps, and no data are at fault."""
    import json

    fields = {"step": step, "error": "WorkspaceError", "text": text}
    return json.dumps({**fields, "transient": False, "data": False})


def _leave(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError:
        return
