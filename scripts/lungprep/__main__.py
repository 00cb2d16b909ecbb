"""``python -m lungprep``: the command ``lungprep``."""

from lungprep.command import main

main()
