"""What people say of what carries bytes between nodes, however fast: `InfiniBand`, `RoCE`, `EFA`, `TCP`, `no RDMA`."""

import re
from collections.abc import Iterable, Mapping

from estimator.question.practice import NOTHING_SAID, Practice, Transport
from estimator.resolve.framework.meaning import Facts, Meaning, by_phrase

__all__ = ["FABRICS", "fabric_in", "first_of"]


def _named(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE)


_INFINIBAND = "infiniband | infini band | ib | mellanox infiniband | nvidia infiniband | quantum infiniband | quantum 2"
_REMOTE_ACCESS = (
    "rdma | rdma network | rdma networking | gpudirect | gpu direct | gpudirect rdma | gpu direct rdma | gdr | "
    "ibverbs | infiniband rdma | ib rdma | rdma over infiniband | rdma over ethernet | roce rdma | "
    "rdma over converged ethernet | "
    # Their data goes into devices by itself, though its headers are TCP's.
    "gpudirect tcpx | gpudirect tcpxo | gpu direct tcpx | gpu direct tcpxo | tcpx | tcpxo"
)
_ON_ETHERNET = "roce | roce v2 | rocev2 | spectrum x"
_OF_CLOUDS = (
    "efa | efa v2 | efa v3 | aws efa | elastic fabric adapter | elastic fabric adapters | srd | aws ofi nccl | "
    "ofi nccl | nccl ofi | oci cluster network | oci cluster networking | rdma cluster network"
)
_OF_LABS = (
    "slingshot | slingshot 10 | slingshot 11 | hpe slingshot | cray slingshot | hpe cray slingshot | "
    "omni path | omnipath | intel omni path | cornelis omni path | opa | opa 100 | omni path 100"
)
_SOCKETS = (
    "tcp | tcp ip | tcp sockets | tcp socket | tcp transport | plain tcp | sockets | nccl sockets | socket transport | "
    "nccl net socket | nccl ib disable | ipoib | ip over ib | ip over infiniband | tcp over infiniband | tcp over ib | "
    "tcp over ethernet | internet | wifi | wi fi | tailscale | vpn"
)
_ETHERNET = "ethernet | eth | lan | ethernet network | plain ethernet | commodity ethernet | regular ethernet"
_WORDS: tuple[tuple[Transport, re.Pattern[str]], ...] = (
    # Whoever names sockets beside a fabric has them on it, and whoever names a fabric beside Ethernet has RoCE.
    ("sockets", _named(r"tcp(?:[ /-]ip)?|sockets?|ipoib|wan|internet")),
    (
        "rdma",
        _named(
            r"infini ?band|ib|roce(?:[ -]?v?2)?|efa(?:[ -]?v?[23])?|rdma|gpu ?direct|omni[ -]?path|slingshot|tcpxo?|"
            r"[efhnqx]dr(?:100|200)?"
        ),
    ),
    ("ethernet", _named(r"ethernet|eth|lan|gbe|gige|gigabit|gbase-?[a-z]\d?")),
)
"""In names of networks, the first that is found being what counts."""


def _row(words: str, said: Transport, denied: Transport | None) -> tuple[str, Meaning]:
    denies = NOTHING_SAID if denied is None else Practice(transport=denied)
    return words, Meaning(says=Facts(practice=Practice(transport=said)), denies=Facts(practice=denies))


_HARMLESS = (
    "network | networks | networking | interconnect | interconnects | fabric | fabrics | network fabric | inter node | "
    "internode | inter node network | between nodes | across nodes | between the nodes | dual port | hca | hcas"
)
"""Beside a kind, of which they say no more."""

FABRICS: Mapping[str, Meaning] = by_phrase(
    (_HARMLESS, Meaning()),
    # Who has no InfiniBand has Ethernet, of which RoCE may be.
    _row(_INFINIBAND, "rdma", "ethernet"),
    _row(_REMOTE_ACCESS, "rdma", "sockets"),
    _row(_ON_ETHERNET, "rdma", "sockets"),
    _row(_OF_CLOUDS, "rdma", "sockets"),
    _row(_OF_LABS, "rdma", None),
    _row(_SOCKETS, "sockets", None),
    _row(_ETHERNET, "ethernet", None),
)
"""By folded phrase; kinds that no rate stands beside."""


def first_of(transports: Iterable[Transport | None]) -> Transport | None:
    """Return which of several that were named carries bytes; None where none was."""
    named = {*transports}
    return next((one for one, _ in _WORDS if one in named), None)


def fabric_in(text: str) -> Transport | None:
    """Return what carries bytes by the kinds of networks that `text` names; None where it names none."""
    return next((one for one, words in _WORDS if words.search(text)), None)
