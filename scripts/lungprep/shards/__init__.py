"""Shards: groups of patients, each processed by one job of an engine with the ordinary workflow.

A step of one patient takes about a second, and a job of an engine costs several seconds by itself.
So one job processes a shard. The run writes the shard's list into the target. The job reads it,
runs the workflow in a scratch folder of its node as on a single machine, and writes the outcome of
each patient into the target. Only the run that sent the shards publishes index, report and
failures. Run and jobs need to share nothing but the target.
"""
