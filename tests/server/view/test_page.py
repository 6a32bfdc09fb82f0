"""The page is one small file that needs no other, whatever data it holds.

Authority: MCP Apps, revision 2026-01-26: a host shows one document, under a policy that lets it load nothing; and the
promise that a report opens from a file with no request.
"""

import json
import re

import pytest

from estimator.base.version import VERSION
from server.view.page import MODULES, SOURCE, page

LARGEST = 60_000
PROGRAM = {name: (SOURCE / f"{name}.js").read_text(encoding="utf-8") for name in MODULES}
WORDS: dict[str, list[str]] = json.loads((SOURCE / "words.json").read_text(encoding="utf-8"))
LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|(?<=[(= ])/(?=\S)(?:[^/\\\n]|\\.)+/')
IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";$', re.MULTILINE)


def _held(text: str) -> object:
    """Return the data that a page holds, as a browser would read them."""
    found = re.search(r'<script type="application/json" id="document">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_page_is_small() -> None:
    assert len(page().encode()) < LARGEST


def test_nothing_is_loaded_from_elsewhere() -> None:
    addresses = set(re.findall(r"\w+://[^\"'\s)]*", page()))
    assert addresses == {"http://www.w3.org/2000/svg"}, "a name, not an address"
    assert not re.search(r"@import|url\(|\bsrc=|<link|\bimport\b|\bfetch\b|XMLHttpRequest|WebSocket", page())


@pytest.mark.parametrize(
    "way", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("]
)
def test_no_text_becomes_markup_or_program(way: str) -> None:
    assert way not in page()


def test_every_module_is_in_the_page_after_those_it_imports_from() -> None:
    assert sorted(path.stem for path in SOURCE.glob("*.js")) == sorted(MODULES)
    for name, text in PROGRAM.items():
        assert len(IMPORT.findall(text)) == len(re.findall(r"^import\b", text, re.MULTILINE)), name
        for listed, other in IMPORT.findall(text):
            names = re.findall(r"\w+", listed)
            assert MODULES.index(other) < MODULES.index(name), (name, other)
            exported = re.findall(r"^export (?:async )?\w+ (\w+)", PROGRAM[other], re.MULTILINE)
            assert set(names) <= set(exported), (name, other)
            unused = [used for used in names if len(re.findall(rf"\b{used}\b", text)) == 1]
            assert not unused, name


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_shortened_without_changing_its_texts(name: str) -> None:
    """A template within a template would be: how texts end is told by their quotes alone."""
    program = PROGRAM[name]
    assert not re.search(r"\$\{[^}`]*`", program)
    own = IMPORT.sub("", re.sub(r"(?<!\S)//.*", "", program))
    for literal in LITERAL.findall(own):
        assert literal in page()


def test_the_version_is_the_programs() -> None:
    assert f'"{VERSION}"' in page()


@pytest.mark.parametrize("key", WORDS)
def test_a_word_has_both_languages_with_the_same_blanks(key: str) -> None:
    english, chinese = WORDS[key]
    assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese))
    assert english
    assert chinese


def test_every_word_that_is_said_is_known() -> None:
    said = {key for text in PROGRAM.values() for key in re.findall(r'\bword\("(\w+)"', text)}
    assert said
    assert said <= WORDS.keys()


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>struck()</script>",
        "<!-- <script>",
        "\u2028\u2029",
        '"\\',
        "<!-- data -->",
        "/* program */",
        "统一",
    ],
)
def test_data_come_back_as_they_were_and_end_nothing(text: str) -> None:
    document = {"tool": text, "arguments": {text: text}, "answer": {"summary": text}, "locale": "en"}
    held = page(document)
    assert _held(held) == document
    assert held.count("<script") == page().count("<script")
    assert "\u2028" not in held


def test_a_view_for_a_chat_holds_no_data() -> None:
    assert _held(page()) is None


def test_the_same_document_makes_the_same_page() -> None:
    document = {"tool": "t", "arguments": {"b": 1, "a": 2}, "answer": {}}
    assert page(document) == page(dict(document))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        page({"answer": {"training_days": number}})
