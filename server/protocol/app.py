"""The server, assembled: the only file that knows every part."""

import logging
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import anyio
import mcp.server.mcpserver.server as sdk
from mcp import MCPError
from mcp.server import CacheHint, MCPServer
from mcp.server.apps import Apps
from mcp.server.caching import CacheableMethod
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import (
    ResourceNotFoundError,
    ToolError,
    UnexpectedResourceError,
    UnexpectedToolError,
)
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolResult,
    GetPromptResult,
    Icon,
    InputRequiredResult,
    Prompt,
    PromptMessage,
    Resource,
    ResourceTemplate,
    TextContent,
)
from mcp.types import Tool as ListedTool
from pydantic import AnyUrl

from estimator.base.errors import EstimatorError, InvalidValueError
from estimator.base.text import visible
from estimator.base.version import VERSION
from server.protocol import resources
from server.protocol.completions import completion
from server.protocol.errors import internal_fault, unknown
from server.protocol.handshake import Handshake
from server.protocol.listing import listed_prompts, listed_resources, listed_templates, listed_tools
from server.protocol.prompts import PROMPTS
from server.protocol.registry import TOOLS, Registry
from server.protocol.shortcut import Shortcut
from server.protocol.skills_extension import SkillsExtension
from server.protocol.tool import Answer, Tool
from server.protocol.workers import QUEUE, THREADS, BusyError, StoppedError, Workers
from server.transports import stdio
from server.transports.repeats import Repeats

__all__ = ["CALL_TIMEOUT_S", "TraintimeServer", "build"]

_INSTRUCTIONS = """Tells how long training a model takes on given GPUs, with a range, its cost, and whether it fits.
Call estimate_training_time with what the user said and nothing more: the rest is searched or assumed, and listed under
`assumptions`. Quote the range with the number. list_gpus resolves accelerator names and shows dense peaks;
explain_coefficient shows where the 6 or 8 FLOPs per parameter and token come from. How to call, what to quote and what
to ask back: skill://estimate-training-time/SKILL.md."""

# An address, not the picture: the newest protocol repeats who answers in every answer.
_ICON = Icon(
    src="https://raw.githubusercontent.com/traintime/traintime/HEAD/assets/icon-128.png",
    mime_type="image/png",
    sizes=["128x128"],
)

# All that is listed comes with the program: it cannot change while the server runs, and is the same for everyone.
_FOREVER = CacheHint(ttl_ms=24 * 3600 * 1000, scope="public")
_CACHEABLE: Sequence[CacheableMethod] = (
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "server/discover",
    "tools/list",
)
CALL_TIMEOUT_S = 60.0
"""Longest a call may take, its wait for a thread included."""


