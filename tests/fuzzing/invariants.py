"""What holds of every answer and every refusal, whatever was asked."""

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

import jsonschema

from estimator.answers.check.observation import SHORTEST_SEQUENCE
from estimator.base.errors import EstimatorError
from estimator.base.units import TERA
from estimator.catalogue import catalogue
from estimator.physics.ceilings import matmul_ceiling_flop_per_s
from estimator.resolve.device import catalogued_peak_flop_per_s
from estimator.resolve.pools import named_pools, pooled_accelerator
from server.protocol.registry import TOOLS
from tests.fuzzing.questions import Asked

__all__ = ["answer_faults", "faults", "of_answer", "reply_faults"]

_ROUNDING = 1e-6
_SHARES_ROUNDING = 1e-3
"""What shares of four digits may miss their whole by."""
_LONGEST_REFUSAL = 2_000
_LONGEST_SEQUENCE = 1 << 24
_INTERNAL_ERROR = -32603
_NOT_OURS = ("failed on an internal fault", "was stopped after", "busy:")
"""What a refusal says that is none: a fault, work without an end, and a line that is full."""
_HIDDEN = frozenset({"Cc", "Cs"})
"""Categories of characters that a terminal obeys or that cannot be sent."""
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


def faults(question: Asked) -> list[str]:
    """Return what is wrong with the answer to `question`; nothing where it is sound."""
    tool = TOOLS.tool(question.tool)
    if tool is None:
        return [f"no tool {question.tool}"]
    try:
        answer = tool.answer(question.arguments)
    except EstimatorError as refusal:
        return list(_of_refusal(str(refusal)))
    except Exception as error:  # noqa: BLE001 - any other is the fault that is looked for
        return [f"internal fault {type(error).__name__}: {error}"]
    return answer_faults(question.tool, answer.structured, answer.text)


def answer_faults(tool: str, structured: Mapping[str, Any], text: str) -> list[str]:
    """Return what is wrong with an answer of `tool`: the object and the same as JSON."""
    found = list(of_answer(tool, structured))
    if json.loads(text) != structured:
        found.append("the text is not the structure")
    errors = _validator(tool).iter_errors(structured)
    return found + [f"schema: {error.json_path} {error.message[:200]}" for error in errors]


