"""The tools as they are advertised: every change is seen, and small enough for a model's context.

Authority: the program's public contract (portable schemas; at most 2,000 o200k tokens for the first three tools, 3,500
for all six), and the copies in `tests/golden/`, which a person accepts.
"""

import json
from typing import Any

import pytest

from server.protocol.listing import listed_tools
from server.protocol.registry import TOOLS
from tests.places import ROOT

GOLDEN = ROOT / "tests" / "golden"
FIRST_THREE = ("estimate_training_time", "list_gpus", "explain_coefficient")
COUNTED = json.loads((GOLDEN / "tokens.json").read_text(encoding="utf-8"))["tools"]
"""Characters of compact JSON, and the o200k tokens that a real tokenizer made of them."""
MOST_CHANGED = 0.1
NOT_PORTABLE = {
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "format",
    "not",
    "oneOf",
    "pattern",
    "prefixItems",
    "title",
}
ADVERTISED = {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed_tools(TOOLS)}


def _compact(tool: dict[str, Any]) -> str:
    """Return what a host puts before a model: name, description and arguments."""
    shown = {key: tool[key] for key in ("name", "description", "inputSchema")}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _schemas(schema: dict[str, Any]) -> list[dict[str, Any]]:
    children = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return [schema, *(grandchild for child in children for grandchild in _schemas(child))]


@pytest.mark.parametrize("name", ADVERTISED)
def test_a_tool_is_advertised_as_was_agreed(name: str) -> None:
    path = GOLDEN / f"{name}.json"
    agreed = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    assert ADVERTISED[name] == agreed, (
        f"{name} is advertised otherwise than in tests/golden/{name}.json; prompts and scripts may depend on it. "
        "If that is meant, accept it: scripts/golden"
    )


def test_no_golden_copy_is_left_of_a_tool_that_went() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*ADVERTISED, "tokens"}


@pytest.mark.parametrize("name", ADVERTISED)
def test_every_schema_is_portable(name: str) -> None:
    for side in ("inputSchema", "outputSchema"):
        assert ADVERTISED[name][side]["type"] == "object"
        for schema in _schemas(ADVERTISED[name][side]):
            assert not NOT_PORTABLE & set(schema)
            assert isinstance(schema.get("type", ""), str)
            assert all(isinstance(choice, str | None) for choice in schema.get("enum", ()))


@pytest.mark.parametrize(("names", "limit"), [(FIRST_THREE, 2_000), (tuple(ADVERTISED), 3_500)])
def test_the_tools_leave_room_in_a_models_context(names: tuple[str, ...], limit: int) -> None:
    """By what a tokenizer made of each tool, in proportion where it is longer or shorter since."""
    tokens = [len(_compact(ADVERTISED[name])) * COUNTED[name]["tokens"] / COUNTED[name]["characters"] for name in names]
    assert sum(tokens) <= limit


@pytest.mark.parametrize("name", ADVERTISED)
def test_what_a_tokenizer_counted_is_near_what_is_advertised(name: str) -> None:
    """Else the test above would judge by another text: scripts/golden --count counts anew."""
    assert len(_compact(ADVERTISED[name])) == pytest.approx(COUNTED[name]["characters"], rel=MOST_CHANGED)


@pytest.mark.parametrize("name", ADVERTISED)
def test_every_argument_is_described_by_its_tool_or_by_the_tool_that_it_names(name: str) -> None:
    properties = ADVERTISED[name]["inputSchema"]["properties"]
    elsewhere = ADVERTISED["estimate_training_time"]["inputSchema"]["properties"]
    for argument, schema in properties.items():
        if not schema.get("description"):
            assert elsewhere.get(argument, {}).get("description"), f"{name}: {argument}"
            assert "estimate_training_time" in ADVERTISED[name]["description"]


@pytest.mark.parametrize("name", ADVERTISED)
def test_a_tool_says_what_directories_ask_for(name: str) -> None:
    tool = ADVERTISED[name]
    assert tool["title"]
    assert tool["description"]
    assert tool["annotations"] == {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": False}
