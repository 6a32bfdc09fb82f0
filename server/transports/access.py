"""Who may connect over HTTP: hosts, origins and tokens."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from estimator.base.errors import InvalidValueError
from server.transports.hosts import origin_allowed
from server.transports.tokens import Tokens

__all__ = ["Access", "access"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may connect."""

    hosts: tuple[str, ...]
    """Host headers, `:*` standing for any port."""
    origins: tuple[str, ...]
    """Origin headers, where a browser sends one."""
    browser_origins: tuple[str, ...]
    """The origins that were asked for: browsers are told that they may read the answers."""
    tokens: Tokens | None
    """Bearer tokens of which one is demanded; None on loopback without a token file."""


def access(
    host: str, *, allowed_hosts: Sequence[str], allowed_origins: Sequence[str], token_file: Path | None
) -> Access:
    """Return who may connect to a server bound to `host`.

    Raises InvalidValueError where others could reach it without an allowlist and a token.
    """
    for argument, values in (("allowed_hosts", allowed_hosts), ("allowed_origins", allowed_origins)):
        for value in values:
            if not value.strip() or value.startswith("*"):
                raise InvalidValueError(argument, value, "must name a host: a wildcard would switch the check off")
    for origin in allowed_origins:
        if not origin_allowed(origin, [origin]):
            remedy = "is no origin: give scheme, host and port, such as https://app.example.org"
            if origin.strip().lower() == "null":
                remedy = "is the origin of every sandboxed page and local file: it would let all of them in"
            raise InvalidValueError("allowed_origins", origin, remedy)
    if not _is_loopback(host) and not (allowed_hosts and token_file):
        raise InvalidValueError(
            "host", host, "is reachable by others: give --allowed-hosts and --token-file, or bind to 127.0.0.1"
        )
    bound = f"[{host}]" if ":" in host and not host.startswith("[") else host
    local = ("127.0.0.1", "localhost", "[::1]", bound) if _is_loopback(host) else ()
    hosts = [form for name in (*local, *allowed_hosts) for form in _with_any_port(name)]
    origins = [form for name in local for form in _with_any_port(f"http://{name}")]
    return Access(
        hosts=tuple(dict.fromkeys(hosts)),
        origins=tuple(dict.fromkeys((*origins, *allowed_origins))),
        browser_origins=tuple(allowed_origins),
        tokens=Tokens(token_file) if token_file else None,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _with_any_port(name: str) -> tuple[str, ...]:
    """Return a host as it stands, and with any port unless it names one."""
    bare = name.rsplit("]", 1)[-1].removeprefix("http://").removeprefix("https://")
    return (name,) if ":" in bare else (name, f"{name}:*")
