"""Where a text gives the address of a repository: `tloen/` of `tloen/alpaca-lora` says nothing beside its name."""

import re

from estimator.resolve.framework.meaning import folded
from estimator.resolve.framework.names import NAMES

__all__ = ["told_addresses"]

_SITE = re.compile(r"(?:https?://)?(?:www\.)?(?:github|gitlab|huggingface)\.com?/(?:[\w.-]+/)?", re.IGNORECASE)
_REPOSITORY = re.compile(r"(?<![^\s(\[,;/])(?P<owner>[\w.-]+/)(?P<name>[\w.-]*\w)")
_ENDINGS = (".git", ".py")


def told_addresses(text: str) -> tuple[tuple[int, int], ...]:
    """Return from where to where sites, and owners of repositories with a stack's name, stand in `text`."""
    if "/" not in text:
        return ()
    sites = (found.span() for found in _SITE.finditer(text))
    owners = (found.span("owner") for found in _REPOSITORY.finditer(text) if _names_stack(found["name"]))
    return (*sites, *owners)


def _names_stack(name: str) -> bool:
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return folded(name) in NAMES
