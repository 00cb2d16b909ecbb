"""See that the code which runs is the clone's own; each script calls this before it imports more.

Python looks into the folders of PYTHONPATH before its own and those of its packages, and Snakemake
puts the folder of a script last. Whatever there is named ``lungprep``, or like a module that
lungprep needs, would run in its place and publish other voxels under the recipe of this clone.
Only modules that every Python has loaded by itself are imported here: others might be those.
"""

import os
import sys

HERE = os.path.realpath(__file__).rpartition("/")[0]
OURS = "lungprep"
# Top-level modules of what lungprep needs and of what that needs to reach a store; a test holds
# them against the locked packages.
NEEDED = {
    "boto3", "botocore", "cc3d", "cv2", "dateutil", "fill_voids", "imageio", "jmespath", "jpeg_ls",
    "jsonschema", "libjpeg", "lungmask", "nnunetv2", "numpy", "obstore", "openjpeg", "pydicom",
    "pylibjpeg", "s3transfer", "scipy", "six", "skimage", "snakemake", "torch", "urllib3", "yaml",
}  # fmt: skip
# Meant to be found in the first folder that has one: they hide nothing.
HOOKS = {"sitecustomize", "usercustomize"}
SUFFIXES = (".py", ".pyc", ".so")
LINE = 200
LISTED = 3


def check() -> None:
    """Search folders last that hide modules of the clone, of Python or of packages.

    Says so by a line for each, except in jobs, whose run has said it. Ends the process by one line
    where such a module is loaded already, or later where a package can't be imported.
    """
    sys.excepthook = _told
    python = os.path.realpath(os.__file__).rpartition("/")[0]
    first = _index(python)
    for folder in _before(first):
        hidden = _hidden(folder, sys.path[first:])
        for name, path in hidden.items():
            # Where packages were installed, those that are loaded by now are no strangers.
            if not _is_installed(folder) or name not in NEEDED:
                _refuse_loaded(name, path, folder)
        if hidden or os.path.isfile(folder):
            sys.path[:] = [*(p for p in sys.path if p != folder), folder]
        if hidden and not hasattr(sys.modules["__main__"], "snakemake"):
            some = ", ".join(list(hidden.values())[:LISTED])
            _say(f"{some}: passed over, for it hides what lungprep needs by that name")
    sys.path[:] = [HERE, *(path for path in sys.path if os.path.realpath(path) != HERE)]
    sys.meta_path.insert(0, OwnModules)
    import lungprep

    for name in [name for name in sys.modules if f"{name}.".startswith(f"{OURS}.")]:
        _refuse_loaded(name, str(lungprep.__file__), "")


class OwnModules:
    """First of the finders: whatever else stands in `sys.meta_path`, ours are found by the path."""

    @staticmethod
    def find_spec(name, path=None, target=None):  # type: ignore[no-untyped-def]
        """See `importlib.abc.MetaPathFinder`."""
        if not f"{name}.".startswith(f"{OURS}."):
            return None
        return sys.modules["_frozen_importlib_external"].PathFinder.find_spec(name, path, target)


def pass_on(environ: "os._Environ[str]") -> None:
    """Take what is searched last off the PYTHONPATH of all processes that are started from here."""
    first = _index(os.path.realpath(os.__file__).rpartition("/")[0])
    kept = {os.path.realpath(path) for path in _before(first)}
    parts = [p for p in environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    parts = [part for part in parts if os.path.realpath(part) in {*kept, HERE}]
    if parts:
        environ["PYTHONPATH"] = os.pathsep.join(parts)
    else:
        environ.pop("PYTHONPATH", None)


def _index(python: str) -> int:
    """Where the search path comes to Python's own modules."""
    real = [os.path.realpath(path) for path in sys.path]
    return real.index(python) if python in real else len(real)


def _before(first: int) -> list[str]:
    """Folders that are searched before Python's own, and the user's, before its packages."""
    site = sys.modules.get("site")
    user = getattr(site, "USER_SITE", None) if getattr(site, "ENABLE_USER_SITE", False) else None
    return [
        path
        for n, path in enumerate(sys.path)
        if (n < first or path == user) and os.path.realpath(path) != HERE
    ]


def _hidden(folder: str, later: list[str]) -> dict[str, str]:
    """Files of a folder that are found in place of modules of Python, of lungprep or its packages.

    Parameters
    ----------
    folder : str
        Part of the search path.
    later : list of str
        What comes after it: a package that is nowhere else is not hidden.

    Returns
    -------
    dict of str to str
        By the name of the module.
    """
    found = {}
    modules = _modules(folder)
    for name in sorted(modules.keys() & {OURS, *NEEDED, *sys.stdlib_module_names}, key=_ours_first):
        elsewhere = (path for path in later if os.path.realpath(path) != os.path.realpath(folder))
        own = name == OURS or name in sys.stdlib_module_names
        if own or any(_has(path, name) for path in elsewhere):
            found[name] = modules[name]
    # The user's own packages, installed by pip, are meant to come first.
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
    """Modules of a folder that Python would import, with their files."""
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
    """End the process if a module is loaded that is not the one it should be."""
    module = sys.modules.get(name)
    taken = os.path.realpath(str(getattr(module, "__file__", None)))
    if module is None:
        return
    ours = f"{name}.".startswith(f"{OURS}.")
    wrong = not taken.startswith(f"{HERE}/{OURS}/") if ours else taken == os.path.realpath(path)
    if wrong:
        whose = f"the one of {HERE}" if ours else "Python's or that of its packages"
        remedy = f"take {folder} off PYTHONPATH" if folder else "uninstall or rename it"
        _end(f"{name} was imported from {taken}, and is not {whose}; {remedy}, then run again")


def _told(kind, error, trace) -> None:  # type: ignore[no-untyped-def]
    """As `sys.excepthook`; a package that can't be imported gets one line."""
    frames, frame = [], trace
    while frame is not None:
        code = frame.tb_frame.f_code
        frames.append((code.co_filename, code.co_name))
        frame = frame.tb_next
    foreign = [file for file, name in frames if name == "<module>" and _is_foreign(file)]
    # With PYTHONINSPECT the end of a process comes here, too.
    of_import = issubclass(kind, Exception) and (
        foreign or issubclass(kind, ImportError | SyntaxError)
    )
    if not of_import:
        sys.__excepthook__(kind, error, trace)
        return
    words = (str(error).strip().splitlines() or [""])[0]
    what = foreign[0] if foreign else getattr(error, "name", None) or "a package"
    remedy = "install the packages of envs/requirements.txt, or take what hides them off PYTHONPATH"
    _end(f"{what} can't be imported ({kind.__name__}: {words[:LINE]}); {remedy}")


def _is_foreign(file: str) -> bool:
    script = str(getattr(sys.modules["__main__"], "__real_file__", HERE))
    return not file.startswith(("<", f"{HERE}/")) and file != script


def _end(text: str) -> None:
    """End the process by a line, also in the log of its job and for the run that started it."""
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
    """What `lungprep.verdicts` would write: no attempt changes it, no patient is at fault."""
    import json

    fields = {"step": step, "error": "WorkspaceError", "text": text}
    return json.dumps({**fields, "transient": False, "data": False})


def _leave(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError:
        return
