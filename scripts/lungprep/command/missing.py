"""List the patients that a run would process, and why each of them is not done."""

import argparse
import sys
from pathlib import Path
from typing import Any

from lungprep.errors import ConfigError

EXAMPLES = """\
examples:
  lungprep missing
  lungprep missing --configfile lung.yaml
  lungprep missing --set target=s3://bucket/npy/ --set overwrite=true > missing.tsv

The output is tab-separated: patient, state (missing, incomplete, recipe changed, source changed,
series changed, quarantined or refused) and detail. `snakemake -n` says the same in words.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the subcommand."""
    parser.add_argument(
        "--configfile", metavar="YAML", default="config.yaml", help="config (config.yaml)"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="a key of the config, as snakemake --config takes it; may be repeated",
    )


def run(options: argparse.Namespace) -> None:
    """Print the missing patients.

    Raises
    ------
    ConfigError
        If the config can't be used, or the workflow or its packages are not installed.
    """
    # A base installation reads results, and has neither YAML nor a schema's validator.
    try:
        from lungprep.cohort.missing import COLUMNS, absentees, cell
        from lungprep.cohort.planning import make_plan
        from lungprep.cohort.tally import Tally
        from lungprep.config.recipe import is_whole
        from lungprep.config.schema import complete, read_schema
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the package {error.name} is not installed", "pip install 'lungprep[workflow]'"
        ) from error

    if not is_whole():
        raise ConfigError(
            "this installation has no scripts of the workflow, which are part of the recipe",
            "in a clone, pip install --editable .",
        )
    config = complete(read_config(options.configfile, options.set), read_schema())
    plan = make_plan(config, Tally(""))
    lines = (COLUMNS, *absentees(plan, (), {}))
    sys.stdout.write("".join("\t".join(map(cell, line)) + "\n" for line in lines))


def read_config(path: str, settings: list[str]) -> dict[str, Any]:
    """Read a config file, and set keys of it.

    Raises
    ------
    ConfigError
        If the file can't be read, or a setting has no value.
    """
    import yaml

    try:
        config = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        found = " ".join(str(error).split())
        raise ConfigError(f"{path} can't be read ({found})", "give --configfile") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{path} has no keys", "give another --configfile")
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign:
            raise ConfigError(f"--set {setting} has no value", f"write --set {setting}=VALUE")
        # Other values stay text, which the schema reads: YAML would take 00042 for an octal number.
        read = yaml.safe_load(value) if value.startswith(("[", "{")) else value
        before = config.get(key)
        config[key] = {**before, **read} if isinstance(read, dict) and before else read
    return config
