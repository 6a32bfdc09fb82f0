"""How many tokens all samples are padded to, among the words on software: `padded to 512 tokens`."""

import re

from estimator.base.inputs import length_in_k
from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning

__all__ = ["told_padded_length"]

_FEWEST, _MOST = 16, 1_048_576
"""Tokens that anybody pads to: less is a multiple (`pad to 8`)."""
_GAP = r"[\s_\-=:,(]"
_LENGTH = rf"(?:(?:the|an?){_GAP}+)?(?:fixed{_GAP}+)?(?:max(?:imum)?{_GAP}*)?(?:seq(?:uence)?{_GAP}*)?(?:len(?:gth)?)"
_COUNT = r"(?P<count>\d{1,3}(?:,\d{3})+|\d+\s?k?)(?![^\W_]|[.,]\d)"
_WAYS = tuple(
    re.compile(rf"{words}{_GAP}*{_COUNT}(?:{_GAP}*(?:tokens?|toks?)\b)?\)?", re.IGNORECASE)
    for words in (
        # padded to 512, padding to max length 512, pad_to_max_length (512), padded to a fixed length of 512
        rf"pad(?:ded|ding)?{_GAP}+(?:out{_GAP}+|up{_GAP}+)?to{_GAP}+(?:{_LENGTH})?{_GAP}*(?:of|is)?",
        # padding=max_length 512, padding="max_length", max_length=512
        rf"pad(?:ded|ding)?{_GAP}+[\"']?max(?:imum)?{_GAP}*length[\"']?(?:{_GAP}*{_LENGTH})?{_GAP}*(?:of|is)?",
        rf"pad{_GAP}to{_GAP}max{_GAP}length(?:{_GAP}*true)?{_GAP}*{_LENGTH}{_GAP}*(?:of|is)?",
    )
)


def told_padded_length(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where what is said of a length that all samples are padded to from `at` on ends; None where none is."""
    for way in _WAYS:
        found = way.match(text, at)
        if found is None:
            continue
        count = found["count"].replace(",", "").replace(" ", "").casefold()
        tokens = length_in_k(count) or int(count)
        if _FEWEST <= tokens <= _MOST:
            practice = Practice(packing="padded", padding="limit", padded_to=tokens)
            return found.end(), Meaning(says=Facts(practice=practice))
    return None
