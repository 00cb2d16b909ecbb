"""The steps of one patient, one after another, each with what it peaked at."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lungprep.config.presets import export_options
from lungprep.config.recipe import recipe
from lungprep.config.schema import complete, read_schema
from lungprep.resources.budgets import Budget
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep_demo.server import S3Server
from memory.phantoms import Case, files

HERE = Path(__file__).resolve().parent
STEPS = ("load", "resample", "segment", "publish")


@dataclass(frozen=True)
class Row:
    """Estimated and measured peak of a step, MB."""

    case: str
    step: str
    estimate_mb: float
    peak_mb: float

    @property
    def ratio(self) -> float:
        """Of the estimate to the peak."""
        return self.estimate_mb / self.peak_mb


def jobs(work: Path, config: dict[str, Any], patient: str = "P") -> dict[str, dict[str, Any]]:
    """What Snakemake hands to each script."""

    def paths(**names: str) -> dict[str, str]:
        return {name: str(work / file) for name, file in names.items()}

    resample, segment = config["resample"], config["segment"]
    given = {
        "load": (
            {},
            paths(volume="hu.npy", record="load.json"),
            {
                "prefix": f"{config['source']}{patient}/",
                "series_uid": None,
                "s3": config["s3"],
                "options": config["load"],
            },
        ),
        "resample": (
            paths(volume="hu.npy", record="load.json"),
            paths(volume="resampled.npy", record="resample.json"),
            resample,
        ),
        "segment": (
            paths(volume="resampled.npy", record="resample.json"),
            paths(lungs="lungs.npy", record="segment.json", preview="preview.png"),
            {name: segment[name] for name in ("method", "weights", "min_lungs_ml")},
        ),
        "publish": (
            paths(
                volume="resampled.npy",
                lungs="lungs.npy",
                preview="preview.png",
                load="load.json",
                resample="resample.json",
                segment="segment.json",
            ),
            paths(record="published"),
            {
                "target": config["target"],
                "s3": config["s3"],
                "options": export_options(config),
                "recipe": recipe(config),
                "series_uid": None,
            },
        ),
    }
    return {
        step: {
            "input": inputs,
            "output": outputs,
            "params": params,
            "wildcards": {"patient": patient},
            "log": paths(log=f"{step}.log"),
            "threads": 1,
        }
        for step, (inputs, outputs, params) in given.items()
    }


def measure(case: Case, folder: Path, server: S3Server, steps: Sequence[str] = STEPS) -> list[Row]:
    """Put a case into a server and run its steps.

    Parameters
    ----------
    case : Case
        What.
    folder : Path
        For the files that the steps hand on to one another.
    server : S3Server
        Running, with a bucket ``bucket``; its credentials are in the environment.
    steps : sequence of str
        The first ones of `STEPS`.
    """
    place = f"s3://bucket/{folder.name}"
    source = open_store(parse_address("source", f"{place}/in/P/"), S3Options())
    for name, content in files(case):
        source.write(name, content)
    config = complete(
        {
            "source": f"{place}/in/",
            "target": f"{place}/out/",
            "resample": {"spacing_mm": list(case.spacing_mm)},
            "output": {"preset": case.preset},
        },
        read_schema(),
    )
    budget = Budget(config, lambda patient: f"{place}/in/{patient}/", print, {})
    budget.look_up(["P"])
    estimates: dict[str, Callable[[], int]] = {
        "load": lambda: budget.load("P", 1),
        "resample": lambda: budget.resample("P", f"{folder}/load.json", 1),
        "segment": lambda: budget.segment("P", f"{folder}/resample.json", 1),
        "publish": lambda: budget.publish(
            "P", f"{folder}/resample.json", f"{folder}/segment.json", 1
        ),
    }
    rows = []
    for step, job in jobs(folder, config).items():
        if step in steps:
            estimate = estimates[step]()
            rows.append(Row(case.name, step, estimate, _peak_mb(step, job, folder, server)))
    return rows


def _peak_mb(step: str, job: dict[str, Any], folder: Path, server: S3Server) -> float:
    """Run a step; what it peaked at, by its own word: a parent would see its own peak in it."""
    path = folder / f"{step}.job.json"
    path.write_text(json.dumps(job))
    command = [sys.executable, str(HERE / "step.py"), step, str(path)]
    subprocess.run(command, check=True, env=server.child_environ(), cwd=folder)
    line = Path(job["log"]["log"]).read_text().splitlines()[-1]
    return float(line.split()[-2])
