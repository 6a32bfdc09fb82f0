"""What is said of the lengths of texts that a model reads and of those that it writes: `60 target tokens`."""

import re

from estimator.question.practice import NOTHING_SAID, Practice
from estimator.resolve.framework.meaning import Facts, Meaning

__all__ = ["split_targets", "told_target_length"]

_WRITTEN = r"(?:targets?|outputs?|summar(?:y|ies)|translations?|decoder)"
_READ = r"(?:sources?|inputs?|articles?|documents?|encoder)"
_GAP = r"[\s_-]*"
_COUNT = r"(?P<count>\d{1,3}(?:,\d{3})+|\d{1,5})(?![.,]?\d)"
_TOKENS = rf"(?:{_GAP}(?:tokens?|toks?)\b)"
_MOST = r"(?:at most|up to|max(?:imum)?|(?:cut|truncated) (?:at|to)|<=|≤)"
_OF = r"(?:(?:of|in|as|per|for)\s(?:the\s|a\s|each\s)?)?"
_LIMITS = tuple(
    (limits_targets, re.compile(words, re.IGNORECASE))
    for limits_targets, nouns in ((True, _WRITTEN), (False, _READ))
    for words in (
        # targets of at most 142 tokens, summaries up to 142
        rf"{nouns}{_GAP}(?:lengths?{_GAP})?(?:of |is |are )?{_MOST}{_GAP}(?:of )?{_COUNT}{_TOKENS}?",
        # max target length 142
        rf"max(?:imum)?{_GAP}{nouns}{_GAP}(?:len(?:gth)?)?[\s:=]*(?:of |is )?{_COUNT}{_TOKENS}?",
    )
)
_MEANS = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        # 60 target tokens, 60-token summaries, 60 tokens of target
        rf"{_COUNT}{_GAP}{_WRITTEN}{_TOKENS}",
        rf"{_COUNT}{_TOKENS}{_GAP}{_OF}{_WRITTEN}\b",
        # target length 60, targets of 60 tokens
        rf"{_WRITTEN}{_GAP}(?:lengths?|tokens)[\s:=]*(?:of |is |are )?{_COUNT}{_TOKENS}?",
        rf"{_WRITTEN}{_GAP}(?:of |with |have |are )?{_COUNT}{_TOKENS}",
    )
)
_ANSWERED = rf"(?:{_WRITTEN}|out|answers?|responses?|completions?|repl(?:y|ies))"
_ASKED = rf"(?:{_READ}|in|prompts?|questions?|instructions?)"
_BEHIND = re.compile(rf"(?<![\w.,]){_COUNT}{_TOKENS}?{_GAP}{_OF}{_ANSWERED}\b{_TOKENS}?", re.IGNORECASE)
_BEFORE = re.compile(rf"\b{_ANSWERED}{_TOKENS}?[\s:=]*(?:of |is )?{_COUNT}{_TOKENS}?", re.IGNORECASE)
_OF_WHAT_IS_READ = re.compile(rf"\b{_OF}{_ASKED}\b{_TOKENS}?[\s:=]*(?:of |is )?", re.IGNORECASE)
_JOIN = r"(?:[\s,;+/&→()]|->|\b(?:and|with|then)\b)+"
_JOINS = re.compile(rf"{_JOIN}$|^{_JOIN}", re.IGNORECASE)


def told_target_length(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where what is said of the lengths of sources or targets from `at` on ends; None where nothing is said."""
    for limits_targets, way in _LIMITS:
        if (found := way.match(text, at)) is not None:
            limit = _count(found)
            practice = Practice(target_limit=limit) if limits_targets else Practice(source_limit=limit)
            return found.end(), Meaning(says=Facts(practice=practice))
    found = next((match for way in _MEANS if (match := way.match(text, at))), None)
    if found is None:
        return None
    return found.end(), Meaning(says=Facts(practice=Practice(target_tokens=_count(found))))


def split_targets(given: str) -> tuple[str, Practice]:
    """Return what is told of the length of what is read, and of what is written: `300 source, 60 target`.

    All of `given` and nothing where it does not tell them apart; an empty text where it tells of targets alone.
    """
    # A name before its number has it before all: in `source 300 target 60` the 300 are no target's.
    ways = (_BEFORE, _BEHIND) if given.lstrip()[:1].isalpha() else (_BEHIND, _BEFORE)
    found = next((match for way in ways if (match := way.search(given))), None)
    if found is None:
        return given, NOTHING_SAID
    rest = _OF_WHAT_IS_READ.sub(" ", f"{given[: found.start()]} {given[found.end() :]}")
    return _JOINS.sub("", " ".join(rest.split())), Practice(target_tokens=_count(found))


def _count(found: re.Match[str]) -> int:
    return max(1, int(found["count"].replace(",", "")))
