"""Keys of the active AWS profile, parsed without botocore, to spare each job its import."""

import os
from pathlib import Path

from lungprep.errors import AccessRefused, ConfigError

FILES = {
    "AWS_CONFIG_FILE": "~/.aws/config",
    "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
}


def files() -> list[Path]:
    """Config file and credentials file, if they exist."""
    named = (Path(os.environ.get(name) or usual) for name, usual in FILES.items())
    return [path for path in (name.expanduser() for name in named) if path.is_file()]


def name() -> str | None:
    """Profile that the environment names, or None."""
    return os.environ.get("AWS_DEFAULT_PROFILE") or os.environ.get("AWS_PROFILE")


def keys(profile: str | None = None) -> dict[str, str]:
    """Keys of a profile; keys in the credentials file take precedence.

    Parameters
    ----------
    profile : str, optional
        Name of the profile; by default the active one.

    Returns
    -------
    dict of str to str
        Values by key. A key with nested keys, such as ``s3``, has them as lines of its value; see
        `nested`.

    Raises
    ------
    ConfigError
        If a file can't be read.
    AccessRefused
        If the profile is named but no file defines it.
    """
    wanted = profile or name() or "default"
    found: dict[str, str] = {}
    is_there = False
    for path in files():
        from configparser import Error, RawConfigParser

        # As in botocore, no section passes its keys on to the others.
        parser = RawConfigParser(default_section="")
        try:
            parser.read_string(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, Error) as error:
            raise ConfigError(
                f"{path} can't be read as a config file of AWS ({type(error).__name__})",
                "correct it, or name another one in AWS_CONFIG_FILE",
            ) from error
        for section in parser.sections():
            kind, _, rest = section.partition(" ")
            title = rest.strip(" \"'") if kind == "profile" and rest else section
            if title == wanted:
                is_there = True
                found.update(parser[section])
    if not is_there and (profile or name()):
        raise AccessRefused(
            f"the profile ({wanted}) could not be found",
            "check AWS_PROFILE, and the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE "
            "name",
        )
    return found


def nested(value: str) -> dict[str, str]:
    """Keys that are nested in a value."""
    lines = (line.partition("=") for line in value.splitlines())
    return {key.strip(): text.strip() for key, sign, text in lines if sign}


def is_true(text: str | None) -> bool:
    """Whether a switch is on, by botocore's rule."""
    return (text or "").strip().lower() == "true"
