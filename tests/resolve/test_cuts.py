"""At how many tokens samples are cut where nobody tells, and what becomes of their padding.

Authority: SFTConfig's `max_length` of 1,024, LLaMA-Factory's `cutoff_len` of 2,048; Unsloth's release of December 2025,
from which on it pads nothing by itself; TRL's DPOTrainer, which does not pack.
"""

from typing import Any

import pytest

from tools.estimate_training_time import estimate_training_time

RUN: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "h100-sxm",
    "n_gpus": 1,
    "method": "lora",
    "samples": "50k",
    "micro_batch_size": 8,
    "detail": "detailed",
}


def _answer(**changes: object) -> dict[str, Any]:
    asked: dict[str, Any] = RUN | changes
    return estimate_training_time(**asked).model_dump()


def _padded(answer: dict[str, Any]) -> int:
    return int(next(one["value"] for one in answer["assumptions"] if one["name"] == "padded_length"))


@pytest.mark.parametrize(
    ("framework", "mean", "limit"),
    [
        ("trl", 600, 1024),
        ("trl", 760, 1024),
        ("trl", 900, 2048),  # Whoever has longer samples raises it.
        ("trl", 5000, 8192),
        ("llama-factory", 600, 2048),
        ("llama-factory", 1000, 2048),
    ],
)
def test_samples_are_cut_where_the_trainer_cuts_them(framework: str, mean: int, limit: int) -> None:
    unsaid = _answer(framework=framework, tokens_per_sample=mean)
    said = _answer(framework=framework, tokens_per_sample=mean, sequence_length=limit)
    assert _padded(unsaid) == _padded(said) < limit
    assert unsaid["training_days"] == pytest.approx(said["training_days"], rel=0.02)


@pytest.mark.parametrize("framework", ["trl", "llama-factory"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_who_tells_the_longest_sample_has_it_trained_on_whole(framework: str, method: str) -> None:
    asked = {"framework": framework, "method": method, "tokens_per_sample": "mean 900, max 6000"}
    unsaid, said = _answer(**asked), _answer(**asked, sequence_length=6000)
    assert unsaid["training_days"] == pytest.approx(said["training_days"])
    assert unsaid["memory"] == said["memory"]


@pytest.mark.parametrize(("mean", "limit"), [(600, 1024), (1000, 1024), (1500, 2048), (3000, 4096)])
def test_pairs_are_cut_where_the_trainer_cuts_them_unless_most_are_longer(mean: int, limit: int) -> None:
    asked = {"framework": "trl", "objective": "dpo", "tokens_per_sample": mean}
    assert _padded(_answer(**asked)) == _padded(_answer(**asked, sequence_length=limit))


def test_what_is_cut_is_not_said_to_be_padding() -> None:
    asked = {"framework": "trl", "objective": "dpo", "micro_batch_size": 1}
    cut = _answer(**asked, tokens_per_sample="1000", sequence_length=512)["summary"]
    assert "100M tokens" in cut
    assert "once cut" in cut
    assert "with padding" not in cut
    assert "with padding" in _answer(**asked, tokens_per_sample="300")["summary"]


def test_a_trainer_without_a_limit_cuts_nothing() -> None:
    assert _padded(_answer(framework="huggingface", tokens_per_sample=600)) > 1024


def test_a_range_holds_samples_that_are_nearly_alike() -> None:
    """Tasks of one kind have samples that differ by a third."""
    unsaid = _answer(framework="huggingface", tokens_per_sample=400, micro_batch_size=2)
    alike = _answer(framework="huggingface", tokens_per_sample="mean 400, std 140", micro_batch_size=2)
    assert unsaid["training_days_low"] < alike["training_days"] < unsaid["training_days"]


def test_what_is_cut_is_told_with_where() -> None:
    answer = _answer(framework="huggingface", tokens_per_sample="mean 900, std 900", sequence_length=1024)
    message = next(one["message"] for one in answer["warnings"] if one["code"] == "samples_longer_than_sequence")
    assert "samples of 900 tokens on average are cut at 1,024" in message


@pytest.mark.parametrize("release", ["2024.8", "2025.6"])
def test_an_old_unsloth_pads(release: str) -> None:
    old, new = (_answer(framework=name, tokens_per_sample=300) for name in (f"unsloth {release}", "unsloth"))
    assert _padded(old) > 1.5 * _padded(new)


def test_pairs_are_not_packed_by_a_script_that_packs_other_samples() -> None:
    asked = {"tokens_per_sample": 400, "objective": "dpo", "n_gpus": 8, "method": "full", "micro_batch_size": 2}
    plain, script = (_answer(framework=name, **asked) for name in ("TRL", "TRL, alignment-handbook"))
    assert script["training_days"] == plain["training_days"]
    assert "packed_under_a_mask" not in {one["code"] for one in script["warnings"]}


@pytest.mark.parametrize("framework", ["HF Trainer", "DeepSpeed ZeRO-3", "trl", "llama-factory"])
def test_trainers_of_transformers_models_recompute_whole_layers_or_none(framework: str) -> None:
    found = {
        _answer(
            model=model, framework=framework, method="full", n_gpus=8, samples=None, tokens="1B", sequence_length=n
        )["layout"]["activation_recompute"]
        for model in ("llama-3.2-1b", "llama-2-7b", "llama-2-13b")
        for n in (512, 4096)
    }
    assert found <= {"none", "full"}


def test_a_stack_of_ones_own_splits_a_model_where_its_batch_asks_for_it() -> None:
    answer = _answer(
        model="200B", gpu="h100", n_gpus=16_384, samples=None, tokens="12T", method="full", sequence_length=8192,
        global_batch_sequences=2048, micro_batch_size=None, framework="in-house",
    )  # fmt: skip
    layout = answer["layout"]
    assert layout["tensor_parallel"] * layout["pipeline_parallel"] * layout["context_parallel"] >= 8


@pytest.mark.parametrize("framework", ["FSDP HYBRID_SHARD", "torchtitan, HSDP"])
def test_hybrid_shards_stay_in_a_node(framework: str) -> None:
    """Over a slow network a node that has all weights gathers none from elsewhere."""
    asked = {
        "gpu": "a100", "n_gpus": 32, "network_gbps_per_gpu": 6.25, "method": "full", "samples": None, "tokens": "10B",
        "sequence_length": 4096, "global_batch_sequences": 256, "micro_batch_size": 2,
    }  # fmt: skip
    flat = framework.replace(" HYBRID_SHARD", "").replace(", HSDP", "")
    assert (
        _answer(framework=framework, **asked)["training_days"] < 0.7 * _answer(framework=flat, **asked)["training_days"]
    )
