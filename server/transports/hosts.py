"""Whose requests are let in: Host and Origin are read whole (RFC 9110, 7.2; RFC 6454, 7.1), not by their beginning."""

import re
from collections.abc import Iterable, Mapping

__all__ = ["Authority", "authority", "host_allowed", "origin_allowed"]

Authority = tuple[str, str]
"""A host in lower case and its port; the port is empty where none is named."""
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?)(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://([^/?#@\s]+)")
_DEFAULT_PORT: Mapping[str, str] = {"http": "80", "https": "443"}
_ANY = "*"


def authority(text: str) -> Authority | None:
    """Return the host and port that `text` is; None where it is anything more or less, such as `user@host`."""
    found = _AUTHORITY.fullmatch(text.lower())
    return None if found is None else (found[1].removesuffix("."), found[2] or "")


def host_allowed(given: str, allowed: Iterable[str]) -> bool:
    """Return whether the Host header `given` is one of `allowed`, of which `name:*` is that name on any port."""
    asked = authority(given)
    return asked is not None and any(_matches(asked, one) for one in allowed)


def origin_allowed(given: str, allowed: Iterable[str]) -> bool:
    """Return whether the Origin header `given` is one of `allowed`, of the same scheme, host and port."""
    asked = _ORIGIN.fullmatch(given.lower())
    if asked is None:
        return False
    scheme, host = asked.groups()
    parsed = authority(host)
    if parsed is None:
        return False
    full = (parsed[0], parsed[1] or _DEFAULT_PORT[scheme])
    for one in allowed:
        other, _, name = one.lower().rstrip("/").partition("://")
        if other == scheme and (
            _matches(parsed, name) or _matches(full, name) or _matches(full, _ported(name, scheme))
        ):
            return True
    return False


def _ported(name: str, scheme: str) -> str:
    """Return `name` with the port that its scheme means, unless it names one."""
    parsed = authority(name)
    return name if parsed is None or parsed[1] else f"{name}:{_DEFAULT_PORT[scheme]}"


def _matches(asked: Authority, allowed: str) -> bool:
    if allowed.endswith(f":{_ANY}"):
        known = authority(allowed.removesuffix(f":{_ANY}"))
        return known is not None and known[0] == asked[0]
    return authority(allowed) == asked
