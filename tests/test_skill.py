"""What the skill says of the tools is so.

Authority: the tools themselves: their schemas, and what they answer when they are asked as the skill asks.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from estimator.base.errors import EstimatorError
from server.command_line.commands import COMMANDS
from server.protocol.listing import listed_tools
from server.protocol.prompts import PROMPTS, Prompt
from server.protocol.registry import TOOLS
from tests.places import ROOT

TEXT = (ROOT / "skills" / "estimate-training-time" / "SKILL.md").read_text(encoding="utf-8")
LISTED = {tool.name: tool for tool in listed_tools(TOOLS)}
ROWS = re.findall(r"^\| [^|]+ \| `(\w+)` \| (.+) \|$", TEXT, flags=re.MULTILINE)
EXAMPLES = [
    (json.loads(call), re.findall(r"`(\w+)`", said.rpartition("Say ")[2]))
    for said, call in re.findall(r"^(\".+?)\n\n```json\n(.+?)\n```", TEXT, flags=re.MULTILINE | re.DOTALL)
]
(COMMAND,) = re.findall(r"^```sh\n(.+?)\n```", TEXT, flags=re.MULTILINE | re.DOTALL)
PREDICTING = ("estimate_training_time", "plan_training", "compare_training_options", "check_training_speed")
ASKED: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "1B"}


def _answer(tool: str, **arguments: object) -> dict[str, Any]:
    served = TOOLS.tool(tool)
    assert served is not None
    return served.answer(arguments).structured


def _arguments(tool: str) -> dict[str, Any]:
    schema: dict[str, Any] = LISTED[tool].input_schema
    properties: dict[str, Any] = schema["properties"]
    return properties


def _choices(tool: str) -> set[str]:
    return {choice for argument in _arguments(tool).values() for choice in argument.get("enum", ())}


def _keys(schema: dict[str, Any]) -> Iterator[str]:
    """Yield the name of every field of an answer, at any depth, the path of those within objects too."""
    for name, field in schema.get("properties", {}).items():
        yield name
        inner = list(_keys(field)) + list(_keys(field.get("items", {})))
        yield from inner
        yield from (f"{name}.{key}" for key in inner)


KNOWN = set(LISTED).union(
    *(_keys(tool.output_schema or {}) for tool in LISTED.values()),
    *(_arguments(tool) for tool in LISTED),
    *(_choices(tool) for tool in LISTED),
)


def test_the_table_leads_to_every_tool() -> None:
    assert {tool for tool, _ in ROWS} == set(LISTED)


@pytest.mark.parametrize(("tool", "arguments"), ROWS)
def test_a_row_of_the_table_names_arguments_of_its_own_tool(tool: str, arguments: str) -> None:
    named = set(re.findall(r"`(\w+)`", arguments))
    assert named
    assert named <= set(_arguments(tool)) | _choices(tool)


def test_every_name_in_the_text_is_an_argument_a_field_a_tool_or_a_warning() -> None:
    answers = [_answer(call["name"], **call["arguments"]) for call, _ in EXAMPLES]
    warned = {warning["code"] for answer in answers for warning in answer["warnings"]}
    assert set(re.findall(r"`([\w.]+)`", TEXT)) - KNOWN - warned == set()


@pytest.mark.parametrize(("call", "said"), EXAMPLES, ids=[call["name"] for call, _ in EXAMPLES])
def test_an_example_is_answered_with_what_is_to_be_said(call: dict[str, Any], said: list[str]) -> None:
    answer = _answer(call["name"], **call["arguments"])
    rows: list[dict[str, Any]] = [answer, *answer.get("rows", ())]
    assert said
    for name in said:
        assert any(row.get(name) not in (None, "", []) for row in rows), f"{name} is empty"


def test_every_predicting_tool_has_an_example() -> None:
    assert [call["name"] for call, _ in EXAMPLES] == list(PREDICTING)


def test_the_command_prints_what_the_tool_answers() -> None:
    program, command, *flags = shlex.split(COMMAND)
    assert flags.pop() == "--json"
    assert program == "traintime"
    given = dict(zip((flag[2:].replace("-", "_") for flag in flags[::2]), flags[1::2], strict=True))
    run = [sys.executable, "-m", program, command, *flags, "--json"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout) == _answer(COMMANDS[command], **given)


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        ("estimate_training_time", {"tokens": "1.5T"}),
        ("estimate_training_time", {"tokens": "2 GB of German text"}),
        ("estimate_training_time", {"tokens": "alpaca x3"}),
        ("estimate_training_time", {"tokens": None, "samples": "10k", "tokens_per_sample": "500-600"}),
        ("estimate_training_time", {"framework": "HF Trainer + DeepSpeed ZeRO-3, Liger"}),
        ("plan_training", {"n_gpus": None, "solve_for": "n_gpus", "deadline": "30 days"}),
        ("plan_training", {"n_gpus": None, "solve_for": "n_gpus", "budget": "$250k"}),
    ],
)
def test_words_that_are_said_to_be_understood_are(tool: str, said: dict[str, str | None]) -> None:
    phrase = [*said.values()][-1]
    assert f'"{phrase}"' in TEXT
    codes = {warning["code"] for warning in _answer(tool, **ASKED | said)["warnings"]}
    assert "framework_not_understood" not in codes


@pytest.mark.parametrize(
    "open_", [{"solve_for": "n_gpus", "n_gpus": None}, {"solve_for": "gpu", "gpu": None}, {"solve_for": "layout"}]
)
def test_a_plan_needs_no_more_than_its_row_says(open_: dict[str, str | None]) -> None:
    assert _answer("plan_training", **ASKED | open_)["solution"]["fits"]


def test_an_assumed_stack_is_warned_of_with_how_much_slower_another_is() -> None:
    codes = {"tuned_stack_assumed", "framework_unsaid"}
    (warning,) = (row for row in _answer("estimate_training_time", **ASKED)["warnings"] if row["code"] in codes)
    assert re.search(r"\d times as long", warning["message"])


def test_a_utilization_turns_off_the_range_and_the_memory() -> None:
    answer = _answer("estimate_training_time", **ASKED, utilization=0.4)
    assert answer["memory"] is None
    assert answer["interval_coverage"] is None
    assert answer["training_days_low"] == answer["training_days"] == answer["training_days_high"]


def test_an_unknown_card_with_its_peak_gets_the_rule_of_thumb() -> None:
    answer = _answer("estimate_training_time", **ASKED | {"gpu": "No Such Card"}, peak_tflops=100)
    assert answer["training_days"] == pytest.approx(answer["rule_of_thumb"]["days"])
    assert answer["memory"] is None


def test_own_runs_are_taken_by_every_tool_that_predicts_and_by_no_other() -> None:
    assert {tool for tool in LISTED if "my_runs" in _arguments(tool)} == set(PREDICTING)


@pytest.mark.parametrize("count", [1, 8])
def test_an_observed_speed_is_one_of_all_gpus_together(count: int) -> None:
    answer = _answer("estimate_training_time", **ASKED | {"n_gpus": count}, observed_tokens_per_second="8k")
    assert answer["basis"] == "observed"
    assert answer["training_seconds"] == pytest.approx(1e9 / 8e3)


def test_one_measured_speed_is_what_narrows_a_prediction_most() -> None:
    """A short answer may have room for what the summary asks for alone."""
    answer = _answer("estimate_training_time", **ASKED, detail="detailed")
    assert answer["narrow_by"][0]["argument"] == "observed_tokens_per_second"


def test_what_is_left_follows_from_what_is_done() -> None:
    seen = {**ASKED, "observed_tokens_per_second": "50k", "tokens_done": "400M"}
    assert _answer("check_training_speed", **seen)["remaining_days"] == pytest.approx(0.6e9 / 50e3 / 86400)


@pytest.mark.parametrize(
    "beyond",
    [
        {"objective": "grpo"},
        {"objective": "ppo"},
        {"model": "yolov9e"},
        {"model": "xtts-v2"},
        {"gpu": "h100 and a100"},
    ],
)
def test_what_is_said_not_to_be_modelled_is_refused(beyond: dict[str, str]) -> None:
    with pytest.raises(EstimatorError):
        _answer("estimate_training_time", **ASKED | beyond)


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=lambda prompt: prompt.name)
def test_a_prompt_names_real_tools_arguments_and_fields(prompt: Prompt) -> None:
    text = prompt.text({})
    named = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text))
    assert named & set(LISTED)
    assert named <= KNOWN
