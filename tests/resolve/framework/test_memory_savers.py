"""Words for what saves memory in fine-tuning, and for how cards are plugged in: understood, and with their effect.

Authority: torchtune's recipe of an 8B on one card of 24 GB (8B_full_single_device: optimizer_in_bwd, a paged 8-bit
Adam); Lv et al. 2023 (LOMO) and 2024 (AdaLomo); Zhao et al. 2024 (GaLore), algorithm 2; Jacobs et al. 2023 (Ulysses);
Rajbhandari et al. 2021 (ZeRO-Infinity); PCI-SIG's rates of a lane.
"""

from itertools import pairwise
from typing import Any

import pytest

from estimator.resolve.framework.named import named_framework
from tools.estimate_training_time import estimate_training_time

WORDS = [
    ("torchtune, optimizer_in_bwd: True", {"releases_gradients": True}),
    ("torchtune, optimizer in backward", {"releases_gradients": True}),
    ("torchtune, optimizer_in_bwd: False", {"releases_gradients": False}),
    ("HF Trainer, LOMO", {"releases_gradients": True, "optimizer": "sgd"}),
    ("HF Trainer, optim adalomo", {"releases_gradients": True, "optimizer": "adafactor"}),
    ("HF Trainer, galore_adamw_8bit", {"optimizer": "low_rank_8bit"}),
    ("HF Trainer, GaLore + AdamW", {"optimizer": "low_rank"}),
    ("HF Trainer, adamw_8bit, APOLLO", {"optimizer": "low_rank_8bit"}),
    ("HF Trainer, GaLore (8-bit)", {"optimizer": "low_rank_8bit", "base_bits": None}),
    ("GaLore 8-bit per-layer weight updates", {"optimizer": "low_rank_8bit", "releases_gradients": True}),
    ("LLaMA-Factory, GaLore, layerwise", {"optimizer": "low_rank", "releases_gradients": True}),
    ("galore_adamw_8bit_layerwise", {"optimizer": "low_rank_8bit", "releases_gradients": True}),
    ("torchtune, per layer updates", {"releases_gradients": True}),
    ("torchtune, no per-layer weight updates", {"releases_gradients": False}),
    ("HF Trainer, layerwise", {"releases_gradients": None}),
    ("LLaMA-Factory, galore_adamw_layerwise", {"optimizer": "low_rank", "releases_gradients": True}),
    ("LLaMA-Factory, APOLLO", {"optimizer": "low_rank"}),
    ("megatron, document masks, variable-length, varlen attention, doc masking", {"packing": None}),
    ("DeepSpeed fused transformer kernel", {"fused_kernels": True}),
    ("HF Trainer, hqq", {"base_bits": 4, "dequantization": "quanto"}),
    ("DeepSpeed ZeRO-3, NVMe offload", {"offload_optimizer": True, "states_on_disk": True}),
    ("axolotl, sequence parallel", {"splits_sequences": True}),
    ("ms-swift, Ulysses", {"splits_sequences": True}),
    ("HF Trainer, no context parallelism", {"splits_sequences": False}),
    ("axolotl, PCIe x4", {"pcie_lanes": 4, "pcie_generation": None}),
    ("axolotl, PCIe 3.0 x8 risers", {"pcie_lanes": 8, "pcie_generation": 3}),
    ("axolotl, PCIe gen 4", {"pcie_lanes": None, "pcie_generation": 4}),
    ("axolotl, NVLink bridge", {"bridged": True}),
]
PAIR: dict[str, Any] = {
    "model": "llama-3.2-1b",
    "gpu": "rtx-3090",
    "n_gpus": 2,
    "tokens": "10M",
    "sequence_length": 2048,
    "micro_batch_size": 1,
    "global_batch_sequences": 2,
    "data_sharding": "zero3",
}


def _asked(**given: object) -> Any:  # noqa: ANN401 - the tool's own answer
    run: dict[str, Any] = {"detail": "detailed", **given}
    return estimate_training_time(**run)


@pytest.mark.parametrize(("text", "facts"), WORDS)
def test_words_are_understood(text: str, facts: dict[str, object]) -> None:
    found = named_framework(text)
    assert {name: getattr(found.practice, name) for name in facts} == facts
    assert not found.not_understood


def test_an_8b_learns_whole_on_24_gb_once_its_gradients_go_as_they_come() -> None:
    """Nothing is accumulated then: a step is a micro-batch."""
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "rtx-4090", "n_gpus": 1, "tokens": "alpaca"}
    kept, freed = (
        _asked(framework=f"torchtune, paged_adamw_8bit{said}", **asked) for said in ("", ", optimizer_in_bwd")
    )
    assert (kept.memory.fits, freed.memory.fits) == (False, True)
    assert freed.layout.micro_batches == 1


