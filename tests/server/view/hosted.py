"""The page in a browser, shown by the least host that MCP Apps allows: `host.html`."""

import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from playwright.async_api import Browser, Frame, Page, expect

from estimator.base.errors import EstimatorError
from server.protocol.registry import TOOLS
from server.view import page

__all__ = ["EVERYTHING", "QUESTIONS", "Shown", "answer", "called", "chromium", "listened", "shown"]

HOST = Path(__file__).with_name("host.html")
EVERYTHING: Mapping[str, Any] = {"serverTools": {}, "message": {"text": {}}, "updateModelContext": {"text": {}}}
"""What the most able host offers a view."""
_ROOM = 600
"""Pixels of height in which a host shows it."""
_BORDER = 32

_H100S = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 64}
QUESTIONS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "pretraining": ("estimate_training_time", {**_H100S, "n_gpus": 512, "tokens": "15T"}),
    "does not fit": ("estimate_training_time", {"model": "llama-3.1-405b", "tokens": "1T", "gpu": "h100", "n_gpus": 8}),
    "fine-tuning": (
        "estimate_training_time",
        {"model": "llama-3.1-8b", "tokens": "alpaca x3", "gpu": "4090", "n_gpus": 1, "method": "qlora"},
    ),
    "images": (
        "estimate_training_time",
        {"model": "sdxl", "samples": "50k", "epochs": 4, "image_size": "1024", "gpu": "a100", "n_gpus": 8},
    ),
    "a utilization": ("estimate_training_time", {**_H100S, "tokens": "1T", "utilization": 0.4}),
    "an observed speed": ("estimate_training_time", {**_H100S, "tokens": "1T", "observed_tokens_per_second": "400k"}),
    "in detail": ("estimate_training_time", {**_H100S, "tokens": "1T", "detail": "detailed"}),
    "a comparison": (
        "compare_training_options",
        {"models": ["llama-3.1-8b"], "gpus": ["h100-sxm", "4090"], "n_gpus": [1, 8, 64], "tokens": ["100B"]},
    ),
    "no option": (
        "compare_training_options",
        {"models": ["llama-3.1-405b"], "gpus": ["4090"], "n_gpus": [1, 2], "tokens": ["1B"]},
    ),
    "a step without its batch": (
        "check_training_speed",
        {"model": "yolov8n", "gpu": "3060", "n_gpus": 1, "observed_log": "12%|#2 | 120/1000 [02:00<14:40, 1.00it/s]"},
    ),
    "a count": (
        "plan_training",
        {"solve_for": "n_gpus", "model": "llama-3.1-8b", "gpu": "h100", "tokens": "1T", "deadline": "30 days"},
    ),
    "tokens": (
        "plan_training",
        {"solve_for": "tokens", **_H100S, "deadline": "30 days", "budget": "$100k"},
    ),
    "a model": ("plan_training", {"solve_for": "model_size", "gpu": "h100", "n_gpus": 64, "deadline": "30 days"}),
    "a layout": ("plan_training", {"solve_for": "layout", **_H100S, "tokens": "1T"}),
    "a device": (
        "plan_training",
        {"solve_for": "gpu", "model": "llama-3.1-8b", "n_gpus": 64, "tokens": "1T", "budget": "$200k"},
    ),
    "a slow run": ("check_training_speed", {**_H100S, "tokens": "1T", "observed_tokens_per_second": "300k"}),
    "a normal run": ("check_training_speed", {**_H100S, "observed_mfu": 0.45}),
}
"""A tool and its arguments by what they ask: every kind of answer that the page shows."""


def chromium() -> str | None:
    """Return where a Chromium is installed, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@cache
def answer(asked: str) -> dict[str, Any]:
    """Return the structured answer to one of `QUESTIONS`."""
    tool, arguments = QUESTIONS[asked]
    return called(tool, arguments)["structuredContent"]  # type: ignore[no-any-return]


def called(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a tool's call as a host passes it on."""
    tool = TOOLS.tool(name)
    assert tool is not None
    try:
        answered = tool.answer(arguments)
    except EstimatorError as error:
        return {"isError": True, "content": [{"type": "text", "text": str(error)}]}
    return {"content": [{"type": "text", "text": answered.text}], "structuredContent": answered.structured}


