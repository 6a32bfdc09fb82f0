"""FLOPs against published formulae and PyTorch's own counter."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.catalogue import catalogue
from estimator.models.feed_forward import Experts
from estimator.models.flops import flop_counts
from estimator.models.mixers.softmax import LatentAttention
from estimator.models.parameters import lora_parameters, parameter_counts
from estimator.models.training import Method, MethodName
from estimator.models.transformer import Transformer
from estimator.models.typical import typical_transformer
from tests.places import PUBLISHED

_WITHIN = 1e-3
_TORCH: dict[str, Any] = json.loads((PUBLISHED / "torch_flops.json").read_text(encoding="utf-8"))

# Narayanan et al. 2021, table 1: model, layers, hidden size.
_NARAYANAN = [
    ("megatron-gpt-1.7b", 24, 2304),
    ("megatron-gpt-3.6b", 30, 3072),
    ("megatron-gpt-7.5b", 36, 4096),
    ("megatron-gpt-18b", 40, 6144),
    ("megatron-gpt-39b", 48, 8192),
    ("megatron-gpt-76b", 60, 10240),
    ("megatron-gpt-145b", 80, 12288),
    ("megatron-gpt-310b", 96, 16384),
    ("megatron-gpt-530b", 105, 20480),
    ("megatron-gpt-1t", 128, 25600),
]


def _torch_model(name: str) -> Transformer:
    facts = dict(_TORCH["models"][name]["architecture"])
    latent, experts = facts.pop("latent", None), facts.pop("experts", None)
    return Transformer(
        id=name,
        name=name,
        latent=LatentAttention(**latent) if latent else None,
        experts=Experts(**experts) if experts else None,
        **facts,
    )


@pytest.mark.parametrize(("model_id", "layers", "hidden"), _NARAYANAN)
def test_flops_equal_megatrons_published_formula(model_id: str, layers: int, hidden: int) -> None:
    """Authority: Narayanan et al. 2021, section 5.1: 96·B·s·l·h²·(1 + s/6h + V/16lh), full recomputation."""
    length, vocab = 2048, 51_200
    published = 96 * length * layers * hidden**2 * (1 + length / (6 * hidden) + vocab / (16 * layers * hidden))
    transformer = catalogue.model(model_id).transformer
    counts = flop_counts(transformer, sequence_length=length, recompute="full", causal=False)
    assert counts.hardware * length == pytest.approx(published, rel=_WITHIN)


@pytest.mark.parametrize("name", _TORCH["models"])
def test_flops_equal_what_pytorch_counts(name: str) -> None:
    """Authority: torch.utils.flop_counter, see scripts/reference_flops."""
    counted = _TORCH["models"][name]
    transformer = _torch_model(name)
    tokens = _TORCH["sequence_length"] * _TORCH["batch"]
    counts = flop_counts(transformer, sequence_length=_TORCH["sequence_length"], causal=False)
    assert parameter_counts(transformer).total == counted["parameters"]
    assert counts.forward * tokens == pytest.approx(counted["forward_flop"], rel=_WITHIN)
    assert counts.backward * tokens == pytest.approx(counted["backward_flop"], rel=_WITHIN)


@pytest.mark.parametrize(
    ("causal", "gflop_per_token"),
    [(False, 57.9), (True, 51.5)],
)
def test_the_two_conventions_differ_as_published(causal: bool, gflop_per_token: float) -> None:
    """Authority: Llama 3 8B at 8,192 tokens as torchtitan (whole square) and Megatron-Bridge 25.09 (half) report it."""
    counts = flop_counts(catalogue.model("llama-3-8b").transformer, sequence_length=8192, causal=causal)
    assert counts.model / 1e9 == pytest.approx(gflop_per_token, abs=0.05)


def test_selective_recomputation_repeats_attention_alone() -> None:
    """Authority: Korthikanti et al. 2022, section 5: 4·s·h a layer, about 2.7 % of GPT-3's forward pass."""
    transformer = catalogue.model("megatron-gpt-175b").transformer
    counts = flop_counts(transformer, sequence_length=2048, recompute="selective", causal=False)
    assert counts.recompute == 4 * 2048 * 12_288 * 96
    assert counts.recompute / counts.forward == pytest.approx(0.027, abs=0.001)


_SIZES = st.floats(min_value=6.5, max_value=12.0).map(lambda power: typical_transformer(10.0**power))
_LENGTHS = st.integers(min_value=1, max_value=1_000_000)


