"""Addresses of sources and targets: ``s3://bucket/prefix/`` or a folder."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from lungprep.errors import ConfigError

TAKES = "write s3://bucket/prefix/ or a folder such as ./dicom"
# Signs of text that a shell or Windows would interpret: variables, patterns, quotes, backslashes.
_UNREPLACED = re.compile(r"""[*?\\]|\$\{?\w|^['"]|['"]$""")
# The key that may name a bucket and nothing in it.
WHOLE_BUCKET = "source"
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Address:
    """Location of objects that are named by keys.

    Attributes
    ----------
    bucket : str
        S3 bucket; empty for a folder.
    prefix : str
        Key prefix or folder path. It always ends in ``/``, so that ``P1`` never matches ``P10``.
    """

    bucket: str
    prefix: str

    @property
    def is_s3(self) -> bool:
        """Whether the location is an S3 prefix."""
        return bool(self.bucket)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}" if self.is_s3 else self.prefix

    @property
    def place(self) -> tuple[str, str]:
        """Bucket and prefix; for a folder, an empty string and the path with links resolved."""
        if self.is_s3:
            return self.bucket, self.prefix
        return "", f"{_resolved(self.prefix)}/".replace("//", "/")

    def join(self, folder: str) -> "Address":
        """Address of a folder below this one."""
        return Address(self.bucket, f"{self.prefix}{folder.strip('/')}/")

    def holds(self, other: "Address") -> bool:
        """Whether `other` is this location or lies inside it."""
        if self.bucket != other.bucket:
            return False
        if self.is_s3:
            return other.prefix.startswith(self.prefix)
        return _resolved(other.prefix).is_relative_to(_resolved(self.prefix))


def parse_address(key: str, text: str) -> Address:
    """Parse an address that a user wrote.

    Parameters
    ----------
    key : str
        Config key to name in errors.
    text : str
        ``s3://bucket/prefix/`` or a folder. The final slash may be missing.

    Raises
    ------
    ConfigError
        If the scheme is unknown, the bucket has no prefix, the prefix has an empty or dot segment,
        the text has a control character, or the folder does not exist and its name looks like text
        that a shell would have replaced.
    """
    if _CONTROL.search(text):
        kind = "NUL" if "\0" in text else "control character"
        raise ConfigError(f"{key} is {text!r}, with a {kind}", TAKES)
    scheme, separator, rest = text.partition("://")
    if not separator:
        if not text.strip():
            raise ConfigError(f"{key} is empty", TAKES)
        text = at_home(key, text)
        if _UNREPLACED.search(text) and not _is_folder(text):
            raise ConfigError(
                f"{key} is {text!r}, and no folder has exactly that name",
                "write the path in full, without variables, patterns, quotes or backslashes",
            )
        # Absolute, because jobs and the end of a run may have another working directory.
        return Address("", f"{Path(text).absolute()}/".replace("//", "/"))
    if scheme != "s3":
        raise ConfigError(f"{key} is {text!r}, with an unknown scheme", TAKES)
    bucket, _, prefix = rest.partition("/")
    prefix = prefix.removesuffix("/")
    if not _BUCKET.fullmatch(bucket):
        # A password may stand before the @: do not repeat it.
        name = bucket.rpartition("@")[2]
        raise ConfigError(f"{key} is {text!r}: {name!r} is not a bucket name", TAKES)
    if not prefix and key != WHOLE_BUCKET:
        raise ConfigError(f"{key} is {text!r}, a bucket without a prefix", TAKES)
    if prefix and {"", ".", ".."} & set(prefix.split("/")):
        raise ConfigError(f"{key} is {text!r}, with an empty or dot segment", TAKES)
    return Address(bucket, f"{prefix}/" if prefix else "")


def _resolved(path: str) -> Path:
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError) as error:
        # Raised before Python 3.13 for a circle of links.
        raise ConfigError(
            f"{path} can't be resolved: its links form a circle", "repair them"
        ) from error


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError:
        # A name that is too long for the file system.
        return False


def at_home(key: str, text: str) -> str:
    """Path with the home folder in place of an initial ``~`` or ``~user``.

    Raises
    ------
    ConfigError
        If the user does not exist.
    """
    path = os.path.expanduser(text) if text.startswith("~") else text  # noqa: PTH111
    if path.startswith("~"):
        raise ConfigError(
            f"{key} is {text!r}, and no user of that name has a home folder here",
            f"write the path in full, or ./{text} for a name that starts with ~",
        )
    return path


def check_pair(source_text: str, target_text: str) -> tuple[Address, Address]:
    """Parse source and target, and refuse a pair that can't work.

    Raises
    ------
    ConfigError
        If `parse_address` raises it, the source folder does not exist, the target looks like a
        mistyped address, or one location lies inside the other.
    """
    source = parse_address("source", source_text)
    target = parse_address("target", target_text)
    if not source.is_s3 and not _is_folder(source.prefix):
        raise ConfigError(f"source is {source_text!r}, which is not a folder here", TAKES)
    if not target.is_s3 and "/" not in target_text and not _is_folder(target.prefix):
        raise ConfigError(f"target is {target_text!r}, neither an address nor a folder", TAKES)
    for outer, inner in ((source, target), (target, source)):
        if outer.holds(inner):
            raise ConfigError(
                f"source {source} and target {target} overlap",
                "choose two separate places, or results would be read as patients",
            )
    return source, target
