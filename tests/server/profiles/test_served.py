"""Tools that answer for a profile ask less: what it tells is no longer required.

Authority: the contract's `--profile`; the tools' own answers to the same said in full.
"""

from typing import Any

import pytest
from mcp.client import Client

from server.protocol.app import build
from server.protocol.errors import ArgumentError
from server.protocol.registry import TOOLS
from tests.profiles import MEASURED, TOLD, profile, with_change

FACTS = with_change(TOLD, "machine.framework", ...)
SERVED = TOOLS.with_profile(profile(FACTS))
OF_THEM: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "estimate_training_time": ({"model": "llama-3.1-8b", "tokens": "10B"}, {"gpu": "h100", "n_gpus": 16}),
    "check_training_speed": (
        {"model": "llama-3.1-8b", "observed_tokens_per_second": 1e5},
        {"gpu": "h100", "n_gpus": 16},
    ),
    "compare_training_options": ({"models": ["llama-3.1-8b"], "tokens": ["10B"]}, {"gpus": ["h100"], "n_gpus": [16]}),
    "plan_training": (
        {"solve_for": "tokens", "deadline": "10 days", "model": "llama-3.1-8b"},
        {"gpu": "h100", "n_gpus": 16},
    ),
}


@pytest.mark.parametrize("name", OF_THEM)
def test_what_is_left_out_is_the_profiles(name: str) -> None:
    asked, told = OF_THEM[name]
    tool = SERVED.tool(name)
    assert tool is not None
    assert tool.answer(asked).structured["summary"] == tool.answer(asked | told).structured["summary"]
    assert not {"gpu", "gpus", "n_gpus"} & set(tool.input_schema.get("required", ()))


@pytest.mark.parametrize("name", OF_THEM)
def test_without_a_profile_the_same_is_asked_for(name: str) -> None:
    tool = TOOLS.tool(name)
    assert tool is not None
    assert "profile" not in tool.input_schema["properties"]
    if name != "plan_training":
        with pytest.raises(ArgumentError, match="is missing"):
            tool.answer(OF_THEM[name][0])


@pytest.mark.parametrize("told", [{"gpu": "a100"}, {"gpu": "4090"}])
def test_the_count_of_other_devices_is_still_asked_for(told: dict[str, Any]) -> None:
    tool = SERVED.tool("estimate_training_time")
    assert tool is not None
    with pytest.raises(ArgumentError, match="n_gpus is missing: the 16 GPUs of the profile are h100-sxm"):
        tool.answer({"model": "7B", "tokens": "1B", **told})


@pytest.mark.parametrize("name", ["estimate_training_time", "check_training_speed", "compare_training_options"])
def test_every_answer_names_the_profile(name: str) -> None:
    tool = SERVED.tool(name)
    assert tool is not None
    answer = tool.answer(OF_THEM[name][0]).structured
    named = [assumption for assumption in answer["assumptions"] if assumption["name"] == "profile"]
    assert [(one["source"], "the lab's of 2026-11-20" in one["note"]) for one in named] == [("user", True)]


def test_a_plan_for_a_gpu_is_not_held_to_the_profiles() -> None:
    tool = SERVED.tool("plan_training")
    assert tool is not None
    planned = tool.answer({"solve_for": "gpu", "model": "7B", "tokens": "10B", "deadline": "30 days", "n_gpus": 8})
    assert {option["gpu"] for option in planned.structured["alternatives"]} - {"h100-sxm"}


async def test_a_server_with_a_profile_advertises_what_it_spares() -> None:
    async with Client(build(SERVED)) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        schema = listed["estimate_training_time"].input_schema
        assert schema["required"] == ["model"]
        assert (schema["properties"]["gpu"]["default"], schema["properties"]["n_gpus"]["default"]) == ("h100-sxm", 16)
        answered = await client.call_tool("estimate_training_time", {"model": "llama-3.1-8b", "tokens": "1B"})
        assert not answered.is_error


def test_a_measured_server_answers_slower_than_the_catalogues() -> None:
    """It is capped: 556 TFLOPS instead of 794.5."""
    asked = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "10B", "framework": "megatron"}
    capped = TOOLS.with_profile(profile(with_change(with_change(MEASURED, "goodput", None), "measured.steps", [])))
    plain, measured = TOOLS.tool("estimate_training_time"), capped.tool("estimate_training_time")
    assert plain is not None
    assert measured is not None
    longer = measured.answer(asked).structured["training_days"] / plain.answer(asked).structured["training_days"]
    assert 1.2 < longer < 794.5 / 556 + 0.05
