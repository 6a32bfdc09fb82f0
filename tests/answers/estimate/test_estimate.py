"""What `estimate_training_time` answers where the speed is given: time, what follows from it, and what it rests on.

Authorities: the program's contract for names and meanings; published runs and datasheets for figures.
"""

import math
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import UnsupportedModelError
from server.protocol.registry import TOOLS
from server.protocol.tool import Tool

DAY_S = 86_400.0
GOOD: dict[str, Any] = {"model": "llama-3.1-8b", "tokens": "15T", "gpu": "h100-sxm", "n_gpus": 512, "utilization": 0.4}


def _tool() -> Tool:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    return tool


def _answer(**changes: object) -> dict[str, Any]:
    asked = {name: value for name, value in (GOOD | {"detail": "detailed"} | changes).items() if value is not None}
    return _tool().answer(asked).structured


def _assumption(answer: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in answer["assumptions"] if one["name"] == name]
    return dict(found)


def _codes(answer: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in answer["warnings"]]


def test_a_given_utilization_is_the_rule_of_thumb_and_leaves_no_range() -> None:
    """The contract: prediction is off, the range is the point and has no coverage."""
    answer = _answer()
    seconds = 6 * 8_030_261_248 * 15e12 / (512 * 989.4e12 * 0.4)
    assert answer["basis"] == "assumed_utilization"
    assert answer["training_seconds"] == pytest.approx(seconds, rel=1e-9)
    assert answer["training_days"] == answer["training_days_low"] == answer["training_days_high"]
    assert answer["training_days"] == pytest.approx(seconds / DAY_S, rel=1e-9)
    assert answer["interval_coverage"] is None
    assert answer["gpu_hours"] == pytest.approx(512 * seconds / 3600, rel=1e-9)
    assert answer["tokens_per_second_per_gpu"] == pytest.approx(15e12 / seconds / 512, rel=1e-9)
    assert answer["hardware_flops_utilization"] == pytest.approx(0.4)


def test_every_figure_of_one_answer_agrees_with_the_others() -> None:
    """The definitions of MFU, HFU and the coefficient: Korthikanti et al. 2022, section 6."""
    answer = _answer(activation_recompute="full", global_batch_sequences=1024, sequence_length=8192)
    rate = answer["tokens_per_second_per_gpu"]
    peak_flop_per_s = answer["peak_tflops"] * 1e12
    assert answer["coefficient"] == 8
    assert answer["hardware_flops_utilization"] == pytest.approx(rate * answer["flops_per_token"] / peak_flop_per_s)
    assert answer["model_flops_utilization"] == pytest.approx(answer["hardware_flops_utilization"] * 6 / 8)
    assert answer["model_flops"] == pytest.approx(6 / 8 * answer["flops_per_token"] * 15e12)
    assert answer["step_seconds"] == pytest.approx(1024 * 8192 / (rate * 512))


def test_the_rule_of_thumb_stands_beside_every_answer() -> None:
    """The contract: at 0.45, and from 0.55 to 0.30."""
    rule = _answer(utilization=0.2)["rule_of_thumb"]
    assert (rule["coefficient"], rule["utilization"]) == (6, 0.45)
    assert rule["days"] / rule["days_low"] == pytest.approx(0.55 / 0.45)
    assert rule["days_high"] / rule["days"] == pytest.approx(0.45 / 0.30)
    assert rule == _answer(utilization=0.5)["rule_of_thumb"]


def test_a_4090_counts_with_its_tensor_rate_at_fp32_accumulation() -> None:
    """NVIDIA Ada whitepaper, table of GeForce RTX 4090: 165.2; 330.3 is FP16 accumulation, 82.58 the shader rate."""
    answer = _answer(gpu="RTX 4090", n_gpus=8)
    assert answer["peak_tflops"] == pytest.approx(165.2)
    assert "330.3" in answer["peak_note"]
    assert "82.58" in answer["peak_note"]


