"""A tool's answer as a file to send on."""

import io
from collections.abc import Mapping
from itertools import chain
from typing import Any, cast

from server.protocol.tool import Answer, Tool
from server.rendering.answers import told
from server.rendering.blocks import Facts, Line
from server.rendering.words import shown_value
from server.reports.comma_separated import comma_separated
from server.reports.markdown import markdown

__all__ = ["report"]

_COLUMNS = 100
"""Width of a file of text."""
_LONGEST_ARGUMENT = 300
"""Characters of an argument that a report repeats: more has a log, or a model's configuration."""


def report(tool: Tool, arguments: Mapping[str, Any], answer: Answer, form: str, *, title: str) -> str:
    """Return the answer that `tool` gave to `arguments` in the format `form`: text, md, csv, html or json.

    The same answer makes the same report: there is no clock in it, and no order but that of the answer.
    """
    match form:
        case "csv":
            return comma_separated(tool.name, answer.structured, tool.output_schema)
        case "html":
            return _page(tool, arguments, answer)
        case "md":
            asked = Facts([(name, _listed(value)) for name, value in _repeated(arguments).items()])
            blocks = told(tool.name, answer.structured)
            return markdown(title, chain([next(blocks), Line("Asked", "heading"), asked], blocks))
        case "json":
            return f"{answer.text}\n"
        case _:
            return _text(tool, answer)


def _repeated(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as a report repeats them: what is long is only named."""
    return {
        name: value if len(text := shown_value(value)) <= _LONGEST_ARGUMENT else f"({len(text):,} characters)"
        for name, value in arguments.items()
    }


def _page(tool: Tool, arguments: Mapping[str, Any], answer: Answer) -> str:
    from server.view.page import page

    return page({"tool": tool.name, "arguments": _repeated(arguments), "answer": answer.structured, "locale": "en"})


def _text(tool: Tool, answer: Answer) -> str:
    from rich.console import Console

    from server.rendering.terminal import print_answer

    written = io.StringIO()
    print_answer(
        tool.name, answer.structured, Console(file=written, width=_COLUMNS, color_system=None, highlight=False)
    )
    return written.getvalue()


def _listed(value: object) -> str:
    """Return an argument as text; numbers have commas within, so that none stands between those of a list."""
    return "; ".join(map(shown_value, cast("list[object]", value))) if isinstance(value, list) else shown_value(value)
