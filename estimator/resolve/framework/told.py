"""What a framework's text tells of arguments that were left open, and what the reader must know of that."""

from dataclasses import replace
from typing import Any

from estimator.question.question import Assumption, Caution
from estimator.question.request import SHARDING_NAMES, Request
from estimator.resolve.device import resolved_device
from estimator.resolve.framework.software import AUTO, NamedFramework

__all__ = ["framework_assumptions", "told_request"]

_MOST_PARTS = 12
"""Parts of a text that are repeated to the reader."""
_LONGEST_PART = 60


def told_request(request: Request, named: NamedFramework) -> tuple[Request, tuple[Caution, ...]]:
    """Return `request` with arguments left open as its framework's text tells them, and what to beware of.

    Arguments win over the text. A precision that the device does not have is not taken from it.
    """
    hints = {
        "packing": named.practice.packing,
        "data_sharding": named.sharding,
        "activation_recompute": named.recompute,
        "precision": named.precision,
    }
    taken: dict[str, Any] = {}
    cautions: list[Caution] = []
    for argument, hint in hints.items():
        if hint is None:
            continue
        given = _choice(getattr(request, argument))
        if given == AUTO and (argument != "precision" or _has(request, hint)):
            taken[argument] = hint
        elif given != hint:
            why = "the GPU has no such rate" if given == AUTO else f"the argument's {given} is taken"
            cautions.append(
                Caution(code="framework_contradicted", message=f"framework says {argument} {hint}, but {why}")
            )
    told = replace(request, **taken) if taken else request
    return told, (*cautions, *_doubts(request.framework, named))


def framework_assumptions(named: NamedFramework) -> tuple[Assumption, ...]:
    """Return the stack, its release and what else was understood of the text; none where nothing was said."""
    out: list[Assumption] = []
    if named.name != AUTO:
        read = _listed("understood", named.understood if len(named.understood) > 1 else ())
        unread = _listed("not understood", named.not_understood)
        note = "; ".join(part for part in (named.note, read, unread) if part)
        out.append(Assumption(name="framework", value=named.name, source="user", note=note))
    elif named.says_something:
        note = _listed("not understood", named.not_understood)
        value = _parts(named.understood)
        out.append(Assumption(name="practice", value=value, source="user", note=note))
    if named.released is not None:
        out.append(Assumption(name="software_release", value=round(named.released, 2), unit="year", source="user"))
    return tuple(out)


def _choice(given: str) -> str:
    folded = given.strip().casefold()
    return SHARDING_NAMES.get(folded, folded)


def _has(request: Request, precision: str) -> bool:
    accelerator = resolved_device(request).accelerator
    return accelerator is None or precision in accelerator.peak_flop_per_s


def _doubts(given: str, named: NamedFramework) -> tuple[Caution, ...]:
    if not named.not_understood and (named.understood or named.name != AUTO):
        return ()
    what = _parts(named.not_understood) if named.not_understood else repr(given[:_LONGEST_PART])
    if named.name == AUTO:
        instead = "no stack is named, and the usual one for such hardware is assumed"
    elif named.name == "unknown":
        instead = "an untuned stack is assumed, with a wide range"
    else:
        instead = f"the rest is taken as {named.name}"
    return (Caution(code="framework_not_understood", message=f"framework: {what} is not understood; {instead}"),)


def _listed(what: str, parts: tuple[str, ...]) -> str:
    return f"{what}: {_parts(parts)}" if parts else ""


def _parts(parts: tuple[str, ...]) -> str:
    """Return `parts` in one line of bounded length."""
    shown = [" ".join(part.split())[:_LONGEST_PART] for part in parts[:_MOST_PARTS]]
    return ", ".join(shown) + (" …" if len(parts) > _MOST_PARTS else "")