@pytest.mark.parametrize(
    ("gpu", "peak_tflops", "code"),
    [
        ("RTX 4090", 82.58, "shader_peak_suspected"),
        ("RTX 4090", 330.3, "accumulate_peak_suspected"),
        ("H100", 1979, "sparse_peak_suspected"),
        ("H100", 9999, "peak_implausible"),
        ("H100", 989.4, None),
    ],
)
def test_a_peak_given_by_hand_counts_and_is_recognised(gpu: str, peak_tflops: float, code: str | None) -> None:
    """Datasheets: what is printed for a card beside the rate that training gets."""
    answer = _answer(gpu=gpu, peak_tflops=peak_tflops)
    assert answer["peak_tflops"] == pytest.approx(peak_tflops)
    seconds = 6 * 8_030_261_248 * 15e12 / (512 * peak_tflops * 1e12 * 0.4)
    assert answer["training_seconds"] == pytest.approx(seconds)
    assert _codes(answer) == ([code] if code else [])


def test_a_peak_by_hand_and_the_same_peak_through_utilization_give_one_time() -> None:
    """The formula: only the product of peak and utilization counts."""
    by_hand = _answer(gpu="4090", n_gpus=1, peak_tflops=82.58, utilization=0.45)
    through = _answer(gpu="4090", n_gpus=1, utilization=0.45 * 82.58 / 165.2)
    assert by_hand["training_seconds"] == pytest.approx(through["training_seconds"])


def test_a_card_that_is_not_listed_is_counted_with_its_given_peak_and_said_so() -> None:
    """The contract: `peak_tflops` serves for a card that is not listed."""
    answer = _answer(gpu="Cerberus 9000", n_gpus=1, peak_tflops=100)
    assert answer["training_seconds"] == pytest.approx(6 * 8_030_261_248 * 15e12 / (100e12 * 0.4))
    assert _codes(answer) == ["gpu_not_catalogued"]
    assert answer["energy_kwh"]["value"] is None
    assert answer["cost_usd"]["value"] is None


def test_samples_are_tokens_by_their_length_and_the_times_they_are_seen() -> None:
    """meta-llama/llama issue 973: a million samples of 550 tokens are 5.5e8 tokens an epoch."""
    answer = _answer(tokens=None, samples="1M", tokens_per_sample=550, epochs=3)
    assert answer["training_seconds"] == pytest.approx(_answer(tokens="1.65B")["training_seconds"])
    assert _assumption(answer, "tokens")["value"] == pytest.approx(1.65e9)
    assert _assumption(answer, "packing")["source"] == "default"


def test_samples_longer_than_the_sequence_are_warned_of() -> None:
    """They would be cut, and the tokens with them."""
    answer = _answer(tokens=None, samples="1M", tokens_per_sample=5000, sequence_length=4096)
    assert _codes(answer) == ["samples_longer_than_sequence"]


def test_epochs_of_counted_tokens_multiply_them() -> None:
    """An epoch is one pass over the data."""
    assert _answer(tokens="10B", epochs=2)["training_seconds"] == pytest.approx(
        _answer(tokens="20B")["training_seconds"]
    )


def test_experts_count_by_what_a_token_meets() -> None:
    """Mixtral 8x7B: 12.9B of 46.7B parameters are active (Jiang et al. 2024, section 2.1)."""
    answer = _answer(model="mixtral-8x7b")
    assert _assumption(answer, "parameters")["value"] == pytest.approx(12.9e9, rel=0.002)
    assert "46,702,792,704" in _assumption(answer, "parameters")["note"]


def test_a_size_alone_is_counted_to_the_digit_and_its_architecture_is_said_to_be_inferred() -> None:
    """The contract: a typical architecture of that size is inferred, and said so."""
    answer = _answer(model="7B")
    assert answer["training_seconds"] == pytest.approx(6 * 7e9 * 15e12 / (512 * 989.4e12 * 0.4))
    assert _assumption(answer, "model")["source"] == "inferred"


