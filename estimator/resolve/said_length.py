"""A sequence length as people say it: `8k` is 8,192 tokens, and `4k packed` tells packing, too."""

import re
from dataclasses import replace

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import length_in_k
from estimator.question.request import Request

__all__ = ["with_said_length"]

_PACKED = re.compile(r"[\s,;(]*(?:with\s+|and\s+)?\(?(?P<how>packed|packing|padded|padding)\)?")


def with_said_length(request: Request) -> tuple[Request, str]:
    """Return `request` with its sequence length in tokens, and what is to be said of how that was read.

    Raises InvalidValueError where the length says that samples are packed and `packing` that they are not.
    """
    given = request.sequence_length
    if not isinstance(given, str):
        return request, ""
    text = given.strip().casefold()
    how = next((match for match in _PACKED.finditer(text) if match.end() == len(text) and match.start()), None)
    if how is not None:
        told = "packed" if how["how"].startswith("pack") else "padded"
        asked = request.packing.strip().casefold()
        if asked not in {"auto", told}:
            raise InvalidValueError("sequence_length", given, f"and packing {asked} disagree; keep one of them")
        request, text = replace(request, packing=told), text[: how.start()].strip()
    tokens = length_in_k(text)
    if tokens is None:
        return (request if how is None else replace(request, sequence_length=text)), ""
    thousands = tokens // 1024 * 1000
    note = f"{given.strip()} is read as a power of two, as lengths are; say {thousands} if that is meant"
    return replace(request, sequence_length=tokens), note
