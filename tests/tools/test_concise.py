"""A concise answer is short, and loses nothing that a person asks about first.

Authority: the program's contract: at most 4,500 characters of compact JSON for an estimate, 6,000 for a plan and 8,000
for a comparison of ten rows; every key of a detailed answer, with shorter lists.
"""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, cast

import pytest

from server.protocol.registry import TOOLS
from tests.places import ROOT
from tests.tools.varied_questions import COMPARISONS, ESTIMATES, PLANS
from tools.concise import clipped, first_clause, shortened, without_asides

HEADLINES = (
    "basis",
    "training_seconds",
    "training_days",
    "training_days_low",
    "training_days_high",
    "gpu_hours",
    "tokens_per_second_per_gpu",
    "step_seconds",
    "model_flops",
    "coefficient",
    "flops_per_token",
    "model_flops_utilization",
    "formula",
    "layout",
    "summary",
)
ASKED_FIRST = (
    "dataset",
    "encoders_in_step",
    "framework",
    "global_batch_sequences",
    "image_size",
    "micro_batch_size",
    "model",
    "my_runs",
    "network_gbps_per_gpu",
    "objective",
    "packing",
    "padded_length",
    "precision",
    "published_run",
    "sequence_length",
    "trained_layers",
    "trained_parts",
)
"""What was assumed of these is told, save what the caller said in the same words."""


def _answer(tool: str, asked: dict[str, Any], detail: str = "concise") -> dict[str, Any]:
    found = TOOLS.tool(tool)
    assert found is not None
    return found.answer({**asked, "detail": detail}).structured


def _estimate(kind: str, detail: str = "concise") -> dict[str, Any]:
    return _answer("estimate_training_time", ESTIMATES[kind], detail)


def _characters(answer: dict[str, Any]) -> int:
    return len(json.dumps(answer, separators=(",", ":")))


def _same(short: Any, full: Any) -> bool:  # noqa: ANN401 - any JSON
    """Return whether a concise answer tells what a detailed one does: a number to the digits that are read."""
    return bool(short == (pytest.approx(full, rel=5e-5) if isinstance(full, float) else full))


