"""Which web proxy a store is asked through: one answer for both clients.

As for the AWS command line: `http_proxy`, `https_proxy` and `no_proxy` in either case, the lower
one first, and no `all_proxy`. Beyond it, `no_proxy` takes a network (``10.0.0.0/8``).
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
    """URL of the proxy for a server.

    Parameters
    ----------
    server : str
        URL without a path.

    Raises
    ------
    ConfigError
        If it is no HTTP proxy; it may hold a password and is not repeated.
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
            f"{name.upper()} is no URL of an HTTP proxy",
            "write http://host:port, or name the store's host in NO_PROXY",
        )
    return proxy


def obstore_options(proxy: str | None) -> "ClientConfig":
    """Client options by which obstore asks through a proxy, or none, whatever the environment."""
    if proxy:
        return {"proxy_url": proxy}
    # Only where one is named are its own variables overruled.
    return {"proxy_url": "http://localhost", "proxy_excludes": "*"} if are_named() else {}


def _variable(name: str) -> str:
    # An empty one in lower case means none, whatever the other says.
    return os.environ.get(name, os.environ.get(name.upper(), "")).strip()


def _is_excepted(server: str) -> bool:
    """Whether `no_proxy` names a host, a domain that it is in, or a network."""
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
