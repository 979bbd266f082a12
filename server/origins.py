"""Who may talk to this server: pages that it served itself.

Browsers let any page open a websocket to any host and send its Origin along; CORS does not apply. A client that is no
browser sends no Origin and is let in, as it could send whatever it likes.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit


def same_origin(origin: str | None, host: str | None) -> bool:
    """Return whether the Origin header names the very host and port of the Host header; a missing Origin passes."""
    if origin is None:
        return True
    if host is None:
        return False
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return False
    default = 443 if parts.scheme == "https" else 80
    return (parts.hostname.lower(), port or default) == _split_host(host, default)


def _split_host(host: str, default: int) -> tuple[str, int] | None:
    try:
        parts = urlsplit(f"//{host}")
        return None if parts.hostname is None else (parts.hostname.lower(), parts.port or default)
    except ValueError:
        return None


def known_host(host: str | None, own_names: Collection[str]) -> bool:
    """Return whether the Host header names this machine: an address, localhost, or one of its names in lower case.

    A page elsewhere can point a name of its own at this machine, and would then pass for the same origin.
    """
    parts = None if host is None else _split_host(host, 80)
    if parts is None:
        return False
    name = parts[0]
    return name == "localhost" or name in own_names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
