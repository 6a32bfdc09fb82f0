"""What a client sees in either protocol era.

Authority: the Model Context Protocol, revisions 2024-11-05 to 2026-07-28, and the program's public contract.
"""

import asyncio
import json
from collections.abc import AsyncIterator

import anyio
import jsonschema
import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, PromptReference, ResourceTemplateReference, TextContent

from estimator.base.version import VERSION
from estimator.catalogue import catalogue
from server.protocol.app import build
from server.protocol.prompts import PROMPTS
from server.protocol.registry import TOOLS as SERVED
from server.protocol.registry import Registry
from server.protocol.tool import Tool
from tests.conformance.everything import everything
from tests.fixture_server import SECRET, TOOLS

ERAS = ("legacy", "2026-07-28")


@pytest.fixture(params=ERAS)
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """Held open by a task of its own: a cancel scope must be left by the task that entered it."""
    connected: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    finished = asyncio.Event()

    async def hold() -> None:
        async with Client(build(TOOLS, call_timeout_s=0.4), mode=request.param) as opened:
            connected.set_result(opened)
            await finished.wait()

    holding = asyncio.create_task(hold())
    holding.add_done_callback(lambda ended: connected.cancel() if ended.exception() else None)
    yield await connected
    finished.set()
    await holding


async def _text(client: Client, tool: str, arguments: dict[str, object]) -> tuple[bool, str]:
    result = await client.call_tool(tool, arguments)
    (block,) = result.content
    assert isinstance(block, TextContent)
    return bool(result.is_error), block.text


async def test_every_tool_says_that_it_only_reads(client: Client) -> None:
    listed = (await client.list_tools()).tools
    assert [tool.name for tool in listed] == ["echo", "faulty", "slow"]
    for tool in listed:
        assert tool.title
        assert tool.description
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is True
        assert tool.annotations.idempotent_hint is True
        assert tool.annotations.open_world_hint is False
        assert tool.output_schema is not None
        assert tool.output_schema["type"] == "object"
        assert "additionalProperties" not in tool.input_schema


async def test_the_text_is_the_structured_object_in_compact_json(client: Client) -> None:
    """Some hosts hand a model only the one, some only the other."""
    result = await client.call_tool("echo", {"text": "hi"})
    (block,) = result.content
    assert isinstance(block, TextContent)
    assert block.text == json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
    assert "café ≥ 1" in block.text


async def test_an_answer_fits_its_own_schema_even_with_nulls(client: Client) -> None:
    schema = next(tool.output_schema for tool in (await client.list_tools()).tools if tool.name == "echo")
    result = await client.call_tool("echo", {"text": "hi"})
    assert result.structured_content is not None
    assert result.structured_content["parts"][0]["share"] is None
    assert schema is not None
    jsonschema.validate(result.structured_content, schema)


async def test_the_same_question_gets_the_same_bytes_in_both_eras() -> None:
    texts: set[str] = set()
    for era in ERAS:
        async with Client(build(TOOLS), mode=era) as client:
            texts |= {(await _text(client, "echo", {"text": "hi", "amount": "15T"}))[1] for _ in range(2)}
    assert len(texts) == 1


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_the_server_introduces_itself(era: str) -> None:
    async with Client(build(TOOLS), mode=era) as client:
        assert client.server_info is not None
        assert client.server_info.name == "traintime"
        assert client.server_info.version == VERSION
        assert client.instructions is not None
        assert "estimate_training_time" in client.instructions


async def test_an_unknown_tool_is_a_protocol_error_that_names_the_nearest(client: Client) -> None:
    with pytest.raises(MCPError, match=r"unknown tool 'ecko'; did you mean echo\?") as caught:
        await client.call_tool("ecko", {})
    assert caught.value.error.code == INVALID_PARAMS


async def test_an_unforeseen_fault_is_one_sentence_and_the_traceback_is_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    is_error, text = await _text(client, "faulty", {})
    assert is_error
    assert text.startswith("faulty failed on an internal fault")
    assert SECRET not in text
    assert SECRET in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("era", ERAS)
async def test_a_tool_that_cannot_be_imported_is_a_fault_of_ours_like_any_other(
    era: str, caplog: pytest.LogCaptureFixture
) -> None:
    def maker() -> Tool:
        raise ModuleNotFoundError(SECRET)

    async with Client(build(Registry({"broken": maker})), mode=era) as client:
        is_error, text = await _text(client, "broken", {})
    assert is_error
    assert text.startswith("broken failed on an internal fault")
    assert SECRET not in text
    assert SECRET in caplog.text


async def test_a_number_that_json_does_not_have_never_leaves(client: Client) -> None:
    is_error, text = await _text(client, "faulty", {"how": "nan"})
    assert is_error
    assert "internal fault" in text


async def test_a_call_past_its_time_is_given_up_with_advice(client: Client) -> None:
    is_error, text = await _text(client, "slow", {"steps": 1000})
    assert is_error
    assert text.startswith("slow was stopped after 0.4 s")
    assert (await _text(client, "slow", {"steps": 1}))[0] is False


