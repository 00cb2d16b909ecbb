"""The command ``lungprep`` of a clone that is not installed."""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])
import own_code

own_code.check()

from lungprep.command import main

main()