@pytest.mark.parametrize("words", ["sequence parallel", "ring attention", "Ulysses"])
def test_long_sequences_are_shared_where_that_is_said(words: str) -> None:
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "1B"}
    alone, shared = (
        _asked(framework=f"axolotl, flash attention{said}", sequence_length=131_072, **asked)
        for said in ("", f", {words}")
    )
    assert (alone.layout.context_parallel, alone.memory.fits) == (1, False)
    assert shared.layout.context_parallel > 1
    assert shared.memory.fits


def test_sequence_parallelism_of_megatron_opens_no_other_layouts() -> None:
    asked: dict[str, Any] = {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 64, "tokens": "1T"}
    assert (
        _asked(framework="megatron, sequence parallel", **asked).layout == _asked(framework="megatron", **asked).layout
    )


def test_fewer_lanes_and_older_slots_take_no_less_time() -> None:
    """A slot is no faster than the card's own connector, which is one of PCIe 4.0 with 16 lanes."""
    slots = (
        "",
        ", PCIe 5.0 x16",
        ", PCIe 4.0 x16",
        ", PCIe 3.0 x16",
        ", PCIe 3.0 x8",
        ", PCIe 3.0 x4",
        ", PCIe 3.0 x1",
    )
    seconds = [_asked(framework=f"HF Trainer, ZeRO-3{slot}", **PAIR).training_seconds for slot in slots]
    assert seconds[0] == seconds[1] == seconds[2]
    assert all(wide <= narrow for wide, narrow in pairwise(seconds))
    assert seconds[-1] > 1.5 * seconds[0]


def test_a_bridge_helps_cards_that_have_a_connector_for_one() -> None:
    for gpu, helps in (("rtx-3090", True), ("rtx-4090", False)):
        asked = {**PAIR, "gpu": gpu}
        apart, bridged = (_asked(framework=f"HF Trainer, ZeRO-3{said}", **asked) for said in ("", ", NVLink bridge"))
        assert (bridged.training_seconds < apart.training_seconds) is helps
        assert "nvlink_bridge" in {one.name for one in bridged.assumptions}


def test_drives_are_slower_than_the_memory_of_the_host() -> None:
    asked: dict[str, Any] = {"model": "llama-2-7b", "gpu": "a100", "n_gpus": 8, "tokens": "1B"}
    host, drives = (_asked(framework=f"DeepSpeed ZeRO-3, {what} offload", **asked) for what in ("optimizer", "NVMe"))
    assert drives.training_seconds > host.training_seconds
    assert drives.memory.per_gpu_gb == host.memory.per_gpu_gb


def test_moments_of_a_low_rank_take_less_than_whole_ones() -> None:
    asked: dict[str, Any] = {"model": "llama-2-7b", "gpu": "h100", "n_gpus": 1, "tokens": "10M"}
    whole, low = (_asked(framework=f"HF Trainer, pure bf16, {optimizer}", **asked) for optimizer in ("adamw", "galore"))
    assert low.memory.optimizer_gb < whole.memory.optimizer_gb / 4


def test_moments_of_a_low_rank_in_8_bits_take_less_still() -> None:
    asked: dict[str, Any] = {"model": "llama-2-7b", "gpu": "h100", "n_gpus": 1, "tokens": "10M"}
    whole, eight = (_asked(framework=f"HF Trainer, pure bf16, {words}", **asked) for words in ("galore", "galore 8bit"))
    assert eight.memory.optimizer_gb < 0.7 * whole.memory.optimizer_gb


def test_whoever_releases_gradients_keeps_none_when_they_are_sharded() -> None:
    """Lv et al. 2023, table 3: LLaMA 65B on 8 cards of 24 GB, with ZeRO-3, at about 19 GB each."""
    asked: dict[str, Any] = {"model": "llama-65b", "gpu": "3090", "n_gpus": 8, "tokens": "10M", "sequence_length": 1024}
    lomo = _asked(framework="LOMO, DeepSpeed ZeRO-3", micro_batch_size=1, **asked).memory
    assert lomo.fits
    assert 17 < lomo.per_gpu_gb < 24.5
    assert lomo.gradients_gb < 0.5
    # But those of a layer are whole beside its weights.
    assert lomo.other_gb > 2 * 2 * 65e9 / 80 / 1e9


