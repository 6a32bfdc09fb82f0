"""What people say of the machines that a run has: `4 nodes of 4 GPUs`, `2x8 A100`, `8 GPUs per node`, `2 GPUs`."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning

__all__ = ["SEVERAL_DEVICES", "told_machines"]

SEVERAL_DEVICES = Meaning()
"""That all devices have a part of the work: of a stack that leaves them idle unless told, how it was started."""
_WORDS: Mapping[str, int] = MappingProxyType(
    {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "sixteen": 16}
)
_GAP = r"[\s\-_]{0,2}"
_NUMBER = rf"(?:\d{{1,5}}|{'|'.join(_WORDS)})(?![.\d])"
_CHIP = (
    r"(?:(?:nvidia|amd|rtx|geforce)[ -])*(?:(?!x\d)[a-z]{1,3}\d{2,4}[a-z]{0,2}|\d{4}(?:[ -]?ti)?)"
    r"s?(?:[ -](?:sxm\d?|pcie|nvl|\d{2,3} ?gb)(?![^\W_])){0,2}"
)
_CARD = (
    r"(?:(?:nvidia|tesla|quadro|amd|rtx|gtx|geforce)[ -])*"
    r"(?:[tlp]4|a2|k80|[a-z]{1,2}\d{2,4}[a-z]{0,2}|\d{4}(?:[ -]?ti)?)"
)
"""One with a number behind it, which is how many there are where it is no count of lanes."""
_KIND = r"(?:gpus?|cards?|devices?|accelerators?|gcds?|chips?)"
_DEVICES = rf"(?:{_CHIP}(?:{_GAP}{_KIND})?|{_KIND})(?![^\W_])"
_NODES = rf"(?:(?:{_CHIP}|dgx|hgx|gpu|compute){_GAP}){{0,2}}(?:nodes?|machines?|servers?|hosts?|box(?:es)?)(?![^\W_])"
_BOXES = rf"(?:dgx|hgx)(?:{_GAP}{_CHIP})?(?![^\W_])(?!{_GAP}(?:nodes?|machines?|servers?))"
_TIMES = r"\s?[x×*]\s?"
_SOME_NODES = rf"(?P<nodes>{_NUMBER})(?:{_TIMES}|{_GAP})(?:{_NODES}|{_BOXES})"
_SOME_DEVICES = rf"(?P<devices>{_NUMBER})(?:{_TIMES}|{_GAP}){_DEVICES}"
# Not `RTX 4090 GPUs`, whose number is a name's, nor `7 GPU hours`.
_ALL = rf"(?P<all>\d{{1,2}}|128|256|512|1024|2048|{'|'.join(_WORDS)})"
_IN_ALL = rf"{_ALL}{_GAP}{_KIND}(?![^\W_])(?!{_GAP}h(?:ours?|rs?)?\b)"
_EACH = rf"\s?(?:(?:per|/|a|on each|in each|on every|in every|for each|each){_GAP}(?:{_NODES})|each|apiece)(?![^\W_])"
_WAYS = tuple(
    re.compile(rf"(?:{words})", re.IGNORECASE)
    for words in (
        # 4 nodes of 4 GPUs, 4 nodes with 8x H100 each, 4 nodes x 8 GPUs
        (
            rf"{_SOME_NODES}(?:,?\s(?:of|with|having|at)\s|{_TIMES}|,?\s(?:each\s)(?:of|with|having)\s){_SOME_DEVICES}"
            rf"(?:{_EACH})?"
        ),
        # 4 nodes, 8 GPUs each; 4 nodes (8 per node)
        rf"{_SOME_NODES}[\s,(]{{1,3}}(?:{_SOME_DEVICES}{_EACH}|(?P<bare>{_NUMBER})\s?(?:per|/){_GAP}{_NODES})\)?",
        # 2x8 A100, 2 x 8 x H100
        rf"(?P<nodes>{_NUMBER}){_TIMES}{_SOME_DEVICES}",
        # 4x 8-GPU nodes, 4 8xH100 nodes, 8-GPU nodes
        rf"(?:(?P<nodes>{_NUMBER})(?:{_TIMES}|\s))?(?P<devices>{_NUMBER})(?:{_TIMES}|-){_DEVICES}{_GAP}{_NODES}",
        # 8 GPUs per node, 8 per node
        rf"{_SOME_DEVICES}\s?(?:per|/|a|on each|in each|on every|in every){_GAP}{_NODES}",
        rf"(?P<devices>{_NUMBER})\s?(?:per|/){_GAP}{_NODES}",
        # nodes of 4 GPUs
        rf"(?:nodes?|machines?|servers?|hosts?)\s(?:of|with)\s{_SOME_DEVICES}(?:\seach(?![^\W_]))?",
        # 4 nodes, a 4-node cluster, 4 DGX H100
        _SOME_NODES,
        # 2 GPUs
        _IN_ALL,
        # 2xT4, 2 x RTX 3090, 8xH100 SXM
        rf"{_ALL}{_TIMES}(?:{_DEVICES}|{_CARD}(?![^\W_]))",
        # T4 x2, A100 x 8
        rf"{_CARD}\s?[x×]\s?{_ALL}(?![^\W_])(?!\s?(?:lanes?|links?|slots?|risers?|pcie|gen))",
    )
)
_BEGINNINGS = re.compile(rf"(?<![\w.])(?:{_NUMBER}|{_CARD}\s?[x×]|nodes?|machines?|servers?|hosts?)", re.IGNORECASE)


def told_machines(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where what is said of machines from `at` on ends, and what it means; None where nothing is said.

    The first number is that of machines, the one beside a kind of device how many of these each holds; alone it is of
    all there are.
    """
    if not _BEGINNINGS.match(text, at):
        return None
    found = max((way for ways in _WAYS if (way := ways.match(text, at))), key=lambda way: way.end(), default=None)
    if found is None:
        return None
    told = found.groupdict()
    nodes, devices = _count(told.get("nodes")), _count(told.get("devices") or told.get("bare"))
    practice = Practice(devices=_count(told.get("all")), nodes=nodes, node_devices=devices)
    return found.end(), Meaning(says=Facts(practice=practice))


def _count(told: str | None) -> int | None:
    return None if told is None else (_WORDS.get(told.casefold()) or int(told) or None)
