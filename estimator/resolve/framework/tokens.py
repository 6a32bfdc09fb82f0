"""The words of a phrase such as `Megatron-LM 23e00ed0 + TE 2.11 (no comm overlap)`, each with what kind it is."""

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Token", "TokenKind", "text_tokens"]

TokenKind = Literal["word", "version", "date", "commit", "is", "end"]
"""`is`: an equals sign or a colon, as in packing=false; `end`: what parts one thing said from the next."""

_TOKEN = re.compile(
    r"""
    (?P<without>\bw/o\b) | (?P<with>\bw/)
  | (?P<plus>\bc\+\+|\bzero\+\+)
  | (?P<end>[,;()\[\]{}|&+\n])
  | (?P<is>[=:])
  | (?P<date>(?<![\w.])20[12]\d[-/.](?:1[0-2]|0?[1-9])(?:[-/.]\d{1,2})?(?![\w.]))
  | (?P<commit>(?<!\w)(?:git)?(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}(?!\w))
  | (?P<version>(?<![\d.])[vr]?\d+(?:\.\d+)+x?(?:[.+-]?(?:a|b|rc|dev|post|git|rocm|cu)[\w.+]*)*)
  | (?P<glued>[^\W\d_]+(?=\d+\.\d))
  | (?P<word>[^\W_]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Hyphens, slashes, dots and underscores only part words, so that flash-attn, flash_attn and Flash Attn are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One word, and where it stands in the text."""

    kind: TokenKind
    text: str
    """In lower case."""
    start: int
    end: int


def text_tokens(text: str) -> tuple[Token, ...]:
    """Return the words of `text` in order."""
    return tuple(_token(found) for found in _TOKEN.finditer(text))


def _token(found: re.Match[str]) -> Token:
    kind: TokenKind
    text = found.group().casefold()
    match found.lastgroup:
        case "without" | "with":
            kind, text = "word", found.lastgroup
        case "end" | "is" | "date" | "commit" | "version":
            kind = found.lastgroup
        case _:
            kind = "word"
    return Token(kind=kind, text=text, start=found.start(), end=found.end())
