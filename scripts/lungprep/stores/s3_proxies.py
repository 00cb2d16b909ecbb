"""Web proxy of a store, the same for both clients.

The rules are those of the AWS command line: `http_proxy`, `https_proxy` and `no_proxy`, where lower
case takes precedence over upper case, and no `all_proxy`. In addition, `no_proxy` accepts networks
(``10.0.0.0/8``).
"""

import os
import re
from typing import TYPE_CHECKING

from lungprep.errors import ConfigError

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_ANY = ("http_proxy", "https_proxy", "all_proxy")


def are_named() -> bool:
    """Whether the environment names any proxy."""
    return any(_variable(name) for name in _ANY)


def proxy_of(server: str) -> str | None:
    """URL of the proxy for a server, or None.

    Parameters
    ----------
    server : str
        URL of the server, without a path.

    Raises
    ------
    ConfigError
        If the value is not the URL of an HTTP proxy. It may hold a password and is not repeated.
    """
    scheme, _, rest = server.partition("://")
    name = f"{scheme}_proxy"
    proxy = _variable(name)
    if not proxy or _is_excepted(rest.rstrip("/").lower()):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    if not re.fullmatch(r"https?://[^/\s]*[^/\s@]/?", proxy):
        raise ConfigError(
            f"{name.upper()} is not the URL of an HTTP proxy",
            "write http://host:port, or name the store's host in NO_PROXY",
        )
    return proxy


def obstore_options(proxy: str | None) -> "ClientConfig":
    """Client options that make obstore use this proxy, or none, whatever the environment says."""
    if proxy:
        return {"proxy_url": proxy}
    # If the environment names no proxy, no override is needed.
    return {"proxy_url": "http://localhost", "proxy_excludes": "*"} if are_named() else {}


def _variable(name: str) -> str:
    # An empty variable in lower case disables the proxy, whatever the upper-case one says.
    return os.environ.get(name, os.environ.get(name.upper(), "")).strip()


def _is_excepted(server: str) -> bool:
    """Whether `no_proxy` names the host, its domain, or a network that contains it."""
    host = re.sub(r":\d+$", "", server).strip("[]")
    for text in _variable("no_proxy").lower().split(","):
        entry = text.strip().removeprefix("*.").lstrip(".")
        if entry == "*" or (entry and entry in (host, server)) or host.endswith(f".{entry}"):
            return True
        if "/" in entry and _is_in(host, entry):
            return True
    return False


def _is_in(host: str, network: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
