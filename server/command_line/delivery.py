"""An answer brought to where its caller wants it."""

from collections.abc import Mapping
from typing import Any

from server.command_line.destination import Destination
from server.command_line.output import print_json
from server.protocol.tool import Answer, Tool

__all__ = ["deliver"]


def deliver(
    where: Destination, tool: Tool, arguments: Mapping[str, Any], answer: Answer, *, title: str | None = None
) -> None:
    """Print or write the answer that `tool` gave to `arguments`; `title` stands over a report in the tool's place."""
    if where.file is None and where.format == "json":
        print_json(answer.text)
    elif where.file is None and where.format == "text":
        from server.rendering.terminal import print_answer

        print_answer(tool.name, answer.structured)
    else:
        from server.reports.report import report

        where.write(report(tool, arguments, answer, where.format, title=title or tool.title))