async def test_progress_reaches_the_caller(client: Client) -> None:
    seen: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))
        await anyio.lowlevel.checkpoint()

    await client.call_tool("slow", {"steps": 5}, progress_callback=note)
    assert list(seen[0]) == [0, 5, "step 0"]
    assert [done for done, _, _ in seen] == sorted({done for done, _, _ in seen})


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("plan_a_rnu", {}, r"unknown prompt 'plan_a_rnu'; did you mean plan_a_run\?"),
        ("is_this_normal", {}, "observed is missing: what was measured"),
        ("plan_a_run", {"modle": "7B"}, r"unknown argument 'modle'; did you mean model\?"),
    ],
)
async def test_a_wrong_prompt_is_a_protocol_error_that_says_what_would_do(
    client: Client, name: str, arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(MCPError, match=message) as caught:
        await client.get_prompt(name, arguments)
    assert caught.value.error.code == INVALID_PARAMS


async def test_each_prompt_carries_what_was_filled_in_and_names_real_tools(client: Client) -> None:
    listed = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
    assert set(listed) == set(PROMPTS) == {"plan_a_run", "is_this_normal"}
    for name, prompt in listed.items():
        filled = {argument.name: f"<{argument.name}>" for argument in prompt.arguments or ()}
        (message,) = (await client.get_prompt(name, filled)).messages
        assert isinstance(message.content, TextContent)
        for blank in filled.values():
            assert blank in message.content.text
        assert any(tool in message.content.text for tool in SERVED.names)


async def test_the_catalogues_are_there_to_read(client: Client) -> None:
    listed = {resource.uri for resource in (await client.list_resources()).resources}
    assert listed >= {"traintime://gpus", "traintime://models", "traintime://accuracy", "ui://traintime/view.html"}
    templates = {template.uri_template for template in (await client.list_resource_templates()).resource_templates}
    assert templates == {"traintime://gpus/{id}", "traintime://models/{id}", "traintime://runs/{id}"}
    for address, id_ in (("traintime://gpus", "h100-sxm"), ("traintime://models", "llama-3.1-8b")):
        assert id_ in [row["id"] for row in await _document(client, address)]
        assert id_ in json.dumps(await _document(client, f"{address}/{id_}"))


async def _document(client: Client, address: str) -> list[dict[str, object]]:
    (contents,) = (await client.read_resource(address)).contents
    assert contents.mime_type == "application/json"
    document: list[dict[str, object]] = json.loads(getattr(contents, "text", ""))
    return document


async def test_a_published_run_is_there_to_read(client: Client) -> None:
    run = catalogue.runs()[0]
    assert json.dumps(run.id) in json.dumps(await _document(client, f"traintime://runs/{run.id}"))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("traintime://gpu", "unknown resource 'traintime://gpu'; there are traintime://gpus"),
        ("traintime://gpus/h100-smx", "unknown gpu 'h100-smx'; did you mean h100"),
        ("traintime://models/llama-3.1-9b", "unknown model 'llama-3.1-9b'; did you mean"),
        ("traintime://runs/none-such", "unknown run 'none-such'; such as"),
        ("other://gpus", "unknown resource 'other://gpus'; there are traintime://gpus"),
    ],
)
async def test_an_address_that_nothing_has_is_a_protocol_error(client: Client, address: str, message: str) -> None:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(address)
    assert caught.value.error.code == INVALID_PARAMS
    assert caught.value.error.message.startswith(message)


async def test_ids_complete_from_their_beginning_then_from_within(client: Client) -> None:
    found = await client.complete(
        ResourceTemplateReference(uri="traintime://gpus/{id}"), {"name": "id", "value": "h100"}
    )
    values = found.completion.values
    assert "h100-sxm" in values
    assert values[0].startswith("h100")
    everything = await client.complete(
        ResourceTemplateReference(uri="traintime://models/{id}"), {"name": "id", "value": ""}
    )
    assert len(everything.completion.values) == 100
    assert everything.completion.total == len(catalogue.models())
    assert everything.completion.has_more is True


@pytest.mark.parametrize(("blank", "value"), [("gpu", "h100-sxm"), ("model", "llama-3.1-8b"), ("n_gpus", "512")])
async def test_the_blanks_of_a_prompt_complete(client: Client, blank: str, value: str) -> None:
    found = await client.complete(PromptReference(name="plan_a_run"), {"name": blank, "value": value})
    assert value in found.completion.values


async def test_what_nobody_can_complete_is_empty(client: Client) -> None:
    found = await client.complete(PromptReference(name="none_such"), {"name": "gpu", "value": "h"})
    assert found.completion.values == []


async def test_what_never_changes_may_be_kept() -> None:
    async with Client(build(TOOLS), mode="2026-07-28") as client:
        for listing in (
            await client.list_tools(),
            await client.list_prompts(),
            await client.list_resources(),
            await client.list_resource_templates(),
            await client.read_resource("traintime://gpus"),
        ):
            assert listing.ttl_ms > 0
            assert listing.cache_scope == "public"


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_every_handshake_revision_is_accepted(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp.client.session.LATEST_HANDSHAKE_VERSION", version)
    async with Client(build(TOOLS), mode="legacy") as client:
        assert client.protocol_version == version
        assert (await _text(client, "echo", {"text": "hi"}))[0] is False


async def test_what_is_added_by_the_sdks_decorators_is_served_beside_the_tables() -> None:
    """The conformance suite's fixtures are, and so may be what comes later."""
    async with Client(everything(), mode="legacy") as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        assert {"estimate_training_time", "test_simple_text"} <= set(names)
        is_error, text = await _text(client, "test_simple_text", {})
        assert (is_error, text) == (False, "This is a simple text response for testing.")
        prompt = await client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})
        assert "arg1='a'" in str(prompt.messages)
        contents = (await client.read_resource("test://template/7/data")).contents
        assert '"id":"7"' in getattr(contents[0], "text", "")
