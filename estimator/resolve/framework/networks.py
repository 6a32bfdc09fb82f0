"""What people say of the network between nodes: `10 GbE`, `100G InfiniBand`, `8x NDR`, `EFA 400 Gbps`."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from estimator.base.units import BITS_PER_BYTE
from estimator.catalogue.network_words import GENERATIONS, NETWORK_KINDS
from estimator.question.practice import NetworkOf, Practice
from estimator.resolve.framework.fabrics import fabric_in
from estimator.resolve.framework.meaning import Facts, Meaning
from estimator.resolve.framework.whose import EACH, whose

__all__ = ["told_network"]

_NEED_A_NETWORK = frozenset({"g", "gb", "gbit", "gig"})
_OF_NODES = frozenset({"efa", "ethernet", "eth", "lan", "wan", "internet", "tcp"})
"""Whose rates are told of a machine with all its adapters."""
_KIND = rf"(?:{NETWORK_KINDS})"
_LINKING = r"(?:[ :=@-]*(?:is |at |of |over |links? |cards? |ports? |speed |bandwidth )?)"
_COUNT = r"(?:(?P<{0}>\d{{1,2}}|dual|single|one|two|four|eight)(?: ?[x×*] ?| ))?"
_NUMBER = r"(?P<number>\d{1,4}(?:\.\d{1,2})?)"
_PER_SECOND = r"(?:ps|/ ?s(?:ec)?| per second)"
_RATE = rf"(?P<scale>[gmt])(?P<unit>b)(?:its?)?{_PER_SECOND}"
_SIZE = r"(?P<size>g(?:b|bit|ig|igabit|)?)"
_A_RATE = rf"{_NUMBER} ?(?:{_RATE}|{_SIZE}|(?P<whole>gbe|gbase-?[a-z]\d?|gige))(?![a-z0-9])"
_A_GENERATION = rf"(?P<generation>{'|'.join(sorted(GENERATIONS, key=len, reverse=True))})(?![a-z0-9])"
_ONE = r"(?<!\d )(?P<one>gigabit|gige)(?![a-z0-9])"
_OF = rf"(?:[ ,]*{EACH}\b)?"
_TOLD = re.compile(
    rf"{_COUNT.format('ports')}(?:(?P<before>{_KIND}){_LINKING})?{_COUNT.format('ports_behind')}"
    rf"(?:{_A_RATE}|{_A_GENERATION}|{_ONE})"
    rf"(?:[ -]?{_OF.format('of')}[ -]*(?P<after>{_KIND}(?:[ -]{_KIND})*)(?![a-z0-9]))?{_OF.format('of_it')}",
    re.IGNORECASE,
)
_ELSE = r"(?:nvlink|nv link|nvswitch|pcie|pci|nvme|ssd|disk|hbm\w*|memory|vram|ram|storage)"
_ELSEWHERE = re.compile(rf"(?<![a-z]){_ELSE}(?: at| of)?\W*$", re.IGNORECASE)
"""Of what else people tell such rates, just before …"""
_ELSEWHERE_AFTER = re.compile(rf"\W*(?:of )?{_ELSE}(?![a-z])", re.IGNORECASE)
"""… or just behind them."""
_SCALES: Mapping[str, float] = MappingProxyType({"m": 1e-3, "g": 1.0, "t": 1e3})
_COUNTED: Mapping[str, int] = MappingProxyType({"single": 1, "one": 1, "dual": 2, "two": 2, "four": 4, "eight": 8})


def told_network(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where what is said of a network from `at` on ends, and what it means; None where nothing is said of one.

    A size without its seconds (`10G`) is a rate beside the name of a network alone, and so are bytes a second, for
    links within a machine are told in them.
    """
    found = _TOLD.match(text, at)
    if found is None or _ELSEWHERE.search(text, 0, at) or _ELSEWHERE_AFTER.match(text, found.end()):
        return None
    kinds = f"{found['before'] or ''} {found['after'] or ''}".strip()
    in_bytes = found["unit"] == "B"
    if not kinds and (in_bytes or (found["size"] or "").casefold() in _NEED_A_NETWORK):
        return None
    gbps = _gbps(found) * (BITS_PER_BYTE if in_bytes else 1)
    if gbps <= 0.0:
        return None
    practice = Practice(
        network_gbps=gbps,
        network_ports=_ports(found),
        network_of=_whose(found, kinds),
        transport=fabric_in(" ".join(filter(None, (kinds, found["generation"], found["whole"], found["one"])))),
    )
    return found.end(), Meaning(says=Facts(practice=practice))


def _gbps(found: re.Match[str]) -> float:
    """Return Gb/s of one port."""
    if found["one"]:
        return 1.0
    if found["generation"]:
        return GENERATIONS[found["generation"].casefold()]
    return float(found["number"]) * _SCALES[(found["scale"] or "g").casefold()]


def _ports(found: re.Match[str]) -> int | None:
    told = (found["ports"] or found["ports_behind"] or "").casefold()
    return _COUNTED.get(told) or int(told or 0) or None


def _whose(found: re.Match[str], kinds: str) -> NetworkOf | None:
    if of := found["of"] or found["of_it"]:
        return whose(of)
    named = set(re.findall(r"[a-z]+", kinds.casefold()))
    return "node" if _OF_NODES & named or found["whole"] or found["one"] else None