def reply_faults(question: Asked | None, reply: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a JSON-RPC reply; `question` is the call that it answers, if it is one."""
    if ("result" in reply) == ("error" in reply):
        return ["a reply with neither result nor error, or with both"]
    if "error" in reply:
        error = reply["error"]
        found = [f"internal error: {error}"] if error["code"] == _INTERNAL_ERROR else []
        return found + list(_of_refusal(error["message"]))
    result = reply["result"]
    if question is None:
        return list(_of_any(result))
    text = result["content"][0]["text"]
    if not result.get("isError"):
        return answer_faults(question.tool, result["structuredContent"], text)
    return [text for phrase in _NOT_OURS if phrase in text] + list(_of_refusal(text))


@cache
def _validator(tool: str) -> Any:  # noqa: ANN401 - the library has no types
    """Return what holds answers to the schema that is advertised."""
    known = TOOLS.tool(tool)
    if known is None:
        raise LookupError(tool)
    return jsonschema.Draft202012Validator(known.output_schema)


def of_answer(tool: str, answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with an answer of `tool`, whatever it was asked."""
    yield from _of_any(answer)
    if tool in _OF_TOOL:
        yield from _OF_TOOL[tool](answer)


def _of_refusal(text: str) -> Iterator[str]:
    yield from (f"a refusal holds {hidden}" for hidden in _obeyed(text))
    if len(text) > _LONGEST_REFUSAL:
        yield f"a refusal of {len(text)} characters"
    if not text.strip():
        yield "an empty refusal"
    if "Traceback" in text or "pydantic" in text:
        yield f"a refusal shows the inside: {text[:100]}"


def _obeyed(text: str) -> list[str]:
    return sorted({repr(c) for c in text if (unicodedata.category(c) in _HIDDEN and c != "\n") or c in _OVERRIDES})


def _of_any(value: object, place: str = "$") -> Iterator[str]:
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{place} is {value}"
    elif isinstance(value, str):
        yield from (f"{place} holds {hidden}" for hidden in _obeyed(value))
    elif isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, object]", value).items():
            yield from _of_any(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(cast("list[object]", value)):
            yield from _of_any(inner, f"{place}[{index}]")


def _ordered(low: float | None, point: float | None, high: float | None, what: str) -> Iterator[str]:
    if low is None or point is None or high is None:
        return
    slack = _ROUNDING * abs(point)
    if not low - slack <= point <= high + slack:
        yield f"{what}: {low} ≤ {point} ≤ {high} does not hold"


def _of_spread(spread: Mapping[str, Any], what: str) -> Iterator[str]:
    yield from _ordered(spread["low"], spread["value"], spread["high"], what)
    if spread["value"] is not None and spread["value"] < 0:
        yield f"{what} is {spread['value']}"


def _told(answer: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - of any type
    return next((given["value"] for given in answer["assumptions"] if given["name"] == name), None)


def _ceiling_share(answer: Mapping[str, Any]) -> float | None:
    """Return the most that the executed FLOPs can be of the peak named; None for a card that is not catalogued.

    A peak that a caller names moves what the card reaches in proportion: it is their claim. Concise answers leave out
    what was said in the same words, and then nothing is held.
    """
    gpu, precision = _told(answer, "gpu"), _told(answer, "precision")
    if gpu is None or precision is None or answer["peak_tflops"] <= 0:
        return None
    if any(warning["code"] == "gpu_not_catalogued" for warning in answer["warnings"]):
        return None
    if pools := named_pools(gpu):
        # All go at the pace of the slowest, and the peak is the mean.
        ceiling = matmul_ceiling_flop_per_s(pooled_accelerator(pools, precision), precision)
        return float(ceiling / (answer["peak_tflops"] * TERA))
    device = catalogue.accelerator(gpu).value.accelerator
    ceiling = matmul_ceiling_flop_per_s(device, precision)
    return float(ceiling / catalogued_peak_flop_per_s(device, precision))


def _of_estimate(answer: Mapping[str, Any]) -> Iterator[str]:
    yield from _ordered(
        answer["training_days_low"], answer["training_days"], answer["training_days_high"], "training_days"
    )
    yield from _of_spread(answer["cost_usd"], "cost_usd")
    yield from _of_spread(answer["energy_kwh"], "energy_kwh")
    positive = ("training_seconds", "gpu_hours", "tokens_per_second_per_gpu", "model_flops", "flops_per_token")
    for name in (*positive, "coefficient", "hardware_flops_utilization", "peak_tflops"):
        if not answer[name] > 0:
            yield f"{name} is {answer[name]}"
    if answer["model_flops_utilization"] > answer["hardware_flops_utilization"] * (1 + _ROUNDING):
        yield f"MFU {answer['model_flops_utilization']} over HFU {answer['hardware_flops_utilization']}"
    utilization, share = answer["hardware_flops_utilization"], _ceiling_share(answer)
    if answer["basis"] == "predicted" and share is not None and utilization > share * (1 + _ROUNDING):
        yield f"executes {utilization:.3f} of the peak, and the device reaches {share:.3f}"
    memory, shares = answer["memory"], answer["time_breakdown"]
    if memory is not None:
        parts = [memory[f"{part}_gb"] for part in ("weights", "gradients", "optimizer", "activations", "other")]
        if abs(sum(parts) - memory["per_gpu_gb"]) > _SHARES_ROUNDING * memory["per_gpu_gb"] or min(parts) < 0:
            yield f"memory parts {parts} of {memory['per_gpu_gb']}"
    if shares is not None and (abs(sum(shares.values()) - 1) > _SHARES_ROUNDING or min(shares.values()) < 0):
        yield f"shares of a step {shares}"


def _of_option(option: Mapping[str, Any], what: str) -> Iterator[str]:
    # A row that cannot be run tells why, and nothing that is null.
    days = (option.get("training_days_low"), option.get("training_days"), option.get("training_days_high"))
    yield from _ordered(*days, f"{what} days")


def _of_plan(answer: Mapping[str, Any]) -> Iterator[str]:
    yield from _of_estimate(answer["estimate"])
    options = [answer["solution"], answer["sure_solution"], *answer["alternatives"]]
    for index, option in enumerate(option for option in options if option is not None):
        yield from _of_option(option, f"option {index}")
        yield from _of_spread(option["cost_usd"], f"option {index} cost")


def _of_comparison(answer: Mapping[str, Any]) -> Iterator[str]:
    for index, row in enumerate(answer["rows"]):
        yield from _of_option(row, f"row {index}")
        costs = (row.get("cost_usd_low"), row.get("cost_usd"), row.get("cost_usd_high"))
        yield from _ordered(*costs, f"row {index} cost")
        rank, reason = row.get("rank"), row.get("reason")
        if (rank is None) == (reason is None):
            yield f"row {index} has rank {rank} and reason {reason}"
        if (row.get("model_flops_utilization") or 0) > 1:
            yield f"row {index} has MFU {row['model_flops_utilization']}"


def _of_check(answer: Mapping[str, Any]) -> Iterator[str]:
    yield from _ordered(answer["expected_low"], answer["expected"], answer["expected_high"], "expected")
    yield from _ordered(
        answer["remaining_days_low"], answer["remaining_days"], answer["remaining_days_high"], "remaining_days"
    )
    # Of sequences whose length was assumed, only what the shortest would hold is sure.
    assumed = any(warning["code"] == "sequence_length_assumed" for warning in answer["warnings"])
    told = next((one["value"] for one in answer["assumptions"] if one["name"] == "sequence_length"), _LONGEST_SEQUENCE)
    surely = min(1.0, SHORTEST_SEQUENCE / float(told)) if assumed else 1.0
    if surely * answer["observed"] > answer["ceiling"]["tokens_per_second"] * (1 + _ROUNDING) and (
        answer["verdict"] != "implausible"
    ):
        yield f"{answer['verdict']} above the ceiling"
    shares = answer["time_breakdown"]
    if shares is not None and abs(sum(shares.values()) - 1) > _SHARES_ROUNDING:
        yield f"shares of a step {shares}"


_OF_TOOL = {
    "estimate_training_time": _of_estimate,
    "plan_training": _of_plan,
    "compare_training_options": _of_comparison,
    "check_training_speed": _of_check,
}
