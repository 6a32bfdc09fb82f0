"""The tools this server offers, in the order they are listed; each is imported when it is first needed.

A new tool is a file in `tools/` and a line in `TOOLS`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from estimator.question.profile import Profile
from server.protocol.tool import Tool

__all__ = ["TOOLS", "Registry"]


class Registry:
    """Tools by name, made on first use: a call should not wait for the imports of tools it does not name."""

    def __init__(self, makers: Mapping[str, Callable[[], Tool]]) -> None:
        self._makers = makers
        self._made: dict[str, Tool] = {}
        self.names = tuple(makers)

    def tool(self, name: str) -> Tool | None:
        """Return the tool called `name`, or None."""
        if name not in self._made and name in self._makers:
            self._made[name] = self._makers[name]()
        return self._made.get(name)

    def tools(self) -> list[Tool]:
        """Return every tool, in the order they are listed."""
        return [tool for name in self.names if (tool := self.tool(name))]

    def with_profile(self, profile: Profile) -> "Registry":
        """Return the same tools, answering for the machines of `profile`."""
        return Registry({name: partial(_profiled, maker, profile) for name, maker in self._makers.items()})


def _profiled(maker: Callable[[], Tool], profile: Profile) -> Tool:
    return maker().with_profile(profile)


_SHORT_LIST = 20
"""Accelerators that are listed in about a millisecond."""


def _short(given: Mapping[str, Any]) -> bool:
    """Return whether few accelerators are listed."""
    limit = given.get("limit")
    return limit is None or (isinstance(limit, int) and limit <= _SHORT_LIST)


def _closed_form(given: Mapping[str, Any]) -> bool:
    """Return whether an estimate is the formula's, with nothing to predict."""
    return given.get("utilization") is not None and given.get("observed_tokens_per_second") is None


_QUICK: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "estimate_training_time": _closed_form,
    "list_gpus": _short,
}
"""Calls that are answered in about a millisecond; all others wait for a worker thread, under the call timeout."""


def _never(_given: Mapping[str, Any]) -> bool:
    return False


def _imported(name: str, title: str) -> Tool:
    """Return the function `name` of the module `tools.<name>` as a tool."""
    function = getattr(import_module(f"tools.{name}"), name)
    return Tool(function, title=title, quick=_QUICK.get(name, _never))


_TITLES = {
    "estimate_training_time": "Estimate training time",
    "list_gpus": "List GPUs",
    "explain_coefficient": "Explain the training coefficient",
    "plan_training": "Plan a training run",
    "compare_training_options": "Compare training options",
    "check_training_speed": "Check training speed",
}

TOOLS = Registry({name: partial(_imported, name, title) for name, title in _TITLES.items()})
"""What is served."""
