"""What the rules share: the checked config, the run, and functions of a job's wildcards.

Parsing this file asks no store anything. The listings are made when Snakemake asks rule all for
its input, so that --lint, --unlock and the jobs of a cluster need no network for it.
"""

import atexit
import os
import sys
from pathlib import Path

from snakemake.logging import logger
from snakemake.scheduling.job_scheduler import JobScheduler

sys.path.insert(0, f"{workflow.basedir}/scripts")
import own_code

own_code.check()
own_code.pass_on(os.environ)

from lungprep.budgets import Budget
from lungprep.config import complete, read_schema
from lungprep.errors import LungprepError
from lungprep.jobs import peak_mb
from lungprep.machine import choose_kernels, spare_mb
from lungprep.presets import export_options
from lungprep.progress import RETRIES
from lungprep.recipe import code_version, recipe
from lungprep.scheduling import look_once_a_second, stop_at_any_time
from lungprep.shards import aws_batch
from lungprep.shards.apart import check_apart
from lungprep.shards.needs import load_mb_of, share_mb, share_minutes
from lungprep.shards.papers import PER_JOB
from lungprep.shards.share import run_of
from lungprep.shards.slurm import check_job
from lungprep.turns import by_command_line, take_up
from lungprep.unseen import hide_leftovers, leave_no_trace, make_workspace
from lungprep.weights import check_weights

try:
    make_workspace(Path(".snakemake"))
    config = complete(config, read_schema())
    check_weights(config["segment"])
    RUN = run_of(config, take_up(config, os.environ), os.environ)
    BUDGET = Budget(config, RUN.prefix, logger.warning, RUN.load_mb)
except LungprepError as error:
    sys.exit(f"lungprep: {error}")


choose_kernels(os.environ)
# Here, because the jobs of an engine are started without onstart.
stop_at_any_time(JobScheduler)

TOUCH = (
    "--touch does nothing for this workflow: the target decides who is done, not the times of files "
    "here; leave it out"
)
# Patients whose two requests each take more than some seconds together.
MANY = 2000

# Ctrl-C reaches every process of a terminal: jobs end what they are at, and Snakemake waits.
shell.prefix("set -euo pipefail; trap '' INT; ")


wildcard_constraints:
    patient=r"[A-Za-z0-9][A-Za-z0-9._-]*",


def unpublished(wildcards):
    """Flags that this run has to make, one per patient to do; with them, the run's reporting."""
    running = workflow.executor_plugin is not None and not workflow.dryrun
    if running and workflow.touch:
        sys.exit(f"lungprep: {TOUCH}")
    # Whoever gives --batch divides the cohort by hand; under Snakemake's API there is no command.
    in_turns = by_command_line(sys.argv[0]) and workflow.dag_settings.batch is None
    BUDGET.stale = workflow.is_main_process
    if workflow.dryrun:
        leave_no_trace(workflow.persistence)
    try:
        # Whatever --nolock says of Snakemake's own locks, a second run would clear the first one's work/.
        if running and workflow.is_main_process:
            RUN.lock(logger.warning)
        if running and workflow.executor_plugin.common_settings.implies_no_shared_fs:
            # Kubernetes keeps them in a Secret.
            registered = workflow.spawned_job_args_factory.envvars() if on_aws_batch() else ()
            check_apart(config, workflow.storage_settings.default_storage_prefix, registered)
        flags = RUN.flags(in_turns=in_turns, per_job=patients_per_job())
        RUN.write_missing()
        if running and workflow.is_main_process and not RUN.refusal():
            if len(RUN.turn) > MANY:
                logger.info(f"looking up the objects of {len(RUN.turn)} patients")
            BUDGET.look_up(RUN.turn)
            limit_memory()
    except LungprepError as error:
        sys.exit(f"lungprep: {error}")
    # Who is to be done is done from the slices on: what an earlier run left in work/, a flag or a
    # volume, may be of another recipe or source, and the target alone says what is done.
    for name in ("load", "shard", "refuse"):
        workflow.dag.forcerules.add(workflow.get_rule(name))
    hide_leftovers(workflow.iocache, flags)
    RUN.progress.attach(logger, give_up, ask_again, dry=workflow.dryrun)
    atexit.register(end)
    # A target without any input would run every time: with nothing to do, name a file.
    return flags or [local(f"{workflow.basedir}/config.yaml")]


def patients_per_job():
    """Patients of a job; none where each step of each patient is a job of this machine."""
    engine = workflow.executor_plugin
    if config["patients_per_job"] is not None or engine is None:
        return config["patients_per_job"]
    # All that a dry run knows of the engine that it stands for: whether its jobs are only waited for.
    awaited = workflow.dryrun and workflow.execution_settings.use_threads
    return PER_JOB if awaited or engine.common_settings.non_local_exec else None


def give_up(jobid):
    """Spare a job the attempts that Snakemake has left for it; a group has other patients too."""
    for job in workflow.scheduler.running:
        if not job.is_group() and job.jobid == jobid:
            job.attempt = RETRIES + 1


def ask_again(jobid):
    """Let the scheduler see what the next attempt asks for: it would keep what the first one did."""
    for job in workflow.dag.jobs:
        if not job.is_group() and job.jobid == jobid:
            job._scheduler_resources = None


