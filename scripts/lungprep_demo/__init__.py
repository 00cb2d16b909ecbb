"""The demo: an S3 server on this machine, a real chest CT and two synthetic patients."""

from lungprep.errors import LungprepError


class DemoError(LungprepError):
    """The demo's server, scan or cohort could not be set up."""
