"""What the conformance suite asks of a reference server: kinds of content, resources, prompts, notices."""

import base64
import struct
import zlib
from typing import Any

import anyio
from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)

__all__ = ["add_content"]

Any_Context = Context[Any, Any]
FIXTURE = "A fixture of the conformance suite"
PAUSE_S = 0.05


def _png() -> str:
    """Return one red pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0\xff\0\0")
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


def _wav() -> str:
    """Return one silent sample."""
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    data = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", 2) + b"\0\0"
    return base64.b64encode(b"RIFF" + struct.pack("<I", len(data)) + data).decode()


def _image() -> ImageContent:
    return ImageContent(type="image", data=_png(), mime_type="image/png")


def _resource(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)


def add_content(server: MCPServer[Any]) -> None:
    """Add the fixtures that need nothing of the client."""
    _add_tools(server)
    _add_notices(server)
    _add_resources(server)
    _add_prompts(server)


def _add_tools(server: MCPServer[Any]) -> None:
    @server.tool(description=FIXTURE)
    def test_simple_text() -> list[TextContent]:
        return [_text("This is a simple text response for testing.")]

    @server.tool(description=FIXTURE)
    def test_image_content() -> list[ImageContent]:
        return [_image()]

    @server.tool(description=FIXTURE)
    def test_audio_content() -> list[AudioContent]:
        return [AudioContent(type="audio", data=_wav(), mime_type="audio/wav")]

    @server.tool(description=FIXTURE)
    def test_embedded_resource() -> list[EmbeddedResource]:
        return [_resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")]

    @server.tool(description=FIXTURE)
    def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
        mixed = _resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
        return [_text("Multiple content types test:"), _image(), mixed]

    @server.tool(description=FIXTURE)
    def test_error_handling() -> list[TextContent]:
        raise ToolError("This tool intentionally returns an error for testing")

    @server.tool(description=FIXTURE)
    def test_missing_capability(ctx: Any_Context) -> list[TextContent]:
        declared = ctx.request_context.session.client_capabilities
        if declared is None or declared.sampling is None:
            raise MCPError(
                MISSING_REQUIRED_CLIENT_CAPABILITY, "sampling is needed", {"requiredCapabilities": {"sampling": {}}}
            )
        return [_text("sampling was declared")]


def _add_notices(server: MCPServer[Any]) -> None:
    @server.tool(description=FIXTURE)
    async def test_tool_with_progress(ctx: Any_Context) -> list[TextContent]:
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100, f"{done} of 100")
            await anyio.sleep(PAUSE_S)
        return [_text("done")]

    @server.tool(description=FIXTURE)
    async def test_tool_with_logging(ctx: Any_Context) -> list[TextContent]:
        for what in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await ctx.info(what)  # pyright: ignore[reportDeprecated]
            await anyio.sleep(PAUSE_S)
        return [_text("done")]

    @server.tool(description=FIXTURE)
    async def test_logging_tool(ctx: Any_Context) -> list[TextContent]:
        await ctx.info("only for who asked")  # pyright: ignore[reportDeprecated]
        return [_text("done")]

    async def accepted(_: Any, params: Any) -> EmptyResult:  # noqa: ANN401 - any request's
        del params
        await anyio.lowlevel.checkpoint()
        return EmptyResult()

    # Optional capabilities of the older revisions, which this program does not offer by itself.
    lowlevel = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    lowlevel.add_request_handler("logging/setLevel", SetLevelRequestParams, accepted)
    lowlevel.add_request_handler("resources/subscribe", SubscribeRequestParams, accepted)
    lowlevel.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, accepted)


def _add_resources(server: MCPServer[Any]) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(_png())

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:
        return "This resource does not change."

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002 - the suite's name
        return f'{{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}}'


def _add_prompts(server: MCPServer[Any]) -> None:
    @server.prompt(description=FIXTURE)
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description=FIXTURE)
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description=FIXTURE)
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803 - the suite's name
        embedded = _resource(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(embedded), UserMessage("Please process the embedded resource above.")]

    @server.prompt(description=FIXTURE)
    def test_prompt_with_image() -> list[UserMessage]:
        return [UserMessage(_image()), UserMessage("Please analyze the image above.")]
