"""Shares of the patients that an engine runs as one job each, through the ordinary workflow.

A step of one patient is a second's work, and an engine's job costs several seconds by itself. So
the job is a share of the patients: the run writes its list into the target, the job takes it to a
scratch folder of its own node, runs the workflow there as one machine would, and leaves in the
target what became of each patient. Only the run that sent the shares publishes index, report and
failures. Nothing but the target has to be shared.
"""
