"""Who may open a websocket: pages that this server itself served.

Browsers let any page open a websocket to any host and send its Origin along; CORS does not apply. A client that is no
browser sends no Origin and is let in, as it could send whatever it likes.
"""

from __future__ import annotations

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