@given(_SIZES, _LENGTHS, st.integers(min_value=2, max_value=9))
def test_flops_are_linear_in_layers(transformer: Transformer, length: int, factor: int) -> None:
    """Every layer is alike; only the logits come once."""
    once = flop_counts(transformer, sequence_length=length)
    deeper = flop_counts(replace(transformer, n_layers=factor * transformer.n_layers), sequence_length=length)
    logits = once.of_part("logits")
    assert deeper.model - logits == pytest.approx(factor * (once.model - logits), rel=1e-9)


@given(_SIZES, _LENGTHS)
def test_recomputing_more_executes_more_and_changes_nothing_the_model_needs(
    transformer: Transformer, length: int
) -> None:
    none, selective, full = (
        flop_counts(transformer, sequence_length=length, recompute=kind) for kind in ("none", "selective", "full")
    )
    assert 0 < none.hardware < selective.hardware < full.hardware
    assert none.model == selective.model == full.model
    assert full.hardware <= 4 / 3 * full.model


@given(_SIZES, _LENGTHS, st.integers(min_value=1, max_value=1_000_000))
def test_a_longer_sequence_never_costs_less_a_token(transformer: Transformer, length: int, more: int) -> None:
    shorter, longer = (flop_counts(transformer, sequence_length=n).model for n in (length, length + more))
    assert longer > shorter


@given(_SIZES, _LENGTHS)
def test_a_window_never_costs_more_than_seeing_everything(transformer: Transformer, length: int) -> None:
    windowed = replace(transformer, sliding_window=512, windowed_layers=transformer.n_layers)
    assert flop_counts(windowed, sequence_length=length).model <= flop_counts(transformer, sequence_length=length).model


def test_a_frozen_base_saves_the_gradients_of_its_weights() -> None:
    """Authority: 2 of 6 FLOPs a weight are its own gradient (Kaplan et al. 2020, section 2.1)."""
    transformer = catalogue.model("llama-3.1-8b").transformer
    full = flop_counts(transformer, sequence_length=1024)
    frozen = flop_counts(transformer, sequence_length=1024, method=Method(name="frozen"))
    weights = sum(one.weight_gradient for one in full.operations)
    assert frozen.model == pytest.approx(full.model - weights, rel=1e-12)


def test_a_whole_model_left_trainable_costs_what_full_training_costs() -> None:
    transformer = catalogue.model("llama-3.1-8b").transformer
    everything = Method(name="frozen", trainable_parameters=float(parameter_counts(transformer).total))
    full = flop_counts(transformer, sequence_length=1024)
    assert flop_counts(transformer, sequence_length=1024, method=everything).model == pytest.approx(full.model)


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_adapters_cost_six_flops_a_weight_beside_the_frozen_base(method: MethodName) -> None:
    """Authority: Hu et al. 2021, section 4: adapters are trained in full, the base is not."""
    transformer = catalogue.model("llama-3.1-8b").transformer
    frozen = flop_counts(transformer, sequence_length=1024, method=Method(name="frozen"))
    adapted = flop_counts(transformer, sequence_length=1024, method=Method(name=method, lora_rank=32))
    assert adapted.model - frozen.model == pytest.approx(6 * lora_parameters(transformer, 32), rel=1e-9)


def test_a_given_count_of_trained_parameters_sets_the_adapters_cost() -> None:
    transformer = catalogue.model("llama-3.1-8b").transformer
    by_rank = Method(name="lora", lora_rank=16)
    by_count = Method(name="lora", lora_rank=8, trainable_parameters=41_943_040.0)
    assert flop_counts(transformer, sequence_length=1024, method=by_count).model == pytest.approx(
        flop_counts(transformer, sequence_length=1024, method=by_rank).model, rel=1e-12
    )


def test_idle_experts_cost_nothing() -> None:
    """Twice as many experts, as many visited: only the router grows."""
    transformer = catalogue.model("mixtral-8x7b").transformer
    assert transformer.experts is not None
    more = replace(transformer, experts=replace(transformer.experts, n_experts=16))
    router = 6 * transformer.hidden * 8 * transformer.n_layers
    gap = flop_counts(more, sequence_length=2048).model - flop_counts(transformer, sequence_length=2048).model
    assert gap == pytest.approx(router, rel=1e-6)