def _floats(value: object) -> Iterator[float]:
    """Yield the numbers of an answer that are no counts, those that callers may have said themselves left out."""
    if isinstance(value, dict) and "source" not in value:
        for inner in cast("dict[str, Any]", value).values():
            yield from _floats(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _floats(inner)
    elif isinstance(value, float) and not (value.is_integer() and abs(value) < 2**53):
        yield value


@pytest.mark.parametrize("kind", ESTIMATES)
def test_a_concise_answer_has_no_digits_that_nobody_reads(kind: str) -> None:
    """No range is known to three; whole numbers are counts, and stay."""
    found = [*_floats(_estimate(kind))]
    assert found
    assert all(value == float(f"{value:.5g}") for value in found)


def _named(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {told["name"]: told for told in answer["assumptions"]}


@pytest.mark.parametrize("kind", ESTIMATES)
def test_a_concise_estimate_is_affordable_and_detailed_tells_the_rest(kind: str) -> None:
    concise, detailed = _estimate(kind), _estimate(kind, "detailed")
    assert _characters(concise) <= 4_500
    assert list(concise) == list(detailed)
    assert all(_same(concise[key], detailed[key]) for key in HEADLINES)
    assert [warning["code"] for warning in concise["warnings"]] == [warning["code"] for warning in detailed["warnings"]]
    assert concise["comparable_runs"] == detailed["comparable_runs"][: len(concise["comparable_runs"])]
    assert concise["narrow_by"] == [told for told in detailed["narrow_by"] if told in concise["narrow_by"]]


@pytest.mark.parametrize("kind", ESTIMATES)
def test_what_a_summary_asks_for_is_told_of(kind: str) -> None:
    """However long the answer: what it would narrow, and by how much, is why it is asked for."""
    answer = _estimate(kind)
    named = re.search(r"To narrow the range, say (\w+) first", answer["summary"])
    assert named is None or named[1] in {told["argument"] for told in answer["narrow_by"]}


@pytest.mark.parametrize("kind", ESTIMATES)
def test_what_a_person_asks_about_first_is_told(kind: str) -> None:
    concise, detailed = _named(_estimate(kind)), _named(_estimate(kind, "detailed"))
    nodes = detailed["n_gpus"]["value"] > detailed.get("gpus_per_node", {"value": 1})["value"]
    for name in ASKED_FIRST:
        told = detailed.get(name)
        if told is None or told["source"] == "searched" or (told["source"] == "user" and not _explains(told)):
            continue
        if name == "network_gbps_per_gpu" and not nodes:
            continue
        if name == "sequence_length" and "padded_length" in concise:
            continue
        if name == "micro_batch_size" and told["source"] == "catalogue":
            continue
        assert name in concise
        assert concise[name]["source"] == told["source"]
        assert concise[name]["value"] == (pytest.approx(told["value"]) if _is_number(told) else told["value"])
        assert concise[name]["note"].rstrip(" …") in told["note"] or "(" in told["note"]


def _explains(told: dict[str, Any]) -> bool:
    """Return whether the note of what a caller said tells more than the name of it."""
    return bool(told["note"]) and told["name"] != "model"


def _is_number(told: dict[str, Any]) -> bool:
    return isinstance(told["value"], int | float)


@pytest.mark.parametrize("kind", ESTIMATES)
def test_the_summary_says_what_the_answer_rests_on(kind: str) -> None:
    answer = _estimate(kind)
    evidence, summary = answer["evidence"], answer["summary"]
    if answer["basis"] == "predicted":
        runs = f"{evidence['runs']:,} published run{'s' if evidence['runs'] > 1 else ''} of {evidence['labs']} lab"
        assert (runs if evidence["runs"] else "no published run like it") in summary
    memory = answer["memory"]
    assert summary.startswith("Does not fit") == (memory is not None and not memory["fits"])


@pytest.mark.parametrize("asked", PLANS)
def test_a_concise_plan_is_affordable_and_keeps_an_alternative(asked: dict[str, Any]) -> None:
    concise, detailed = (_answer("plan_training", asked, detail) for detail in ("concise", "detailed"))
    assert _characters(concise) <= 6_000
    assert list(concise) == list(detailed)
    assert list(concise["estimate"]) == list(detailed["estimate"])
    assert concise["summary"] == detailed["summary"]
    assert concise["estimate"]["layout"] == detailed["estimate"]["layout"]
    assert min(1, len(detailed["alternatives"])) <= len(concise["alternatives"]) <= len(detailed["alternatives"])
    for name in ("framework", "precision", "global_batch_sequences"):
        told = _named(detailed["estimate"]).get(name)
        if told is not None and told["source"] in {"default", "inferred"}:
            assert name in _named(concise["estimate"])


@pytest.mark.parametrize("asked", COMPARISONS)
def test_a_concise_comparison_of_ten_rows_is_affordable(asked: dict[str, Any]) -> None:
    concise, detailed = (_answer("compare_training_options", asked, detail) for detail in ("concise", "detailed"))
    assert len(concise["rows"]) == 10
    assert _characters(concise) <= 8_000
    assert list(concise) == list(detailed)
    for short, full in zip(concise["rows"], detailed["rows"], strict=True):
        assert short["rank"] == full["rank"]
        if short["rank"] is not None:
            assert short["training_days"] == pytest.approx(full["training_days"], rel=5e-5)
        assert short.get("layout") == full.get("layout")


def test_a_warning_of_some_options_says_of_which() -> None:
    """QLoRA's may work in turn and LoRA's not."""
    asked = {"models": ["llama-3.1-8b"], "gpus": ["h100"], "n_gpus": [8], "tokens": ["100M"]}
    both = _answer("compare_training_options", {**asked, "methods": ["lora", "qlora"]}, "detailed")
    alone = {
        warning["message"]
        for method in ("lora", "qlora")
        for warning in _answer("compare_training_options", {**asked, "methods": [method]}, "detailed")["warnings"]
    }
    told = [warning["message"] for warning in both["warnings"]]
    of_one = re.compile(r"^(?:lora|qlora)(?: \(likewise (?:lora|qlora), with other numbers\))?: ")
    assert any(of_one.match(message) for message in told)
    # Of those that differ in their numbers one is told.
    assert {of_one.sub("", message) for message in told} <= alone
    assert {re.sub(r"\d", "", of_one.sub("", message)) for message in told} == {re.sub(r"\d", "", one) for one in alone}


def test_an_answer_stays_affordable_however_much_is_said_of_the_software() -> None:
    words = ", ".join(f"wonder kernel {number}" for number in range(40))
    asked = {**ESTIMATES["padded samples"], "framework": words}
    assert _characters(_answer("estimate_training_time", asked)) <= 4_500


def test_a_note_is_cut_where_its_reasons_begin() -> None:
    assert first_clause("usual with trl; padding grows with it; state yours") == "usual with trl"
    assert without_asides("TDP 700 W × 0.8 drawn (0.6 to 0.95) × PUE 1.2 (1.08 to 1.56); both ends") == (
        "TDP 700 W × 0.8 drawn × PUE 1.2"
    )
    assert clipped("short", 10) == "short"
    assert clipped("one, two and three", 12) == "one, two …"


NOTHING_TO_DO = frozenset(
    {
        "few_runs_of_its_kind",
        "framework_not_understood",
        "gpu_not_catalogued",
        "kind_not_measured",
        "local_updates",
        "mostly_waiting",
        "shader_peak_suspected",
        "unseen_device_family",
        "unseen_length",
    }
)
"""Warnings whose last words say what the range or the number rests on, where no argument would mend it."""
ACTS = re.compile(r"\b(?:say|give|meant|name|check|torchrun)\b|(?:framework|gpu|n_gpus|method|precision) [\"'\d]")


QUESTIONS = tuple(
    call["arguments"]
    for name in ("cases", "others")
    for case in json.loads((ROOT / "tests" / "questions" / f"{name}.json").read_text(encoding="utf-8"))
    for call in case["calls"]
    if call["tool"] == "estimate_training_time"
)
"""What people asked, with the answers that they found."""
CUT = {
    "model": "Qwen2.5-7B",
    "gpu": "A100",
    "n_gpus": 16,
    "samples": "42000",
    "tokens_per_sample": "1100",
    "sequence_length": 1024,
    "objective": "dpo",
}
UNKNOWN = "wonder kernel 7, my own fork of everything, DeepSpeed ZeRO-3, device_map auto, eager attention"
CROWDED = (
    {**CUT, "framework": "TRL DPOTrainer, DeepSpeed ZeRO-3"},
    {**CUT, "framework": f"TRL DPOTrainer, {UNKNOWN}"},
    {**ESTIMATES["LoRA at home"], "model": "Qwen/Qwen3-30B-A3B", "gpu": "h200", "n_gpus": 32}
    | {"framework": f"HF Trainer + PEFT, {UNKNOWN}"},
)
"""Of which more is to be told than an answer has room for."""
WARNED = (*ESTIMATES.values(), *QUESTIONS, *CROWDED)


def _warned() -> dict[str, list[str]]:
    messages: dict[str, list[str]] = {}
    for asked in WARNED:
        for warning in _answer("estimate_training_time", asked, "detailed")["warnings"]:
            messages.setdefault(warning["code"], []).append(warning["message"])
    return messages


def _is_of_whole_clauses(short: str, message: str) -> bool:
    """Return whether each part of a shortened warning begins and ends where a clause of the whole one does."""
    return all(
        re.search(rf"(?:^|[;:] ){re.escape(part)}(?:[;:] |$)", message) is not None for part in short.split(" … ")
    )


def _first_clause_of(message: str) -> str:
    return re.split(r"(?<=[;:]) (?![^(]*\))", message.partition("; or ")[0])[0]


def _last_clause(message: str) -> str:
    return re.split(r"(?<=[;:]) (?![^(]*\))", message.partition("; or ")[0])[-1]


def test_a_warning_that_is_shortened_keeps_what_to_do() -> None:
    """At any length, and shortened again: what is so at its front, what to do at its end, each clause whole or gone."""
    lengths = (250, 220, 180, 150, 130, 110, 90, 60)
    for code, messages in _warned().items():
        for message in messages:
            remedy = _last_clause(message)
            assert code in NOTHING_TO_DO or ACTS.search(remedy), message
            again = message
            for longest in lengths:
                again = shortened(again, longest)
                for short in (again, shortened(message, longest)):
                    assert len(short) <= max(longest, len(_first_clause_of(message)) + len(remedy) + 3)
                    assert remedy in short, longest
                    assert short.startswith(_first_clause_of(message).rstrip(";: "))
                    assert _is_of_whole_clauses(short, message), short
                    assert short.count('"') % 2 == 0, short
                    assert short.count("(") == short.count(")"), short
            assert all(
                len(shortened(message, more)) >= len(shortened(message, less)) for more, less in pairwise(lengths)
            )


@pytest.mark.parametrize("asked", [*ESTIMATES.values(), *CROWDED], ids=json.dumps)
def test_a_warning_of_a_concise_answer_is_never_cut_within_a_clause(asked: dict[str, Any]) -> None:
    """`longer than the sequence of … give another` tells neither the number nor what is so."""
    concise, detailed = (_answer("estimate_training_time", asked, detail) for detail in ("concise", "detailed"))
    assert _characters(concise) <= 4_500
    for short, full in zip(concise["warnings"], detailed["warnings"], strict=True):
        if full["code"] != "does_not_fit":
            assert _is_of_whole_clauses(short["message"], full["message"])
            assert short["message"].startswith(_first_clause_of(full["message"]).rstrip(";: "))


def test_of_the_clauses_between_those_with_figures_are_kept_first() -> None:
    message = "rows are cut; as most are; 82% of their tokens are trained on: give sequence_length"
    assert shortened(message, 75) == "rows are cut … 82% of their tokens are trained on: give sequence_length"
    assert shortened(message, 40) == "rows are cut … give sequence_length"
    assert shortened("a step takes 73.0 times as long over 25 Gb/s a node: say yours", 10) == (
        "a step takes 73.0 times as long over 25 Gb/s a node: say yours"
    )


@pytest.mark.parametrize("kind", ESTIMATES)
def test_warnings_of_a_concise_answer_end_in_what_to_do(kind: str) -> None:
    concise, detailed = _estimate(kind), _estimate(kind, "detailed")
    for short, full in zip(concise["warnings"], detailed["warnings"], strict=True):
        if full["code"] != "does_not_fit":
            assert _last_clause(full["message"]) in short["message"]


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 1, "tokens": "1B"},
        {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 8, "tokens": "100M"},
        *(asked for kind, asked in ESTIMATES.items() if "room" in kind),
        {"model": "deepseek-v3", "gpu": "h100", "n_gpus": 64, "tokens": "1T"},
        {"model": "llama-3.1-8b", "gpu": "rtx 4090", "n_gpus": 1, "tokens": "1B", "framework": "HF Trainer, " * 20},
    ],
    ids=json.dumps,
)
def test_all_that_would_make_a_run_fit_is_told_however_long_the_answer(asked: dict[str, Any]) -> None:
    """What is left out of it is what is to be known of each way."""
    short, full = (
        next(
            warning["message"]
            for warning in _answer("estimate_training_time", asked, detail)["warnings"]
            if warning["code"] == "does_not_fit"
        )
        for detail in ("concise", "detailed")
    )
    ways = full.partition("first: ")[2].split("; or ")
    assert ways[0]
    assert [way.partition(" (")[0] for way in short.partition("first: ")[2].split("; or ")] == [
        way.partition(" (")[0] for way in ways
    ]