class TraintimeServer(MCPServer):
    """An MCP server whose tools, resources and prompts are this program's tables.

    What is added to it by the SDK's own decorators is served beside them.
    """

    def __init__(self, tools: Registry, *, call_timeout_s: float, workers: Workers) -> None:
        super().__init__(
            "traintime",
            title="traintime",
            description="How long it takes to train a model on given GPUs, and how sure that is.",
            instructions=_INSTRUCTIONS,
            icons=[_ICON],
            version=VERSION,
            log_level="WARNING",
            cache_hints=dict.fromkeys(_CACHEABLE, _FOREVER),
            # Apps only says that there is a view: tools and resources are listed and read as all others are.
            extensions=[SkillsExtension(_FOREVER), Apps()],
        )
        self._tools = tools
        self._call_timeout_s = call_timeout_s
        self.workers = workers
        self._closing = False
        self.middleware.append(Shortcut(self._quick_answer, self._lowlevel_server.server_info))
        self.middleware.append(Handshake(self._lowlevel_server.extensions))
        self.completion()(completion)  # type: ignore[no-untyped-call]

    def refuse_calls(self) -> None:
        """Answer no new call: the process is about to end, and would cut it."""
        self._closing = True

    async def run_stdio_async(self) -> None:
        """Serve one client over standard input and output."""
        lowlevel = self._lowlevel_server

        async def session(read_stream: Any, write_stream: Any) -> None:  # noqa: ANN401 - the SDK's stream protocols
            await lowlevel.run(read_stream, write_stream, lowlevel.create_initialization_options())

        await stdio.serve(session, self.workers.ended)

    async def list_tools(self) -> list[ListedTool]:
        """Return every tool as it is advertised."""
        return [*listed_tools(self._tools), *await super().list_tools()]

    async def call_tool(
        self,
        name: str,
        arguments: dict[str, Any],
        context: Context[Any, Any] | None = None,
    ) -> CallToolResult | InputRequiredResult:
        """Answer a call.

        Raises MCPError for an unknown tool, ToolError for what the caller can mend, and UnexpectedToolError, which the
        SDK logs with its traceback, for a fault of ours.
        """
        if self._closing:
            raise MCPError(INTERNAL_ERROR, "the server is shutting down; call again in a moment")
        try:
            tool = self._tools.tool(name)
        except Exception as error:
            raise UnexpectedToolError(internal_fault(name)) from error
        if tool is None:
            added = [other.name for other in await super().list_tools()]
            if name in added:
                return await super().call_tool(name, arguments, context)
            raise MCPError(INVALID_PARAMS, unknown("tool", name, [*self._tools.names, *added]))
        try:
            answer = self._quick_answer(name, arguments) or await self._answer(tool, arguments, context)
        except (BusyError, StoppedError) as error:
            raise ToolError(str(error)) from error
        except EstimatorError as error:
            raise ToolError(str(error)) from error
        except TimeoutError as error:
            raise ToolError(
                f"{name} was stopped after {self._call_timeout_s:g} s, the longest a call may take here; ask for less "
                "at once, for example with fewer options or a given layout"
            ) from error
        except Exception as error:
            raise UnexpectedToolError(internal_fault(name)) from error
        return CallToolResult(
            content=[TextContent(type="text", text=answer.text)], structured_content=answer.structured
        )

    def _quick_answer(self, name: str, arguments: dict[str, Any]) -> Answer | None:
        """Return an answer that is quick; None for another, and where `call_tool` has something else to say."""
        try:
            tool = None if self._closing else self._tools.tool(name)
            return None if tool is None else tool.quick_answer(arguments)
        except Exception:  # noqa: BLE001 - whatever it is, `call_tool` meets it again and tells it
            return None

    async def _answer(self, tool: Tool, arguments: dict[str, Any], context: Context[Any, Any] | None) -> Answer:
        """Return an answer that takes a while, worked out on a thread and given up with its caller."""
        notice = None if context is None else context.report_progress
        with anyio.fail_after(self._call_timeout_s):
            return await self.workers.run(partial(tool.answer, arguments), notice)

    async def list_prompts(self) -> list[Prompt]:
        """Return every prompt as it is advertised."""
        return [*listed_prompts(), *await super().list_prompts()]

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Return a prompt with its blanks filled.

        Raises MCPError where the prompt, or one of its arguments, is unknown or missing.
        """
        prompt = PROMPTS.get(name)
        if prompt is None:
            added = [other.name for other in await super().list_prompts()]
            if name in added:
                return await super().get_prompt(name, arguments, context)
            raise MCPError(INVALID_PARAMS, unknown("prompt", name, [*PROMPTS, *added]))
        filled: dict[str, str] = visible(dict(arguments or {}))
        names = [argument.name for argument in prompt.arguments]
        for given in filled:
            if given not in names:
                raise MCPError(INVALID_PARAMS, unknown("argument", given, names))
        for argument in prompt.arguments:
            if argument.required and not filled.get(argument.name, "").strip():
                raise MCPError(INVALID_PARAMS, f"{argument.name} is missing: {argument.description}")
        message = PromptMessage(role="user", content=TextContent(type="text", text=prompt.text(filled)))
        return GetPromptResult(description=prompt.description, messages=[message])

    async def list_resources(self) -> list[Resource]:
        """Return every resource with an address of its own."""
        return [*listed_resources(), *await super().list_resources()]

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        """Return every family of resources."""
        return [*listed_templates(), *await super().list_resource_templates()]

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Return the contents of a resource.

        Raises ResourceNotFoundError for an address that nothing has.
        """
        address = str(uri)
        if not address.startswith(resources.SCHEMES):
            try:
                return await super().read_resource(uri, context)
            except ResourceNotFoundError as error:
                raise ResourceNotFoundError(resources.unknown_address(address)) from error
        try:
            # Not the timeout of calls: a short one would never let the catalogue be read for the first time.
            with anyio.fail_after(CALL_TIMEOUT_S):
                document = await self.workers.run(lambda _: resources.document(address))
        except (BusyError, StoppedError, TimeoutError) as error:
            raise MCPError(INTERNAL_ERROR, str(error) or "busy; try again in a moment") from error
        except EstimatorError as error:
            raise ResourceNotFoundError(str(error)) from error
        except Exception as error:
            raise UnexpectedResourceError(f"{address} cannot be read; the server's log says why") from error
        return [ReadResourceContents(content=document.text, mime_type=document.mime_type, meta=document.meta)]


def _log_plainly(level: str = "WARNING") -> None:
    """Log to stderr, one line a record and tracebacks as Python prints them; others' handlers are left alone."""
    root = logging.getLogger()
    others = tuple(root.handlers)
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for handler in root.handlers:
        if handler not in others:
            handler.addFilter(Repeats())


# The SDK's own choice boxes tracebacks into 80 columns, and importing it is a sixteenth of the cold start.
sdk.configure_logging = _log_plainly  # type: ignore[attr-defined]


def build(
    tools: Registry = TOOLS, *, call_timeout_s: float = CALL_TIMEOUT_S, threads: int = THREADS, queue: int = QUEUE
) -> TraintimeServer:
    """Return the server of `tools`.

    A call that takes longer than `call_timeout_s` is given up; `threads` slow calls are worked out at once, and
    `queue` may wait. Raises InvalidValueError for what is no such number.
    """
    if not call_timeout_s > 0:
        raise InvalidValueError("call_timeout_s", call_timeout_s, "must be a positive number of seconds")
    if threads < 1:
        raise InvalidValueError("threads", threads, "must be at least 1")
    if queue < 0:
        raise InvalidValueError("queue", queue, "must be at least 0")
    return TraintimeServer(tools, call_timeout_s=call_timeout_s, workers=Workers(threads=threads, queue=queue))
