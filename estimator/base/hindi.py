"""Quantities in Hindi: Devanagari digits, multiples of the subcontinent, units and what is counted."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["in_latin"]

_ENGLISH: Mapping[str, str] = {
    "1": "एक",
    "2": "दो",
    "3": "तीन",
    "4": "चार",
    "5": "पांच पाँच",
    "6": "छह छः",
    "7": "सात",
    "8": "आठ",
    "9": "नौ",
    "10": "दस",
    "0.5": "आधा आधे",
    "1.5": "डेढ़",
    "2.5": "ढाई अढ़ाई",
    "saadhe": "साढ़े",
    "sava": "सवा",
    "paune": "पौने",
    "hundred": "सौ",
    "thousand": "हज़ार",
    "lakh": "लाख",
    "crore": "करोड़",
    "million": "मिलियन",
    "billion": "अरब बिलियन",
    "trillion": "ट्रिलियन",
    "tokens": "टोकन टोकनों टोकन्स",
    "parameters": "पैरामीटर पैरामीटरों",
    "examples": "उदाहरण उदाहरणों",
    "samples": "नमूना नमूने नमूनों सैंपल",
    "sentences": "वाक्य वाक्यों",
    "images": "चित्र चित्रों छवियाँ छवियां छवियों",
    "lines": "पंक्ति पंक्तियाँ पंक्तियां पंक्तियों",
    "words": "शब्द शब्दों",
    "steps": "चरण चरणों",
    "seconds": "सेकंड",
    "minutes": "मिनट",
    "hours": "घंटा घंटे घंटों",
    "days": "दिन दिनों",
    "weeks": "सप्ताह हफ़्ता हफ़्ते हफ़्तों",
    "months": "महीना महीने महीनों",
    "years": "साल वर्ष",
    "night": "रात",
    "dollars": "डॉलर",
    "about": "लगभग करीब क़रीब",
}
_QUARTERS = re.compile(r"\b(?:(?P<past>saadhe|sava|paune)\s+(?P<whole>\d+)(?![.,\d])|(?P<alone>sava))\b")
"""A half and a quarter more than the number behind them, and a quarter less; a quarter more alone is that of one."""
_PAST: Mapping[str, float] = {"saadhe": 0.5, "sava": 0.25, "paune": -0.25}
_MARKED = "\u093c"
"""The dot below a letter, which many leave out."""
_WORD = re.compile("[\u0900-\u0963\u0970-\u097f]+")
_DIGITS = str.maketrans("०१२३४५६७८९", "0123456789")


def _bare(word: str) -> str:
    return unicodedata.normalize("NFD", word).replace(_MARKED, "")


_WORDS: Mapping[str, str] = MappingProxyType(
    {_bare(word): english for english, words in _ENGLISH.items() for word in words.split()}
)


def in_latin(text: str) -> str:
    """Return `text` with digits and words of Hindi in English; what is not known stays."""
    if not _WORD.search(text) and not any(digit in text for digit in "०१२३४५६७८९"):
        return text
    return _QUARTERS.sub(_with_part, _WORD.sub(_in_english, text.translate(_DIGITS)))


def _with_part(found: re.Match[str]) -> str:
    """Return `साढ़े तीन` as 3.5, `सवा` as 1.25 and `पौने दो` as 1.75."""
    whole = found["whole"] or "1"
    return f"{int(whole) + _PAST[found['past'] or found['alone']]:.15g}"


def _in_english(word: re.Match[str]) -> str:
    return _WORDS.get(_bare(word[0]), word[0])