def limit_memory():
    """Lower what all jobs may take together to what the machine can spare; never raise it.

    Without any limit of the user's, Snakemake would start as many jobs as there are cores.
    """
    if not workflow.local_exec:
        return
    given = workflow.global_resources.get("mem_mb")
    given_mb = None if given is None else given.value
    spare = spare_mb(peak_mb(), len(RUN.turn))
    if spare is not None and (given_mb is None or spare < given_mb):
        logger.warning(
            f"this machine can spare {spare} MB for jobs, not {given_mb}: mem_mb is lowered to that"
            if given_mb
            else f"this machine can spare {spare} MB for jobs: mem_mb is set to that"
        )
        workflow.global_resources["mem_mb"] = given_mb = spare
    BUDGET.limit_mb = given_mb


def end():
    """Say last what matters most: who is missing, or who was published and who failed.

    Where the run has more turns, the next one begins.
    """
    # What else is registered is called before a next turn, this not again.
    atexit.unregister(end)
    nothing_to_do = workflow.executor_plugin is not None and not RUN.plan.stale
    try:
        if workflow.dryrun:
            print(RUN.missing(), flush=True)
        elif RUN.started or RUN.earlier.turns or nothing_to_do:
            print(RUN.close(), file=sys.stderr, flush=True)
    finally:
        RUN.end()


def prefix(wildcards):
    return RUN.prefix(wildcards.patient)


def series_uid(wildcards):
    return RUN.series_uid(wildcards.patient)


# Functions, because Snakemake takes braces in a text for wildcards, and a path may have some.
def target(wildcards):
    return config["target"]


def weights(wildcards):
    return config["segment"]["weights"]


# By segment.method; docs/networks.md has what was measured.
SEGMENT_THREADS = {"classical": 1, "lungmask": 4, "totalsegmentator": 4}


def load_mb(wildcards, attempt):
    """Memory by the patient's objects, which a job of a cluster looks up for itself."""
    if not workflow.is_main_process:
        BUDGET.look_up([wildcards.patient])
    return BUDGET.load(wildcards.patient, attempt)


def resample_mb(wildcards, input, attempt):
    return BUDGET.resample(wildcards.patient, input.record, attempt)


def segment_mb(wildcards, input, attempt):
    return BUDGET.segment(wildcards.patient, input.record, attempt)


def publish_mb(wildcards, input, attempt):
    return BUDGET.publish(wildcards.patient, input.resample, input.segment, attempt)


# The engine's job is a Snakemake too, and would try again within what the first attempt was given.
RETRIES_OF_SHARES = RETRIES if workflow.is_main_process else 0


def shard_mb(wildcards, threads, attempt):
    """Memory by the patients of the share, whose list tells the job of it."""
    method, patients = config["segment"]["method"], RUN.shares.get(wildcards.shard)
    load_mb = BUDGET.largest_mb(patients) if patients else load_mb_of(config, wildcards.shard)
    mb = share_mb(method, threads, SEGMENT_THREADS[method], load_mb, attempt)
    return aws_batch.accepted_mb(threads, mb) if on_aws_batch() else mb


def on_aws_batch():
    """Whether this run sends jobs there, or is the job, which the service tells by a variable."""
    engine = workflow.executor_plugin
    return "AWS_BATCH_JOB_ID" in os.environ or (engine is not None and engine.name == "aws-batch")


def shard_minutes(wildcards, threads, attempt):
    method = config["segment"]["method"]
    return share_minutes(method, threads, patients_per_job() or PER_JOB, attempt)


def check_engine():
    """Refuse a run whose engine would take none of its jobs: not the one that asks for least."""
    engine = workflow.executor_plugin.name
    jobs = [job for job in workflow.dag.needrun_jobs() if job.rule.name == "shard"]
    least = min(jobs, key=asked_mb, default=None)
    if least is None:
        return
    if engine == "slurm":
        check_job(least.resources, least.threads)
    elif engine == "aws-batch":
        longest_s = 60 * shard_minutes(None, least.threads, RETRIES + 1)
        timeout_s = workflow.executor_settings.task_timeout
        aws_batch.check_job(least.threads, asked_mb(least), longest_s, timeout_s)


def asked_mb(job):
    return job.resources["mem_mb"]


onstart:
    refusal = RUN.refusal()
    if refusal:
        sys.exit(f"lungprep: {refusal}")
    look_once_a_second(workflow.scheduler)
    try:
        check_engine()
        RUN.start(BUDGET.load_mb)
        BUDGET.stale = False
    except LungprepError as error:
        sys.exit(f"lungprep: {error}")
    note = RUN.abort_abandoned()
    if note:
        print(f"lungprep: {note}", file=sys.stderr)


# The job of a share ends well whoever of its patients fails.
onsuccess:
    try:
        RUN.settle()
        RUN.quarantine()
    except LungprepError as error:
        print(f"lungprep: {error}", file=sys.stderr)


onerror:
    try:
        RUN.settle()
        if RUN.quarantine():
            sys.exit(0)
    except LungprepError as error:
        print(f"lungprep: {error}", file=sys.stderr)
