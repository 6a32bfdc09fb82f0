"""Answers of every kind that is reported, as their tools give them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from server.protocol.registry import TOOLS
from server.protocol.tool import Answer, Tool
from tests.tools.varied_questions import COMPARISONS, ESTIMATES, PLANS

__all__ = ["REPORTED", "answered", "tool_of"]

_RUN = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8}
_LOG = "".join(f"  1%|█ | {step}/9000 [00:{3 * step:02d}<7:30:00,  3.00s/it]\n" for step in range(1, 20))

REPORTED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "estimate": ("estimate_training_time", ESTIMATES["dense"]),
    "estimate, detailed": ("estimate_training_time", {**ESTIMATES["dense"], "detail": "detailed"}),
    "assumed utilization": ("estimate_training_time", ESTIMATES["a utilization"]),
    "fine-tuning": ("estimate_training_time", ESTIMATES["LoRA at home"]),
    "diffusion": ("estimate_training_time", ESTIMATES["a denoiser"]),
    "does not fit": ("estimate_training_time", ESTIMATES["does not fit"]),
    "own runs": ("estimate_training_time", ESTIMATES["runs of one's own"]),
    "comparison": ("compare_training_options", COMPARISONS[1]),
    "comparison of samples": ("compare_training_options", COMPARISONS[3]),
    "comparison without prices": ("compare_training_options", COMPARISONS[7]),
    "plan": ("plan_training", PLANS[0]),
    "plan without prediction": ("plan_training", PLANS[11]),
    "plan of a budget": ("plan_training", PLANS[12]),
    "check, normal": ("check_training_speed", {**_RUN, "observed_tokens_per_second": 90_000}),
    "check, slow": ("check_training_speed", {**_RUN, "observed_tokens_per_second": 20_000, "tokens": "15B"}),
    "check of a log": (
        "check_training_speed",
        {**_RUN, "observed_log": _LOG, "global_batch_sequences": 64, "sequence_length": 4096},
    ),
}
"""A question of each kind."""


def tool_of(kind: str) -> Tool:
    """Return the tool that is asked for answers of `kind`."""
    tool = TOOLS.tool(REPORTED[kind][0])
    assert tool is not None
    return tool


@cache
def answered(kind: str) -> Answer:
    """Return the answer of `kind`."""
    return tool_of(kind).answer(REPORTED[kind][1])
