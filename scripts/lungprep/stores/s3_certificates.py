"""Certificate authorities that are trusted to sign a server's certificate.

boto3 reads ``AWS_CA_BUNDLE``, ``REQUESTS_CA_BUNDLE`` and the profile's ``ca_bundle``; obstore reads
``SSL_CERT_FILE``. Here any one of them applies to both clients.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lungprep.errors import ConfigError, LungprepError
from lungprep.stores import s3_profile

_REMEDY = "name a PEM file with the certificate of the authority that signed the server's"
_FILES = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
)
_PEM = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True)
class Bundle:
    """The only certificates that are trusted.

    Attributes
    ----------
    files : dict of str to Path
        Absolute paths, by the variable or profile key that names each.
    pem : bytes
        Content of the files.
    """

    files: dict[str, Path]
    pem: bytes = field(repr=False)

    @property
    def path(self) -> Path:
        """One file with all certificates, as boto3 needs it."""
        return _joined(self.pem) if len(self.files) > 1 else next(iter(self.files.values()))

    def __str__(self) -> str:
        """The files, each with the variable or key that names it."""
        return ", ".join(f"{path} ({name})" for name, path in self.files.items())

    def unreadable(self) -> ConfigError:
        """Error for files whose certificates a client can't read."""
        return ConfigError(f"found a broken certificate in {self}", _REMEDY)


def bundle(profile: Mapping[str, str]) -> Bundle | None:
    """Collect the certificate files that environment and profile name.

    Certificates of all files are trusted: a variable that is meant for all tools does not
    exclude the others.

    Parameters
    ----------
    profile : mapping of str to str
        Keys of the active profile.

    Returns
    -------
    Bundle or None
        None if no file is named: then each client uses its own list of public authorities.

    Raises
    ------
    ConfigError
        If the first named file, which the AWS command line would use, is not a file or holds no
        certificate.
    """
    texts = {
        "AWS_CA_BUNDLE": os.environ.get("AWS_CA_BUNDLE"),
        "ca_bundle of the profile": profile.get("ca_bundle"),
        "REQUESTS_CA_BUNDLE": os.environ.get("REQUESTS_CA_BUNDLE"),
        "SSL_CERT_FILE": os.environ.get("SSL_CERT_FILE"),
    }
    files: dict[str, Path] = {}
    contents: list[bytes] = []
    for name, text in texts.items():
        path = Path((text or "").strip()).expanduser().absolute()
        if not text or not text.strip() or path in files.values():
            continue
        try:
            contents.append(_read(name, path))
            files[name] = path
        except ConfigError:
            if not files:
                raise
    return Bundle(files, b"\n".join(contents)) if files else None


def _read(name: str, path: Path) -> bytes:
    what = f"{name} names the certificate file {path}"
    if path.is_dir():
        raise ConfigError(f"{what}, which is a folder", _REMEDY)
    try:
        pem = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(f"{what}, which does not exist", _REMEDY) from error
    except OSError as error:
        raise ConfigError(f"{what}, which can't be read ({error.strerror})", _REMEDY) from error
    if _PEM not in pem:
        raise ConfigError(f"{what}, which holds no certificate in PEM form", _REMEDY)
    return pem


@cache
def _joined(pem: bytes) -> Path:
    """Temporary file that is removed when this process exits."""
    import atexit
    import tempfile

    handle, name = tempfile.mkstemp(prefix="lungprep-", suffix=".pem")
    atexit.register(Path(name).unlink, missing_ok=True)
    os.close(handle)
    Path(name).write_bytes(pem)
    return Path(name)


def found_from_elsewhere(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables with which a process in another folder finds the files that are named here.

    Parameters
    ----------
    environ : mapping of str to str
        Environment of this process.

    Returns
    -------
    dict of str to str
        Variables with a relative path, made absolute; also `AWS_CA_BUNDLE` if a profile names its
        file by a relative path.
    """
    texts = {name: Path(environ.get(name, "").strip()).expanduser() for name in _FILES}
    if not environ.get("AWS_CA_BUNDLE"):
        # An unreadable profile does not matter if no location is in S3.
        with suppress(LungprepError):
            texts["AWS_CA_BUNDLE"] = Path(s3_profile.keys().get("ca_bundle", "")).expanduser()
    relative = {name: path for name, path in texts.items() if path.parts and not path.is_absolute()}
    return {name: str(path.absolute()) for name, path in relative.items()}
