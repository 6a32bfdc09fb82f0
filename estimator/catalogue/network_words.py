"""Where a text about devices goes on to their network: `A100 80GB, InfiniBand HDR`, `8xH100 NDR400`, `A100 (EFA)`."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

__all__ = ["GENERATIONS", "NETWORK_KINDS", "apart_from_network", "listed_devices"]

GENERATIONS: Mapping[str, float] = MappingProxyType(
    {
        "qdr": 40.0,
        "fdr": 56.0,
        "edr": 100.0,
        "hdr": 200.0,
        "ndr": 400.0,
        "xdr": 800.0,
        "edr100": 100.0,
        "hdr100": 100.0,
        "hdr200": 200.0,
        "ndr200": 200.0,
        "ndr400": 400.0,
        "xdr800": 800.0,
    }
)
"""Gb/s of a port of InfiniBand with four lanes, as its trade association names them; with a number behind, that."""
_GENERATION = "|".join(sorted(GENERATIONS, key=len, reverse=True))
_FABRICS = "|".join(
    (
        *("infini ?band", "ib", r"roce(?:[ -]?v?2)?", "ethernet", "eth", r"efa(?:[ -]?v?[23])?", "rdma"),
        *("omni[ -]?path", "slingshot", r"tcp(?:/ip)?", "lan", "wan", "internet"),
    )
)
_WIRED = "|".join(
    (
        *("network(?:ing)?", "interconnects?", "nics?", "(?:mellanox[ -])?(?:connectx|cx)[ -]?[4-9]", "mellanox"),
        *("inter[ -]?node", "(?:between|across) (?:the )?nodes"),
    )
)
NETWORK_KINDS = f"{_FABRICS}|{_WIRED}|{_GENERATION}"
"""What names a network, or its adapters, as a pattern that disregards case."""
_PER_SECOND = r"(?:ps|/ ?s(?:ec)?)"
# Of bytes a second people tell memory and links within a machine.
_RATE = (
    rf"\d{{1,4}}(?:\.\d{{1,2}})? ?[gmt](?-i:b)(?:its?)?{_PER_SECOND}|\d{{1,3}} ?(?:gbe|gbase-?[a-z]\d?|gige|gigabit)"
)
_SOCKETS = r"ipoib|(?:tcp )?sockets?|gpu ?direct|tcpxo?|gigabit|srd"
_TOLD = rf"{_RATE}|{_FABRICS}|{_GENERATION}|{_SOCKETS}"
"""What nothing but a network is called."""
_BESIDE = "|".join(
    (
        *("no", "not", "without", "disabled", "off", "plain", "only", "an?", "the", "one", "two", "four", "eight"),
        *("single", "dual", "per", "each", "for", "of", "at", "nodes?", "gpus?", "cards?", "machines?", "servers?"),
        *("fabric", "links?", "linked", "ports?", "adapters?", "speed", "bandwidth", "connected", "nvidia", "hpe"),
        *(r"\d{1,2} ?[x×](?=[ \d])", r"\d{1,4} ?(?:g|gb|gbit|gig)", _WIRED),
    )
)
"""What else stands with it."""
_FROM_HERE = r"[,;(/+&]|with|w/|over|via|on|using|by|through|and|:"
"""From where on a text is of something else than it was."""
_PART = re.compile(
    rf"(?P<told>(?<![^\W_x×])(?:{_TOLD})(?![^\W_]))|(?P<beside>(?<![^\W_x×])(?:{_BESIDE})(?:(?<=[x×])|(?![^\W_])))|"
    rf"(?P<from_here>[,;(/+&:]|(?<![^\W_])(?:{_FROM_HERE})(?![^\W_]))|(?P<blank>[\s)-]+)",
    re.IGNORECASE,
)

_BETWEEN = re.compile(r",(?!(?<=\d,)\d{3} (?:gpu|card|device|chip|accelerator)s? )", re.IGNORECASE)
"""What parts devices: a comma, and not of thousands of them."""


def apart_from_network(text: str) -> Iterator[tuple[str, str]]:
    """Yield how `text` can be parted into a device and what is said of its network behind it, the likeliest first.

    The network is told from the comma or the `with` before its first name on, where there is one; else as late as it
    can be, for a size before it is the device's memory (`A100 80GB InfiniBand`). Nothing where none is told.
    """
    parts = _last_parts(text)
    first = next((index for index, part in enumerate(parts) if part.lastgroup == "told"), None)
    if first is None:
        return
    start = next((index for index in range(first, -1, -1) if parts[index].lastgroup == "from_here"), None)
    for index in range(first, -1, -1) if start is None else (start,):
        at = parts[index].start()
        device, told = text[:at].strip(" ,;-"), text[at:].strip(" ,;(-")
        if device:
            yield device, told.removesuffix(")") if "(" not in told else told


def listed_devices(text: str) -> list[str]:
    """Return the devices that `text` names with commas between them, each with what is said of its network.

    `H100, A100 80GB, InfiniBand HDR` are two; `1,152 GPUs of GB200` are one.
    """
    names: list[str] = []
    for part in (part.strip() for part in _BETWEEN.split(text)):
        if names and part and any(name == names[-1] for name, _ in apart_from_network(f"{names[-1]}, {part}")):
            names[-1] += f", {part}"
        elif part:
            names.append(part)
    return names


def _last_parts(text: str) -> list[re.Match[str]]:
    """Return the words at the end of `text` that may be of a network, without what parts them."""
    parts: list[re.Match[str]] = []
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            parts = []
            at += 1
            continue
        if part.lastgroup != "blank":
            parts.append(part)
        at = part.end()
    return parts