@pytest.mark.parametrize(
    ("size", "spoken"),
    [
        ("7B", "a 7B model"),
        ("8B", "an 8B model"),
        ("11B", "an 11B model"),
        ("18.5B", "an 18.5B model"),
        ("800M", "an 800M model"),
        ("1.8B", "a 1.8B model"),
        ("110B", "a 110B model"),
        ("180B", "a 180B model"),
    ],
)
def test_a_size_is_named_as_it_is_spoken(size: str, spoken: str) -> None:
    assert spoken in _answer(model=size)["summary"]


def test_a_configuration_is_counted_like_its_preset_and_said_to_be_the_callers() -> None:
    """meta-llama/Llama-3.1-8B, config.json: 8,030,261,248 parameters."""
    config = {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "tie_word_embeddings": False,
        "max_position_embeddings": 131072,
    }
    answer = _answer(model="mine", hf_config=config)
    assert answer["training_seconds"] == pytest.approx(_answer()["training_seconds"], rel=1e-12)
    assert "hf_config" in _assumption(answer, "model")["note"]


@pytest.mark.parametrize(
    "named",
    [
        {"model": "2.8B", "hf_config": {"model_type": "retnet"}},
        {"model": "codet5-6b"},
        {"model": "imagen-diffusion-3b"},
    ],
)
def test_another_architecture_is_answered_by_the_rule_alone_and_warned_of(named: dict[str, Any]) -> None:
    """Never silently treated as one that is modelled."""
    answer = _answer(**named, utilization=None)
    rule = answer["rule_of_thumb"]
    assert _codes(answer) == ["architecture_not_modelled"]
    assert answer["basis"] == "assumed_utilization"
    assert answer["training_days"] == pytest.approx(rule["days"])
    assert answer["training_days_low"] == pytest.approx(rule["days_low"])
    assert answer["training_days_high"] == pytest.approx(rule["days_high"])
    assert answer["layout"] is None


@pytest.mark.parametrize(
    ("model", "kind"),
    [("retnet", "hybrid"), ("salesforce/codet5", "encoder-decoder"), ("imagen", "diffusion")],
)
def test_another_architecture_of_unknown_size_is_refused_as_what_it_is(model: str, kind: str) -> None:
    """The program's scope, as above."""
    with pytest.raises(UnsupportedModelError, match=f"{kind}.*size"):
        _answer(model=model)


def test_a_given_price_is_the_only_price() -> None:
    """Cost is GPU-hours times price."""
    answer = _answer(price_per_gpu_hour="$2")
    cost = answer["cost_usd"]
    assert cost["value"] == cost["low"] == cost["high"] == pytest.approx(2 * answer["gpu_hours"], rel=1e-5)


def test_dated_prices_spread_the_cost_and_are_named() -> None:
    """The contract: price date and source in the note."""
    cost = _answer()["cost_usd"]
    assert cost["low"] < cost["value"] < cost["high"]
    assert "202" in cost["note"]
    assert "providers" in cost["note"]


def test_energy_lies_between_what_the_gpus_alone_must_draw_and_twice_their_rating_with_cooling() -> None:
    """NVIDIA H100 datasheet: 700 W; a DGX H100 is rated 1.82 times its GPUs; sites at most double."""
    answer = _answer()
    rated_kwh = answer["gpu_hours"] * 0.7
    energy = answer["energy_kwh"]
    assert 0.5 * rated_kwh < energy["low"] < energy["value"] < energy["high"] < 2 * 1.82 * rated_kwh


def test_an_ambiguous_name_says_what_it_was_taken_for() -> None:
    """The program's catalogue: an alias of several devices resolves to the commonest, and says so."""
    gpu = _assumption(_answer(gpu="H100"), "gpu")
    assert gpu["value"] == "h100-sxm"
    assert "h100-pcie" in gpu["note"]


def test_what_was_asked_for_in_other_words_has_the_same_id_and_answer() -> None:
    """The contract: the same id means the same answer."""
    one, other = _answer(tokens="15T", n_gpus=512), _answer(tokens=15e12, n_gpus="512", precision="auto")
    assert one["estimate_id"] == other["estimate_id"]
    assert one == other


