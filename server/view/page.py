"""One page for every answer: in a chat, where a host gives it the data, or opened from a file that holds them.

Its parts lie in `source/`, as a browser knows them: a page, a style sheet, words, and ECMAScript modules that import
from those before them. They become one file here, since a host shows one file and lets it load no other.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from estimator.base.version import VERSION

__all__ = ["ADDRESS", "MIME_TYPE", "MODULES", "SOURCE", "page"]

ADDRESS = "ui://traintime/view.html"
MIME_TYPE = "text/html;profile=mcp-app"
SOURCE = Path(__file__).resolve().parent / "source"
MODULES = (
    *("elements", "words", "bars", "intervals", "plots", "sheets"),
    *("parts", "estimate", "comparison", "plan", "check", "host", "controls", "start"),
)
"""The modules in the order they stand in the page."""

_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_TEXT = r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`'
"""A string or a template that has none inside."""
# What only readers need, beside what is kept: texts and signs.
_PROGRAM_SPACE = re.compile(
    rf"({_TEXT})|(?<!\S)//[^\n]*|;\s+(?=\}})|,\n\s*(?=[)\]}}])|\s*([=+\-*/%<>!?:;,(){{}}\[\]|&])\s*"
)
_STYLE_SPACE = re.compile(r'("[^"]*")|;\s*(?=\})|\s*([{};,])\s*|(?<=:)\s+|\s*\n\s*')
# From a file it needs nothing but itself. In a chat that is for the host to say, which may give it fonts of its own.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:\">"
)
# What would end the element that holds the data, or a line of it, were it read as a page or a program.
_ESCAPES = str.maketrans(
    {
        "<": "\\u003c",
        ">": "\\u003e",
        "&": "\\u0026",
        "\u2028": "\\u2028",
        "\u2029": "\\u2029",
    }
)


def page(document: Mapping[str, Any] | None = None) -> str:
    """Return the page: without a `document`, the view for a chat; with one, a report that opens from a file.

    A document is `{"tool": its name, "arguments": {…}, "answer": the structured answer, "locale": "en" or "zh"}`.
    The report makes no request and prints with every part open; the same document makes the same page.
    Raises ValueError where the document holds NaN or an infinity, and TypeError where it holds what JSON does not.
    """
    head, policy_to_data, end = _parts()
    if document is None:
        return f"{head}{policy_to_data}null{end}"
    data = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)
    return f"{head}{_POLICY}\n{policy_to_data}{data}{end}"


@cache
def _parts() -> tuple[str, str, str]:
    """Return the assembled page, cut where the policy and the data go."""
    # Cut before it is filled: what the program and the style sheet say is no mark.
    head, styled, programmed = re.split("<!-- policy -->\n|<!-- data -->", _source("page.html"))
    style = _STYLE_SPACE.sub(r"\1\2", _source("style.css"))
    before, after = programmed.split("/* program */")
    return head, styled.replace("/* style */", style), f"{before}{_program()}{after}"


def _program() -> str:
    """Return the modules as one, without the space and comments that only readers need."""
    words = json.dumps(json.loads(_source("words.json")), ensure_ascii=False, separators=(",", ":"))
    modules = (_EXPORT.sub("", _IMPORT.sub("", _source(f"{name}.js"))) for name in MODULES)
    return f'const VERSION="{VERSION}",WORDS={words};\n' + _PROGRAM_SPACE.sub(r"\1\2", "".join(modules))


def _source(name: str) -> str:
    return (SOURCE / name).read_text(encoding="utf-8")