@dataclass(slots=True, kw_only=True)
class Shown:
    """A view that a host shows."""

    host: Page
    view: Frame
    faults: list[str] = field(default_factory=list)
    """What the browser complained of on its console, and what went wrong in the page."""
    calls: list[dict[str, Any]] = field(default_factory=list)
    """The arguments of each call that the view had the host make."""

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send the view a notification, and wait until it is drawn."""
        await self.host.evaluate("([method, params]) => host.notify(method, params)", [method, params])
        await self.settled()

    async def reply(self, method: str) -> dict[str, Any]:
        """Return what the view replies to a request of the host."""
        await self.host.evaluate("(method) => host.post({ id: 'asked', method, params: {} })", method)
        await self.host.wait_for_function("() => 'asked' in host.replies")
        replied: dict[str, Any] = await self.host.evaluate("() => host.replies.asked")
        return replied

    async def said(self, what: str) -> Any:  # noqa: ANN401 - whatever the host has heard
        """Return what the host knows of the view: `heard`, `offer`, `size`, `said` or `told`."""
        return await self.host.evaluate("(what) => host[what]", what)

    async def open(self, sheet: str) -> None:
        """Show the sheet of this title."""
        tab = self.view.get_by_role("tab", name=sheet)
        # By key: a view that a busy host still gives room moves away under a click.
        await tab.press("Enter")
        await expect(tab).to_have_attribute("aria-selected", "true")

    async def settled(self) -> None:
        """Wait until what has changed is drawn, and the host has given it the room that it asks for."""
        await self.view.evaluate("() => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 20))")
        # A click on what is still moving meets something else.
        await self.view.wait_for_function(
            "() => Math.abs(innerHeight - Math.ceil(document.body.getBoundingClientRect().height)) < 1"
        )

    async def height(self) -> int:
        """Return the height that the view asks for, in pixels."""
        height: int = (await self.said("size"))["height"]
        return height


def listened(target: Page) -> list[str]:
    """Return a list that fills with what goes wrong in a page."""
    faults: list[str] = []
    target.on("console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None)
    target.on("pageerror", lambda error: faults.append(str(error)))
    return faults


@asynccontextmanager
async def shown(
    browser: Browser,
    asked: str | None = None,
    *,
    result: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Any] | None = None,
    width: int = 820,
    scale: float = 1,
    capabilities: Mapping[str, Any] = EVERYTHING,
    **context: object,
) -> AsyncGenerator[Shown]:
    """Yield the view of the answer to one of `QUESTIONS`, or of another `result`, in a host of this `context`."""
    given = QUESTIONS[asked][1] if asked else arguments or {}
    target = await browser.new_page(viewport={"width": width + _BORDER, "height": _ROOM}, device_scale_factor=scale)
    try:
        faults = listened(target)
        calls: list[dict[str, Any]] = []

        def asked_again(name: str, changed: dict[str, Any]) -> dict[str, Any]:
            calls.append(changed)
            return called(name, changed)

        # Its own type leaves open what a function returns.
        await cast("Any", target).expose_function("callTool", asked_again)
        await target.goto(HOST.as_uri())
        host_context = {"theme": "light", "locale": "en-US", "displayMode": "inline", **context}
        started: dict[str, object] = {
            "page": page.page(),
            "context": host_context,
            "capabilities": capabilities,
            "asked": given,
            "result": {"content": [], "structuredContent": answer(asked)} if asked else result,
        }
        await target.evaluate("(started) => start(started)", started)
        await target.wait_for_function("() => host.size !== null")
        _, frame = target.frames
        if started["result"] is not None:
            await frame.wait_for_selector("#view[aria-busy=false]", state="attached")
        view = Shown(host=target, view=frame, faults=faults, calls=calls)
        await view.settled()
        yield view
    finally:
        await target.close()
