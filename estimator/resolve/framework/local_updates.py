"""Local SGD in the words of a framework's text: `OpenDiLoCo, sync every 100 steps, 8 workers`."""

import re
from dataclasses import dataclass

from estimator.base.errors import InvalidValueError, shown

__all__ = ["AskedLocalUpdates", "asked_local_updates"]

_MOST_STEPS, _MOST_SITES = 1_000_000, 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedLocalUpdates:
    """What was said of sites that average now and then, and what is usual of that kind."""

    name: str
    sites: int | None
    """None: not said, so each node is one."""
    steps: int
    bytes_per_parameter: float
    overlapped: bool
    usual: str
    """What was not said and is as published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A published way: its steps between two synchronisations, None where they must be said, and what it sends."""

    name: str
    words: str
    steps: int | None
    bytes_per_parameter: float
    source: str
    overlapped: bool = False
    stack: str = "auto"
    """What runs a site, where nothing else is said."""

    def found(self, text: str) -> re.Match[str] | None:
        """Return where `text` names it first."""
        return re.search(rf"(?<![\w-])(?:{self.words})(?![\w-])", text, re.IGNORECASE)


_KINDS = (
    _Kind(
        name="Streaming DiLoCo",
        words=r"streaming[ -]?diloco",
        steps=100,
        bytes_per_parameter=0.5,
        source="Douillard et al. 2025",
        overlapped=True,
    ),
    _Kind(
        name="OpenDiLoCo",
        words=r"open[ -]?diloco",
        steps=500,
        bytes_per_parameter=2.0,
        source="Jaghouar et al. 2024 (OpenDiLoCo)",
    ),
    _Kind(
        name="prime",
        words=r"prime(?![ -]?(?:rl|intellect))|intellect[ -]?1(?: prime)?",
        steps=100,
        bytes_per_parameter=1.0,
        source="Jaghouar et al. 2024 (INTELLECT-1)",
        stack="torchtitan",
    ),
    _Kind(
        name="DiLoCo",
        words=r"(?:async[ -]?|decoupled[ -]?)?diloco",
        steps=500,
        bytes_per_parameter=4.0,
        source="Douillard et al. 2023",
    ),
    _Kind(
        name="local SGD",
        words=r"(?:post[ -]?)?local[ -]?(?:sgd|adamw?|updates)|fed(?:erated[ -])?avg",
        steps=None,
        bytes_per_parameter=4.0,
        source="",
    ),
)
"""More particular names first."""
_MARKS = ("loco", "local", "prime", "intellect", "fed")
"""Of which every name has one: hardly any text has, and nothing is compiled for the others."""
_STEPS = (
    r"(?:(?:sync\w*|averag\w*|communicat\w*)?\s*(?:every|each|per)|H\s*=|"
    r"(?:(?:sync|averaging) )?(?:period|interval)(?: of)?)[\s=:]*(\d[\d,_]{0,9})(?:\s*(?:inner|local)?\s*steps?)?|"
    r"(\d[\d,_]{0,9})\s*(?:inner|local)\s*steps?(?:\s*(?:between|per)\s*(?:sync\w*|averag\w*|rounds?))?|"
    r"(\d[\d,_]{0,9})\s*steps?\s*(?:between|per)\s*(?:sync\w*|averag\w*|rounds?)"
)
_SITES = (
    r"(?:over|across|on)?\s*(\d[\d,_]{0,9})\s*(?:diloco )?(?:workers?|sites?|islands?|clusters?|data ?cent(?:er|re)s?)"
)
_WIDTH = (
    r"(int4|fp4|int8|fp8|fp16|bf16|fp32)[ -]*(?:all[ -]?reduce|outer\w*(?: gradients?)?|pseudo\w*(?:[ -]gradients?)?|"
    r"exchange|sync\w*|averag\w*)"
)
_BYTES = {"4": 0.5, "8": 1.0, "16": 2.0, "32": 4.0}


def asked_local_updates(framework: str) -> tuple[AskedLocalUpdates | None, str]:
    """Return what `framework` says of local SGD, and the rest of the text; None where it says nothing of it.

    Raises InvalidValueError where it must say more.
    """
    folded = framework.casefold()
    if not any(mark in folded for mark in _MARKS):
        return None, framework
    named = next(((kind, match) for kind in _KINDS if (match := kind.found(framework))), None)
    if named is None:
        return None, framework
    kind, at = named
    rest = f"{framework[: at.start()]} {framework[at.end() :]}"
    found: dict[str, str] = {}
    for name, pattern in (("width", _WIDTH), ("steps", _STEPS), ("sites", _SITES)):
        if match := re.search(pattern, rest, re.IGNORECASE):
            found[name] = next(text for text in match.groups() if text)
            rest = rest[: match.start()] + " , " + rest[match.end() :]
    steps = _count(found["steps"], "steps between synchronisations", _MOST_STEPS) if "steps" in found else kind.steps
    if steps is None:
        remedy = f'needs the steps between two synchronisations: "{kind.name}, every 100 steps"'
        raise InvalidValueError("framework", framework, remedy)
    width = found.get("width", "")
    told = _BYTES[re.sub(r"\D", "", width)] if width else kind.bytes_per_parameter
    unsaid = [f"every {steps} steps"] if "steps" not in found else []
    unsaid += [f"{told:g} bytes a parameter sent"] if not width else []
    asked = AskedLocalUpdates(
        name=kind.name,
        sites=_count(found["sites"], "sites", _MOST_SITES) if "sites" in found else None,
        steps=steps,
        bytes_per_parameter=told,
        overlapped=kind.overlapped,
        usual=f"{' and '.join(unsaid)}{f' as in {kind.source}' if kind.source else ''}" if unsaid else "",
    )
    rest = re.sub(r"[\s,;+]*,[\s,;+]*", ", ", rest).strip(" ,;+&")
    return asked, rest or kind.stack


def _count(text: str, what: str, most: int) -> int:
    count = int(text.replace(",", "").replace("_", "") or 0)
    if not 1 <= count <= most:
        raise InvalidValueError("framework", shown(text), f"is no number of {what}: 1 to {most:,} are")
    return count
