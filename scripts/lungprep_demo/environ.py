"""Variables of the caller that the demo ignores, because they would change or break it."""

import os
from collections.abc import MutableMapping

# Settings of clients, of Snakemake, of Python and of numerical libraries.
SETTINGS = (
    "AWS_", "BLIS_", "GOTO_", "LUNGPREP_", "MKL_", "NUMEXPR_", "OMP_", "OPENBLAS_", "PYTHON",
    "SNAKEMAKE_",
)  # fmt: skip
# Routes out of the local network: only the download needs them, because the server is on loopback.
NETWORK = ("SSL_CERT_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PROXY = "_PROXY"
# The user's profiles may name another endpoint or certificate authority.
NO_PROFILES = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)


def drop_settings(environ: MutableMapping[str, str]) -> None:
    """Remove the caller's settings; the Makefile also does so before Python starts."""
    for name in [name for name in environ if name.startswith(SETTINGS)]:
        del environ[name]


def drop_network(environ: MutableMapping[str, str]) -> None:
    """Remove proxies, certificate authorities and the user's profiles."""
    for name in list(environ):
        if name.startswith(NETWORK) or name.upper().endswith(PROXY):
            del environ[name]
    environ.update(NO_PROFILES)
