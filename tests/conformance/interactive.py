"""What the conformance suite asks of a reference server: questions back to the client, in either era."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import InputRequiredResult, SamplingMessage, TextContent
from pydantic import BaseModel, Field, JsonValue

__all__ = ["add_interactive"]

Any_Context = Context[Any, Any]
FIXTURE = "A fixture of the conformance suite"
ROOTS: dict[str, Any] = {"method": "roots/list", "params": {}}


def _form(message: str, **kinds: str) -> dict[str, Any]:
    """Return a request for a filled form."""
    schema = {"type": "object", "properties": {name: {"type": kind} for name, kind in kinds.items()}}
    return {
        "method": "elicitation/create",
        "params": {"message": message, "requestedSchema": schema | {"required": list(kinds)}},
    }


def _sampling(text: str) -> dict[str, Any]:
    """Return a request for a model's words."""
    message = {"role": "user", "content": {"type": "text", "text": text}}
    return {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": 100}}


def _asked(requests: Mapping[str, Any], state: str | None = None) -> InputRequiredResult:
    wire: dict[str, Any] = {"resultType": "input_required", "inputRequests": dict(requests)}
    return InputRequiredResult.model_validate(wire if state is None else wire | {"requestState": state})


def _answers(ctx: Any_Context, *names: str) -> list[str] | None:
    """Return the client's answers as JSON text, or None unless all of `names` are there in good form."""
    given = ctx.input_responses or {}
    if not all(name in given for name in names):
        return None
    return [given[name].model_dump_json(by_alias=True, exclude_none=True) for name in names]


def _said(text: str) -> list[TextContent]:
    return [TextContent(type="text", text=text)]


def add_interactive(server: MCPServer[Any]) -> None:
    """Add the fixtures that ask the client back."""
    _add_requests(server)
    _add_one_round(server)
    _add_choosy(server)
    _add_rounds_with_state(server)


class _Contact(BaseModel):
    username: str = Field(description="User's response")
    email: str = Field(description="User's email address")


class _Defaults(BaseModel):
    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: Literal["active", "inactive", "pending"] = "active"
    verified: bool = True


def _titled(*values: str) -> list[JsonValue]:
    return [{"const": value, "title": value.title()} for value in values]


class _Choices(BaseModel):
    untitledSingle: Annotated[str, Field(json_schema_extra={"enum": ["option1", "option2", "option3"]})]  # noqa: N815
    titledSingle: Annotated[str, Field(json_schema_extra={"oneOf": _titled("value1", "value2", "value3")})]  # noqa: N815
    legacyEnum: Annotated[  # noqa: N815
        str, Field(json_schema_extra={"enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]})
    ]
    untitledMulti: Annotated[  # noqa: N815
        list[str], Field(json_schema_extra={"items": {"type": "string", "enum": ["option1", "option2", "option3"]}})
    ]
    titledMulti: Annotated[list[str], Field(json_schema_extra={"items": {"anyOf": _titled("value1", "value2")}})]  # noqa: N815


def _add_requests(server: MCPServer[Any]) -> None:
    """Add what asks by a request of its own, as revisions up to 2025-11-25 have it."""

    @server.tool(description=FIXTURE)
    async def test_sampling(prompt: str, ctx: Any_Context) -> list[TextContent]:
        message = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        answer = await ctx.session.create_message(messages=[message], max_tokens=100)  # pyright: ignore[reportDeprecated]
        return _said(f"LLM response: {getattr(answer.content, 'text', '')}")

    @server.tool(description=FIXTURE)
    async def test_elicitation(message: str, ctx: Any_Context) -> list[TextContent]:
        return _said(f"User response: {await _elicited(ctx, message, _Contact)}")

    @server.tool(description=FIXTURE)
    async def test_elicitation_sep1034_defaults(ctx: Any_Context) -> list[TextContent]:
        return _said(f"Elicitation completed: {await _elicited(ctx, 'Who are you?', _Defaults)}")

    @server.tool(description=FIXTURE)
    async def test_elicitation_sep1330_enums(ctx: Any_Context) -> list[TextContent]:
        return _said(f"Elicitation completed: {await _elicited(ctx, 'Choose', _Choices)}")


async def _elicited(ctx: Any_Context, message: str, schema: type[BaseModel]) -> str:
    result = await ctx.elicit(message, schema)
    content = result.data.model_dump(mode="json") if result.action == "accept" else {}
    return f"action={result.action}, content={json.dumps(content)}"


def _add_one_round(server: MCPServer[Any]) -> None:
    @server.tool(description=FIXTURE)
    def test_input_required_result_elicitation(ctx: Any_Context) -> list[TextContent] | InputRequiredResult:
        answers = _answers(ctx, "user_name")
        if answers is None:
            return _asked({"user_name": _form("What is your name?", name="string")})
        return _said(f"Hello, {json.loads(answers[0])['content']['name']}!")

    @server.tool(description=FIXTURE)
    def test_streaming_elicitation(ctx: Any_Context) -> list[TextContent] | InputRequiredResult:
        answers = _answers(ctx, "user_name")
        return (
            _asked({"user_name": _form("What is your name?", name="string")}) if answers is None else _said(answers[0])
        )

    @server.tool(description=FIXTURE)
    def test_input_required_result_sampling(ctx: Any_Context) -> list[TextContent] | InputRequiredResult:
        answers = _answers(ctx, "capital_question")
        if answers is None:
            return _asked({"capital_question": _sampling("What is the capital of France?")})
        return _said(json.loads(answers[0])["content"]["text"])

    @server.tool(description=FIXTURE)
    def test_input_required_result_list_roots(ctx: Any_Context) -> list[TextContent] | InputRequiredResult:
        answers = _answers(ctx, "client_roots")
        return _asked({"client_roots": ROOTS}) if answers is None else _said(answers[0])


def _add_choosy(server: MCPServer[Any]) -> None:
    @server.tool(description=FIXTURE)
    def test_input_required_result_capabilities(ctx: Any_Context) -> list[TextContent] | InputRequiredResult:
        declared = ctx.request_context.session.client_capabilities
        requests: dict[str, Any] = {}
        if declared is not None and declared.sampling is not None:
            requests["capital_question"] = _sampling("What is the capital of France?")
        if declared is not None and declared.elicitation is not None:
            requests["user_name"] = _form("What is your name?", name="string")
        return _asked(requests) if requests else _said("nothing was declared")

    @server.prompt(description=FIXTURE)
    def test_input_required_result_prompt(ctx: Any_Context) -> str | InputRequiredResult:
        answers = _answers(ctx, "user_context")
        if answers is None:
            return _asked({"user_context": _form("What context should the prompt use?", context="string")})
        return f"In this context: {answers[0]}"


def _add_rounds_with_state(server: MCPServer[Any]) -> None:
    """Add what carries state through the client; the SDK seals it, and refuses it when it was tampered with."""

    @server.tool(description=FIXTURE)
    def test_input_required_result_request_state(ctx: Any_Context) -> list[TextContent] | InputRequiredResult:
        if ctx.request_state != "asked" or _answers(ctx, "confirm") is None:
            return _asked({"confirm": _form("Please confirm", ok="boolean")}, "asked")
        return _said("state-ok")

    @server.tool(description=FIXTURE)
    def test_input_required_result_tampered_state(ctx: Any_Context) -> list[TextContent] | InputRequiredResult:
        if ctx.request_state != "asked":
            return _asked({"confirm": _form("Please confirm", ok="boolean")}, "asked")
        return _said("state-ok")

    @server.tool(description=FIXTURE)
    def test_input_required_result_multiple_inputs(ctx: Any_Context) -> list[TextContent] | InputRequiredResult:
        requests: dict[str, dict[str, Any]] = {
            "user_name": _form("What is your name?", name="string"),
            "greeting": _sampling("Generate a greeting"),
            "client_roots": ROOTS,
        }
        answers = _answers(ctx, *requests)
        return _asked(requests, "asked") if answers is None else _said(" ".join(answers))

    @server.tool(description=FIXTURE)
    def test_input_required_result_multi_round(ctx: Any_Context) -> list[TextContent] | InputRequiredResult:
        if ctx.request_state == "first" and _answers(ctx, "step1") is not None:
            return _asked({"step2": _form("Step 2: What is your favorite color?", color="string")}, "second")
        if ctx.request_state == "second" and _answers(ctx, "step2") is not None:
            return _said("thank you")
        return _asked({"step1": _form("Step 1: What is your name?", name="string")}, "first")
