"""The tools this server offers, in the order they are listed; each is imported when it is first needed.

A new tool is a file in `tools/` and a row here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from server.tool import Tool

__all__ = ["NAMES", "tool", "tools"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    title: str
    slow: bool = False
    """Takes long enough that others would notice: run on a worker thread, under the call timeout."""


_ROWS: Mapping[str, _Row] = {
    "estimate_training_time": _Row(title="Estimate training time"),
    "list_gpus": _Row(title="List GPUs"),
    "explain_coefficient": _Row(title="Explain the 6 and the 8"),
    "plan_training": _Row(title="Plan a training run", slow=True),
    "compare_training_options": _Row(title="Compare training options", slow=True),
    "check_training_speed": _Row(title="Check a training speed", slow=True),
}

NAMES: tuple[str, ...] = tuple(name for name in _ROWS if find_spec(f"tools.{name}"))
"""Names of the tools, in the order they are listed."""


@cache
def tool(name: str) -> Tool | None:
    """Return the tool called `name`, or None; its module is imported on the first call."""
    if name not in NAMES:
        return None
    row = _ROWS[name]
    return Tool(getattr(import_module(f"tools.{name}"), name), title=row.title, slow=row.slow)


def tools() -> list[Tool]:
    """Return every tool, in the order they are listed."""
    return [found for name in NAMES if (found := tool(name))]
