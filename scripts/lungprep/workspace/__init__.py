"""The folder ``work/``: its lock, the records that steps hand on, and the verdicts of failures."""