@pytest.mark.parametrize(
    ("model", "named", "parts", "least_gb", "most_gb"),
    [
        # Luo et al. 2024 train Llama 3 8B on one RTX 3090, of 24 GB.
        ("llama-3.1-8b", "LLaMA-Factory, BAdam", "1 at a time", 18.0, 24.4),
        ("llama-3.1-8b", "use_badam: true\nbadam_mode: layer\nbf16: true", "1 at a time", 18.0, 24.4),
        # Pan et al. 2024, table 1: Llama 2 7B with embedding, head and two layers takes about 24 GB.
        ("llama-2-7b", "LMFlow, LISA", "2 at a time, embeddings, head", 20.0, 28.0),
        ("llama-2-7b", "LISA (2 active layers)", "2 at a time, embeddings, head", 20.0, 28.0),
        ("llama-2-7b", "lisa, lisa_activated_layers 1", "1 at a time, embeddings, head", 18.0, 26.0),
        ("llama-2-7b", "LISA with four layers", "4 at a time, embeddings, head", 24.0, 36.0),
        ("llama-2-7b", "use_lisa: true\nlisa_n_layers: 8", "8 at a time, embeddings, head", 30.0, 50.0),
        ("llama-2-7b", "BAdam, blocks of 2 layers", "2 at a time", 16.0, 25.3),
    ],
)
def test_a_few_layers_at_a_time_are_what_is_trained(
    model: str, named: str, parts: str, least_gb: float, most_gb: float
) -> None:
    asked: dict[str, Any] = {"model": model, "gpu": "3090", "n_gpus": 1, "tokens": "10M"}
    answer = _asked(framework=named, sequence_length=1024, micro_batch_size=1, **asked)
    said = {one.name: one.value for one in answer.assumptions}
    assert (said["method"], said["trained_layers"]) == ("frozen", parts)
    assert least_gb < answer.memory.per_gpu_gb < most_gb
    codes = {one.code for one in answer.warnings}
    assert "method_from_framework" in codes
    assert "framework_not_understood" not in codes


@pytest.mark.parametrize(
    "said",
    ["GaLore", "apollo 8-bit", "LOMO", "AdaLomo, gradient checkpointing", "BAdam", "LISA", "paged_adamw", "adamw_8bit"],
)
def test_optimizers_of_one_trainer_are_run_with_it_unless_another_stack_is_named(said: str) -> None:
    """GaLore, APOLLO, LOMO and bitsandbytes' are choices of Transformers' `optim`, of no vendor's stack."""
    assert named_framework(said).name == "huggingface"
    assert named_framework(f"torchtune, {said}").name == "torchtune"
    assert named_framework(f"{said}, FSDP").name == "fsdp"
    assert named_framework(f"Frobnix, {said}").name == "unknown"
    assert named_framework("adamw, gradient checkpointing").name == "auto"
    asked: dict[str, Any] = {"model": "llama-2-7b", "gpu": "a100", "n_gpus": 1, "tokens": "10M"}
    told = next(one for one in _asked(framework=said, **asked).assumptions if one.name == "framework")
    assert (told.value, told.source) == ("huggingface", "inferred")


def test_layers_that_are_named_win_over_a_few_at_a_time() -> None:
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 1, "tokens": "10M", "framework": "BAdam"}
    for given in ({"method": "lora"}, {"method": "frozen", "trained_layers": "4"}):
        answer = _asked(**asked, **given)
        assert "framework_contradicted" in {one.code for one in answer.warnings}
        assert next(one.value for one in answer.assumptions if one.name == "method") == given["method"]


def test_gradients_reach_layers_in_turn_as_deep_as_they_do_on_average() -> None:
    """One of 32 lies half way down on average, and the lower of two two thirds."""
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 1, "tokens": "10M", "method": "frozen"}
    turn, top, middle = (
        _asked(trained_layers=layers, **asked).flops_per_token for layers in ("1 at a time", "1", "16-16")
    )
    assert top < turn == middle
    assert turn < _asked(trained_layers="2 at a time", **asked).flops_per_token


def test_one_layer_is_spoken_of_as_one() -> None:
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 1, "tokens": "10M", "method": "frozen"}
    for layers, learns in (("1", "1 layer learns,"), ("2", "2 layers learn,"), ("1, head", "learn,")):
        answer = _asked(trained_layers=layers, **asked)
        note = next(one.note for one in answer.assumptions if one.name == "trained_layers")
        assert learns in note
        assert "1 layers" not in answer.summary + note
