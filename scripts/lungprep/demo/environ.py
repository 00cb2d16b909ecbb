"""What the demo does not hear: the caller's variables, which would change or break it."""

import os
from collections.abc import MutableMapping

# Settings of clients, of Snakemake, of Python and of the libraries that add up in threads.
SETTINGS = (
    "AWS_", "BLIS_", "GOTO_", "LUNGPREP_", "MKL_", "NUMEXPR_", "OMP_", "OPENBLAS_", "PYTHON",
    "SNAKEMAKE_",
)  # fmt: skip
# How to get out of this network: of use to the download alone, for the server is on loopback.
NETWORK = ("SSL_CERT_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PROXY = "_PROXY"
# The user's profiles may name another endpoint or certificate authority.
NO_PROFILES = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)


def drop_settings(environ: MutableMapping[str, str]) -> None:
    """Remove the caller's settings; the Makefile does so too, before Python starts."""
    for name in [name for name in environ if name.startswith(SETTINGS)]:
        del environ[name]


def drop_network(environ: MutableMapping[str, str]) -> None:
    """Remove proxies and certificate authorities, and the user's profiles with them."""
    for name in list(environ):
        if name.startswith(NETWORK) or name.upper().endswith(PROXY):
            del environ[name]
    environ.update(NO_PROFILES)
