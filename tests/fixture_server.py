"""A server with throw-away tools, for tests of serving itself: `python -m tests.fixture_server [stdio|http] …`."""

import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from server.protocol.app import build
from server.protocol.registry import Registry
from server.protocol.tool import Tool
from server.transports.http import serve_http
from tools.progress import Progress, silent

__all__ = ["TOOLS", "Echo"]

SECRET = "what only the log may say"  # noqa: S105 - it guards nothing


class Part(BaseModel):
    """A nested value."""

    name: str
    share: float | None = None


class Echo(BaseModel):
    """What was understood."""

    summary: str
    amount: float | str | int
    parts: list[Part]


def echo(  # noqa: PLR0917 - called by name
    text: Annotated[str, Field(description="anything, such as `hello`")],
    amount: Annotated[float | str, Field(description="a quantity")] = 1.0,
    share: Annotated[float | None, Field(gt=0, le=1, description="a fraction")] = None,
    count: Annotated[int, Field(ge=1, le=9)] = 1,
    colour: Literal["red", "green", "blue"] = "red",
    config: Annotated[dict[str, object] | None, Field(description="an object")] = None,
    names: Annotated[list[str] | None, Field(max_length=3)] = None,
    note: Annotated[str, Field(max_length=5_000)] = "",
    loud: bool = False,
) -> Echo:
    """Say back what was understood."""
    summary = f"{text} {count} {colour} {sorted(config or {})} {names} {len(note)}"
    return Echo(summary=summary.upper() if loud else summary, amount=amount, parts=[Part(name="café ≥ 1", share=share)])


def faulty(how: str = "raises") -> Echo:
    """Fail in a way that nobody foresaw."""
    if how == "nan":
        return Echo(summary="", amount=float("nan"), parts=[])
    raise RuntimeError(SECRET)


def slow(steps: Annotated[int, Field(ge=1, le=1000)] = 4, progress: Progress = silent) -> Echo:
    """Take 0.05 s a step, and say so."""
    for step in range(steps):
        progress(step, steps, f"step {step}")
        time.sleep(0.05)
    return Echo(summary=f"{steps} steps", amount=steps, parts=[])


TOOLS = Registry(
    {
        "echo": partial(Tool, echo, title="Echo"),
        "faulty": partial(Tool, faulty, title="Faulty"),
        "slow": partial(Tool, slow, title="Slow"),
    }
)


def main(transport: str, *options: str) -> None:
    """Serve; over HTTP the options are host, call timeout, token file (may be empty) and allowed names."""
    if transport == "stdio":
        sys.stdout.write("")
        build(TOOLS).run()
        return
    host, timeout_s, token_file, *allowed = options
    serve_http(
        host,
        0,
        allowed_hosts=[name for name in allowed if "://" not in name],
        allowed_origins=[name for name in allowed if "://" in name],
        token_file=Path(token_file) if token_file else None,
        call_timeout_s=float(timeout_s),
        build_server=partial(build, TOOLS),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
