"""What the rules share: the config, the session, and functions of a job's wildcards.

Parsing this file asks no store anything. The listings are made when Snakemake asks rule all for
its input, so that --lint, --unlock and the jobs of a cluster need no network for it.
"""

import os
import sys

import snakemake
from snakemake.logging import logger

sys.path.insert(0, f"{workflow.basedir}/scripts")
import own_code

own_code.check()
own_code.pass_on(os.environ)

from lungprep.config.presets import export_options
from lungprep.config.recipe import recipe
from lungprep.run.session import open_session
from lungprep.run.progress import RETRIES

SESSION = open_session(workflow, config, snakemake.__version__, logger)
config = SESSION.config

# Ctrl-C reaches every process of a terminal: jobs end what they are at, and Snakemake waits.
shell.prefix("set -euo pipefail; trap '' INT; ")


wildcard_constraints:
    patient=r"[A-Za-z0-9][A-Za-z0-9._-]*",


def unpublished(wildcards):
    # A target without any input would run every time: with nothing to do, name a file.
    return SESSION.targets() or [local(f"{workflow.basedir}/config.yaml")]


def prefix(wildcards):
    return SESSION.prefix(wildcards.patient)


def series_uid(wildcards):
    return SESSION.series_uid(wildcards.patient)


# Functions, because Snakemake takes braces in a text for wildcards, and a path may have some.
def target(wildcards):
    return config["target"]


def weights(wildcards):
    return config["segment"]["weights"]


def load_mb(wildcards, attempt):
    return SESSION.sizes.load_mb(wildcards.patient, attempt)


def resample_mb(wildcards, input, attempt):
    return SESSION.sizes.budget.resample(wildcards.patient, input.record, attempt)


def segment_mb(wildcards, input, attempt):
    return SESSION.sizes.budget.segment(wildcards.patient, input.record, attempt)


def publish_mb(wildcards, input, attempt):
    return SESSION.sizes.budget.publish(wildcards.patient, input.resample, input.segment, attempt)


def shard_mb(wildcards, threads, attempt):
    return SESSION.shard_mb(wildcards.shard, threads, attempt)


def shard_minutes(wildcards, threads, attempt):
    return SESSION.sizes.shard_minutes(threads, attempt)


onstart:
    SESSION.start()


onsuccess:
    SESSION.settle()


onerror:
    if SESSION.settle():
        sys.exit(0)
