"""The versions of Snakemake whose undocumented names were tried."""

import re

from lungprep.errors import ConfigError

# From the first on, and below the second.
OLDEST, TOO_NEW = (9, 27), (9, 28)


def check_version(found: str) -> None:
    """Refuse a Snakemake whose undocumented names nobody tried.

    Parameters
    ----------
    found : str
        ``snakemake.__version__``.

    Raises
    ------
    ConfigError
        If it is another one.
    """
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:2])
    if not OLDEST <= numbers < TOO_NEW:
        oldest, too_new = (".".join(map(str, version)) for version in (OLDEST, TOO_NEW))
        raise ConfigError(
            f"Snakemake {found} was found, and lungprep needs {oldest} or later, below {too_new}",
            "pip install -r envs/requirements.txt",
        )
