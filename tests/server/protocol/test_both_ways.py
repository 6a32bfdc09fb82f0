"""A call is answered on two ways, the SDK's and a shorter one, and nobody can tell them apart, on any transport.

Authority: the SDK, which shapes an answer for the protocol version in use. What is asked is all that the tests have of
what people asked, and what must be refused.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fuzzing.messages import Sent, request
from tests.fuzzing.wires import WIRES, opened
from tests.questions.test_questions import CASES, OTHERS
from tests.tools.varied_questions import COMPARISONS, ESTIMATES, PLANS

_SDKS_WAY = ("-m", "tests.sdks_way")
_ONLY_MODERN = {"_meta", "resultType"}
"""What the era without a handshake adds to a result."""
_RUN: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "1B"}
_REFUSED: tuple[tuple[str, Any], ...] = (
    ("estimate_training_time", _RUN | {"gpu": "h100-smx"}),
    ("estimate_training_time", _RUN | {"n_gpus": 0}),
    ("estimate_training_time", _RUN | {"n_gpus": "NaN"}),
    ("estimate_training_time", _RUN | {"tensor_parralel": 2}),
    ("estimate_training_time", _RUN | {"utilization": 7}),
    ("estimate_training_time", _RUN | {"hf_config": {"model_type": "\x1b[2J"}}),
    ("estimate_training_time", {}),
    ("estimate_training_time", None),
    ("estimate_training_time", [1]),
    ("list_gpus", {"limit": 0}),
    ("list_gpus", {"query": "x" * 5_000}),
    ("compare_training_options", {"models": [], "gpus": [], "n_gpus": []}),
    ("check_training_speed", {"model": "7B", "gpu": "h100", "n_gpus": 8, "observed_log": "nothing"}),
    ("plan_training", {"solve_for": "n_gpu"}),
    ("no such tool", {}),
)
_QUICK: tuple[tuple[str, Any], ...] = (
    ("list_gpus", {"query": "h100", "limit": 2}),
    ("list_gpus", {"detail": "detailed", "limit": 200}),
    ("explain_coefficient", {"model": "llama-3.1-8b"}),
    ("estimate_training_time", _RUN | {"utilization": 0.45}),
)


def _asked() -> list[tuple[str, Any]]:
    """Return all calls that take their time: tool and arguments."""
    calls = [(call["tool"], call["arguments"]) for case in (*CASES, *OTHERS) for call in case["calls"]]
    calls += [("estimate_training_time", arguments) for arguments in ESTIMATES.values()]
    calls += [("plan_training", arguments) for arguments in PLANS[:3]]
    calls += [("compare_training_options", arguments) for arguments in COMPARISONS[:3]]
    return calls


def _message(number: int, call: tuple[str, Any], *, modern: bool) -> Sent:
    tool, arguments = call
    return request(2 * number + modern, number, "tools/call", {"name": tool, "arguments": arguments})


def _common(reply: Mapping[str, Any] | None) -> object:
    """Return what of a reply both eras have."""
    assert reply is not None
    if "error" in reply:
        return reply["error"]["code"], reply["error"]["message"]
    return {name: value for name, value in reply["result"].items() if name not in _ONLY_MODERN}


@pytest.mark.parametrize("transport", WIRES)
async def test_whatever_is_asked_both_ways_send_the_same(transport: str, tmp_path: Path) -> None:
    # A wire carries bytes whatever they say: every eighth long call will do, and each goes over one of them.
    calls = [*_QUICK, *_REFUSED, *_asked()[WIRES.index(transport) :: 8 * len(WIRES)]]
    answered = 0
    async with (
        opened(transport, tmp_path / "log") as ours,
        opened(transport, tmp_path / "the SDK's", _SDKS_WAY) as sdks,
    ):
        for number, call in enumerate(calls):
            modern = _message(number, call, modern=True)
            expected = await sdks.ask(modern)
            assert expected is not None
            assert await ours.ask(modern) == expected, call
            # Once more: what is kept of an answer takes the shorter way too.
            assert await ours.ask(modern) == expected, call
            if isinstance(call[1], dict):
                assert _common(await ours.ask(_message(number, call, modern=False))) == _common(expected), call
            answered += "result" in expected and not expected["result"].get("isError")
    assert answered > len(calls) // 3
