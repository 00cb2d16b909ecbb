"""What becomes of tests whose programs are not installed."""

import os

import pytest


def require(missing, what):
    """Skip a test for want of programs; fail it where CI is set, and nothing may be left out.

    Parameters
    ----------
    missing : list of str
        Programs that are not installed.
    what : str
        What they belong to.
    """
    if missing:
        end = pytest.fail if os.environ.get("CI") else pytest.skip
        names = ", ".join(missing)
        end(f"{what} is not installed ({names} missing); make test installs it where root runs it")
