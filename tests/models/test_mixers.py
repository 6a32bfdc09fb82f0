"""Sequence mixers besides softmax attention: their FLOPs and parameters against PyTorch's own counter."""

import json
from typing import Any

import pytest

from estimator.catalogue import catalogue
from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.operations import Scan
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from tests.places import PUBLISHED

_WITHIN = 5e-3
_TORCH: dict[str, Any] = json.loads((PUBLISHED / "torch_flops_mixers.json").read_text(encoding="utf-8"))
_TOKENS = _TORCH["sequence_length"] * _TORCH["batch"]
_OF_EACH_MIXER = [
    "mamba-130m",
    "mamba2-130m",
    "qwen3.5-0.8b",
    "kimi-linear-48b-a3b",
    "minimax-text-01",
    "lfm2-350m",
    "recurrentgemma-2b",
    "rwkv-4-169m",
    "rwkv-6-1.6b",
    "rwkv-7-0.1b",
    "xlstm-7b",
    "zamba2-2.7b",
]


def _read(name: str) -> Transformer:
    return configured_model(_TORCH["models"][name]["config"]).transformer


@pytest.mark.parametrize("name", _TORCH["models"])
def test_forward_flops_of_a_mixer_equal_what_pytorch_counts(name: str) -> None:
    """Authority: torch.utils.flop_counter over Transformers' classes, and by hand what is hidden from it."""
    counted = _TORCH["models"][name]
    flop = flop_counts(_read(name), sequence_length=_TORCH["sequence_length"], causal=False).forward * _TOKENS
    assert flop == pytest.approx(counted["forward_flop"] + sum(counted["by_hand"].values()), rel=_WITHIN)


@pytest.mark.parametrize("name", ["lightning attention", "RWKV-4", "matrix memory"])
def test_backward_flops_of_a_mixer_equal_what_pytorch_counts(name: str) -> None:
    """Authority: as above; where there are no filters, whose gradients the counter takes for a dense convolution's."""
    counted = _TORCH["models"][name]
    flop = flop_counts(_read(name), sequence_length=_TORCH["sequence_length"], causal=False).backward * _TOKENS
    assert flop == pytest.approx(counted["backward_flop"] + 2 * sum(counted["by_hand"].values()), rel=_WITHIN)


@pytest.mark.parametrize("name", _TORCH["models"])
def test_a_mixers_parameters_are_those_of_its_class(name: str) -> None:
    """Authority: the classes of Transformers, as above."""
    assert parameter_counts(_read(name)).total == _TORCH["models"][name]["parameters"]


@pytest.mark.parametrize("model_id", _OF_EACH_MIXER)
def test_a_scans_cost_does_not_grow_with_the_sequence(model_id: str) -> None:
    """What tells it from attention."""
    transformer = catalogue.model(model_id).transformer
    scans = {scan.name for scan in workload(transformer).scans}
    assert scans
    short, long = (
        {one.name: one.forward for one in flop_counts(transformer, sequence_length=length).operations}
        for length in (2048, 65_536)
    )
    assert {name: short[name] for name in scans} == {name: long[name] for name in scans}


@pytest.mark.parametrize("model_id", _OF_EACH_MIXER)
def test_a_mixer_moves_something_and_needs_something(model_id: str) -> None:
    """A scan of no bytes or no FLOPs would be free."""
    for scan in workload(catalogue.model(model_id).transformer).scans:
        assert scan.elements > 0
        assert scan.flop_per_token() > 0


def test_a_mask_hides_half_of_the_squares_within_chunks() -> None:
    """By hand: 10 layers of 4 FLOPs beside a square of 6."""
    scan = Scan(name="scan", layers=10, matmul_flop=4.0, square_flop=6.0, elements=1.0)
    assert scan.flop_per_token() == 70.0
    assert scan.flop_per_token(causal=False) == 100.0


def test_a_shared_block_is_held_once_and_run_at_each_of_its_places() -> None:
    """Authority: Zamba2 2.7B has two blocks, which nine layers use in turn."""
    gemms = [gemm for gemm in workload(catalogue.model("zamba2-2.7b").transformer).gemms if "shared_qkv" in gemm.name]
    assert sum(gemm.layers for gemm in gemms) == 9
    assert sum(gemm.layers for gemm in gemms if gemm.held) == 2


@pytest.mark.parametrize(("version", "per_state"), [("rwkv-6-1.6b", 7), ("rwkv-7-1.5b", 9)])
def test_rwkv_steps_through_the_states_of_each_head(version: str, per_state: int) -> None:
    """By hand: FLOPs for each of width · head width states, 24 layers of 2,048 in heads of 64."""
    (scan,) = workload(catalogue.model(version).transformer).scans
    assert scan.flop_per_token() == per_state * 2048 * 64 * 24


def test_the_delta_rule_costs_what_its_paper_says() -> None:
    """Authority: Gated DeltaNet, section 3.3, by hand for one head of 128 by 128 in chunks of 64."""
    (scan,) = workload(catalogue.model("qwen3.5-0.8b").transformer).scans
    heads = 16
    squares = 2 * 64 * (2 * 128 + 128 + 128 + 128)
    states, inverse = 6 * 128 * 128, 64 * 64 / 3
    assert scan.square_flop == heads * squares
    assert scan.matmul_flop == pytest.approx(heads * (states + inverse))
