"""What a host may offer while an id or a prompt's blank is being typed."""

from collections.abc import Callable, Mapping, Sequence

from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from server.protocol.prompts import PROMPTS
from server.protocol.resources import FAMILIES

__all__ = ["completion"]

_MOST = 100
"""Values the protocol admits in one answer."""

_IDS: Mapping[str, Callable[[], Sequence[str]]] = {family.template: family.ids for family in FAMILIES}
_BLANKS: Mapping[str, Callable[[], Sequence[str]]] = {
    "gpu": _IDS["traintime://gpus/{id}"],
    "model": _IDS["traintime://models/{id}"],
    "tokens": lambda: ["10B", "100B", "300B", "1T", "2T", "15T"],
    "n_gpus": lambda: ["1", "8", "16", "32", "64", "128", "256", "512", "1024", "2048", "4096", "8192", "16384"],
    "deadline": lambda: ["1 day", "7 days", "30 days", "90 days"],
    "budget": lambda: ["$1k", "$10k", "$100k", "$1M", "$10M"],
}


async def completion(
    reference: PromptReference | ResourceTemplateReference,
    argument: CompletionArgument,
    context: CompletionContext | None,
) -> Completion | None:
    """Return what begins with the text typed so far, then what contains it; None where nothing is known."""
    del context
    if isinstance(reference, ResourceTemplateReference):
        source = _IDS.get(reference.uri) if argument.name == "id" else None
    else:
        source = _BLANKS.get(argument.name) if reference.name in PROMPTS else None
    if source is None:
        return None
    typed = argument.value.casefold()
    good = source()
    begins = [value for value in good if value.casefold().startswith(typed)]
    contains = [value for value in good if typed in value.casefold() and value not in begins]
    values = begins + contains
    return Completion(values=values[:_MOST], total=len(values), has_more=len(values) > _MOST)
