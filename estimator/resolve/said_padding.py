"""What is said of padding where lengths and packing are told: `padded to 384`, `mean 170, padded to 384`."""

import re
from dataclasses import replace
from typing import Any

from estimator.base.errors import InvalidValueError
from estimator.question.practice import NOTHING_SAID, Practice
from estimator.question.request import PACKING_CHOICES, Request
from estimator.resolve.framework.named import named_framework

__all__ = ["with_said_padding"]

_LONGEST = 80
"""Characters of the longest text with words on padding in it."""
_LENGTHS = ("tokens_per_sample", "sequence_length")
_PADDING = re.compile(r"(?:^|(?<=[\s,;(\[]))(?:un)?pad(?:ded|ding)?(?![^\W_]).*", re.IGNORECASE | re.DOTALL)
_SEPARATOR = re.compile(r"[;()\[\]]|,(?!\d{3}(?!\d))")
"""What ends the words; a comma before three digits is in a number."""
_JOINS = re.compile(r"(?:[\s,;(\[\-]|\b(?:and|all|but|then|with|are|is|tokens?|toks?)\b)+$", re.IGNORECASE)
"""What joins them to what is said before."""
_NUMBER_BEHIND = re.compile(r"^(pad\w*)[\s=:]+(?=\d)", re.IGNORECASE)
"""`padded 384` is padded to it."""
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d+\s?k?", re.IGNORECASE)


def with_said_padding(request: Request) -> tuple[Request, Practice]:
    """Return `request` without what its lengths and packing say of padding, and what that is.

    The words are those that are read of software. Of samples of which no more is told than what they are padded to,
    that is how long all of them are. What is none of such words stays where it is, for others to refuse.

    Raises InvalidValueError where a length says that samples are padded, and `packing` that they are not.
    """
    request, said = _with_packing_read(request)
    for argument in _LENGTHS:
        given = getattr(request, argument)
        found = _apart(given) if isinstance(given, str) and len(given) <= _LONGEST else None
        if found is None:
            continue
        rest, practice = found
        if request.packing.strip().casefold() not in {"auto", practice.packing}:
            raise InvalidValueError(argument, given, f"and packing {request.packing} disagree; keep one of them")
        taken: dict[str, Any] = {argument: rest}
        request, said = replace(request, **taken), practice.over(said)
    return request, said


def _with_packing_read(request: Request) -> tuple[Request, Practice]:
    """Return `request` with words in `packing` as the choice that they come to, and what more they say."""
    given = request.packing
    if given.strip().casefold() in PACKING_CHOICES or len(given) > _LONGEST:
        return request, NOTHING_SAID
    practice = _read(given.strip())
    if practice is None:
        return request, NOTHING_SAID
    return replace(request, packing=practice.packing or given), practice


def _apart(given: str) -> tuple[str, Practice] | None:
    """Return what is told of lengths beside words on padding, and what these say; None where there are none."""
    found = _PADDING.search(given)
    if found is None:
        return None
    before = _JOINS.sub("", given[: found.start()]).strip()
    end = _SEPARATOR.search(found[0])
    words, after = (found[0], "") if end is None else (found[0][: end.start()], found[0][end.end() :])
    rest = ", ".join(part for part in (before, after.strip(" ,;()[]")) if part)
    practice = _read(words)
    if practice is None:
        return None
    if practice.padded_to is None and practice.padding in {None, "limit"} and _NUMBER.fullmatch(rest):
        # One number and that all are padded: who knows a mean beside it says so.
        practice = _read(f"padded to {rest}") or practice
    if not rest and practice.padded_to is None:
        return None
    return rest or str(practice.padded_to), practice


def _read(words: str) -> Practice | None:
    """Return what `words` say of packing and padding, as beside software; None where that is not all they say."""
    named = named_framework(_NUMBER_BEHIND.sub(r"\1 to ", words.strip()))
    practice = named.practice
    if named.not_understood or practice.packing is None:
        return None
    return Practice(packing=practice.packing, padding=practice.padding, padded_to=practice.padded_to)