def test_whatever_changes_the_answer_changes_its_id() -> None:
    """The contract: a hash of the inputs and versions."""
    changes: list[dict[str, Any]] = [
        {},
        {"tokens": "14T"},
        {"n_gpus": 511},
        {"gpu": "h200-sxm"},
        {"gpu": "H100"},
        {"model": "llama-3-8b"},
        {"precision": "fp8"},
        {"utilization": 0.41},
        {"price_per_gpu_hour": 2},
        {"activation_recompute": "full"},
        {"detail": "concise"},
    ]
    assert len({_answer(**change)["estimate_id"] for change in changes}) == len(changes)


def test_every_input_is_among_the_assumptions_once() -> None:
    """Issue 2512 of huggingface/accelerate, What is the batch size of this result?: every default is echoed."""
    asked = {"tensor_parallel": 8, "global_batch_sequences": 1024, "framework": "nemo", "price_per_gpu_hour": 2}
    answer = _answer(**asked, detail="detailed")
    names = [one["name"] for one in answer["assumptions"]]
    assert len(names) == len(set(names))
    assert {
        "model",
        "parameters",
        "tokens",
        "gpu",
        "precision",
        "peak_tflops",
        "n_gpus",
        "gpus_per_node",
        "network_gbps_per_gpu",
        "method",
        "sequence_length",
        "global_batch_sequences",
        "tensor_parallel",
        "rule_of_thumb_recompute",
        "framework",
        "utilization",
        "price_per_gpu_hour",
    } <= set(names)


def test_an_answer_keeps_to_the_schema_it_is_advertised_with() -> None:
    """Model Context Protocol: structuredContent must conform to outputSchema."""
    for changes in ({}, {"detail": "detailed"}, {"gpu": "Cerberus 9000", "peak_tflops": 100, "utilization": None}):
        jsonschema.validate(_answer(**changes), _tool().output_schema)


@given(
    model=st.sampled_from(["llama-3.1-8b", "mixtral-8x7b", "gpt-2", "70B", "deepseek-v3"]),
    gpu=st.sampled_from(["h100-sxm", "rtx-4090", "tpu-v5p", "v100-sxm2-16gb"]),
    n_gpus=st.integers(1, 100_000),
    tokens=st.floats(1e3, 1e15),
    utilization=st.floats(0.01, 1.0),
)
def test_time_and_all_that_follows_from_it_is_finite_positive_and_in_proportion(
    model: str, gpu: str, n_gpus: int, tokens: float, utilization: float
) -> None:
    """The formula: linear in tokens, falling with GPUs and utilization."""
    asked: dict[str, Any] = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "tokens": tokens, "utilization": utilization}
    answer = _answer(**asked)
    for key in ("training_seconds", "training_days", "gpu_hours", "tokens_per_second_per_gpu", "model_flops"):
        assert math.isfinite(answer[key])
        assert answer[key] > 0
    seconds = answer["training_seconds"]
    assert _answer(**asked | {"tokens": 2 * tokens})["training_seconds"] == pytest.approx(2 * seconds)
    assert _answer(**asked | {"n_gpus": 2 * n_gpus})["training_seconds"] == pytest.approx(seconds / 2)
    assert _answer(**asked | {"utilization": utilization / 2})["training_seconds"] == pytest.approx(2 * seconds)


@pytest.mark.parametrize("gpu", ["h100-sxm", "t4", "apple-m3-max"])
def test_an_observed_speed_is_not_warned_of_with_what_only_a_prediction_rests_on(gpu: str) -> None:
    seen = {"utilization": None, "gpu": gpu, "n_gpus": 1, "model": "gpt-2", "tokens": "1B"}
    predicted, observed = _answer(**seen), _answer(**seen, observed_tokens_per_second=2000)
    assert set(_codes(observed)) < set(_codes(predicted))
    assert not {"tuned_stack_assumed", "framework_unsaid", "unseen_device_family", "opinions_part"} & set(
        _codes(observed)
    )
