"""What decides the voxels: config values and the code of the image chain."""

import hashlib
import json
from functools import cache
from importlib.metadata import version
from typing import Any

from lungprep.config.program import SCRIPTS, program_digest
from lungprep.image.methods import NETWORKS
from lungprep.image.weights import weights_digest

# Config sections whose every value changes voxels.
SECTIONS = ("load", "resample", "segment", "output")
STEPS = ("load", "resample", "segment", "publish")
# The code that does: the scripts, which set the parameters, and what they import of these.
IMAGE = ("lungprep.image", "lungprep.stores.system_files")
NETWORK = "lungprep/image/segmentation/networks/{method}.py"
#: Outputs of the golden corpus, and the program that made them: written by ``make golden``.
GOLDEN = SCRIPTS / "lungprep" / "image" / "golden.json"
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
    """SHA-256 over all that changes voxels: what a sidecar must carry to be up to date.

    Parameters
    ----------
    config : dict
        The complete config.
    """
    parts = voxel_config(config)
    # By now the preset has set the other keys; its name changes nothing.
    parts["output"] = {k: v for k, v in parts["output"].items() if k != "preset"}
    text = json.dumps([parts, code_digest(config["segment"]["method"])], sort_keys=True)
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
    return {"config": voxel_config(config), "code": code_digest(config["segment"]["method"])}


def voxel_config(config: dict[str, Any]) -> dict[str, Any]:
    """The sections that change voxels; of a network's weights the content, not the path."""
    segment = config["segment"]
    segment = segment | {"weights": weights_digest(segment)}
    return {name: config[name] for name in SECTIONS} | {"segment": segment}


@cache
def code_digest(method: str = "classical") -> str:
    """Digest of the code that makes voxels by a method of segmentation.

    A program that is known to give the golden outputs bears their digest, so that a refactoring
    makes no patient stale. Any other bears its own.
    """
    golden = json.loads(GOLDEN.read_text("utf-8"))
    program = chain_digest()
    code = golden["outputs"] if program == golden["program"] else program
    if method not in NETWORKS:
        return str(code)
    # The golden corpus is made without networks.
    network = program_digest([SCRIPTS / NETWORK.format(method=method)], IMAGE)
    return hashlib.sha256(f"{code} {network}".encode()).hexdigest()


def is_whole() -> bool:
    """Whether the scripts of the steps are here: an installed package has the library alone."""
    return all((SCRIPTS / f"{step}.py").is_file() for step in STEPS)


def chain_digest() -> str:
    """Digest of the program of the image chain, less the networks."""
    return program_digest([SCRIPTS / f"{step}.py" for step in STEPS], IMAGE)
