"""The Chinese README says what the English one says: the same commands, names, links and numbers, in the same order.

Authority: the English README.
"""

import re
from collections import Counter

import pytest

from scripts.readme import README
from tests.places import ROOT

TRANSLATION = ROOT / "README.zh-CN.md"
_FENCED = re.compile(r"^```.*?^```$", flags=re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"[ \t]+(?:#|//)[ \t].*$", flags=re.MULTILINE)
_TARGET = re.compile(r"\]\(([^)]+)\)")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _sections(document: str) -> list[str]:
    return re.split(r"^## ", document, flags=re.MULTILINE)


ENGLISH = _sections(README.read_text(encoding="utf-8"))
CHINESE = _sections(TRANSLATION.read_text(encoding="utf-8"))
BOTH = pytest.mark.parametrize(
    ("english", "chinese"), list(zip(ENGLISH, CHINESE, strict=True)), ids=lambda text: text.partition("\n")[0]
)


def _commands(section: str) -> list[str]:
    """Return the blocks of code, without their comments, and the code within the text."""
    blocks = [_COMMENT.sub("", block) for block in _FENCED.findall(section)]
    return blocks + sorted(re.findall(r"`[^`\n]+`", _FENCED.sub("", section)))


def _numbers(section: str) -> Counter[str]:
    """Return the numbers of the text, and how often each stands there; those of code are compared with it."""
    text = _TARGET.sub("]", _FENCED.sub("", section))
    return Counter(re.findall(r"\d+(?:[.,]\d+)*", text))


@BOTH
def test_commands_are_the_same(english: str, chinese: str) -> None:
    assert _commands(chinese) == _commands(english)


@BOTH
def test_numbers_are_the_same(english: str, chinese: str) -> None:
    assert _numbers(chinese) == _numbers(english)


@BOTH
def test_links_lead_to_the_same_places(english: str, chinese: str) -> None:
    """Except to a heading of its own, and to the other language."""

    def targets(section: str) -> list[str]:
        found = (target for target in _TARGET.findall(section) if not target.startswith("#"))
        return sorted(target for target in found if target not in {README.name, TRANSLATION.name})

    assert targets(chinese) == targets(english)


@BOTH
def test_every_paragraph_is_translated(english: str, chinese: str) -> None:
    """As many headings, items and rows, and each text of either is in its language."""

    def shape(section: str) -> list[str]:
        return re.findall(r"^(?:- |\||#+ |<\w+>|!\[)", _FENCED.sub("", section), flags=re.MULTILINE)

    assert shape(chinese) == shape(english)
    assert _CHINESE.search(chinese)
    assert not _CHINESE.search(english.replace("简体中文", ""))


def test_each_leads_to_the_other_in_its_first_line() -> None:
    assert f"]({TRANSLATION.name})" in ENGLISH[0].partition("\n")[0]
    assert f"]({README.name})" in CHINESE[0].partition("\n")[0]


def test_a_link_within_a_document_leads_to_one_of_its_headings() -> None:
    for sections in (ENGLISH, CHINESE):
        headings = {section.partition("\n")[0].lower().replace(" ", "-") for section in sections[1:]}
        assert set(re.findall(r"\]\(#([^)]+)\)", "".join(sections))) <= headings
