"""Stacks and their habits: complete where they are known, and older releases without what came later.

Authority: the projects' own defaults and example configurations; FlashAttention 3 and cuDNN 9 came in 2024.
"""

from dataclasses import fields

import pytest

from estimator.models.training import MethodName
from estimator.physics.adapter_width import is_prepared_by_peft
from estimator.physics.stacks import NEVER, STACKS
from estimator.question.practice import NOTHING_SAID, Practice

MAY_BE_OPEN = {
    "decomposes_gradients",
    "packing",
    "fused_kernels",
    "experts",
    "overlap",
    "tensor_overlap",
    "zero_engine",
    "dequantization",
    "base_bits",
    "recipe",
    "fp8_recipe",
    # Which library sends tokens to experts, and behind what, is a recipe's.
    "dispatcher",
    "exchange_overlap",
    # Whether experts are made to get as many tokens each is a benchmark's choice.
    "even_routing",
    # Modules that predict further tokens are the model's, and its trainer's choice.
    "prediction",
    # Who recomputes some layers alone counts them for one model on one card.
    "recomputed_share",
    # What encodes pictures and texts before a denoiser is its trainer's, not its stack's.
    "caches_latents",
    "caches_text",
    "caches_large_text",
    # In how many bits it holds a frozen base, and where its blocks lie, too.
    "large_base_bits",
    "swapped_blocks",
    "loaded_in",
    "own_adapters",
    "swaps_one_way",
    "releases_gradients",
    # Who offloads says where to; slots, bridges, networks, memory, shared sequences are one machine's, or one run's.
    "states_on_disk",
    "caches_gradients",
    "splits_sequences",
    "spreads_experts",
    "own_experts",
    "source_limit",
    "target_limit",
    "target_tokens",
    "pcie_lanes",
    "pcie_generation",
    "bridged",
    "network_gbps",
    "network_ports",
    "network_of",
    "transport",
    "host_memory_bytes",
    "host_memory_of",
    "devices",
    "nodes",
    "node_devices",
    "shards_in_node",
    # How pictures lie in memory, and which positions have logits, is so of recipes for pictures and for masked words.
    "channels_last",
    "gathers_masked",
    # Where it is not told how many processes read samples, they are taken to be enough.
    "loader_workers",
    "made_up_samples",
    "stores_frames",
    # A script's own default, of no trainer.
    "expands_base_wide",
    "full_precision",
    "usual_recompute",
    # What a caller says of their own, or one script does.
    "at_defaults",
    "averages_weights",
    "own_stack",
    "padded_to",
    "samples_each",
    "one_process",
    "started_plainly",
    # What is kept of a layer, and how many places experts have, is so of one recipe.
    "recomputed",
    "expert_capacity",
}


@pytest.mark.parametrize("name", STACKS)
def test_a_habit_is_complete_but_for_what_is_not_uniform(name: str) -> None:
    habit = STACKS[name].habit
    if name == "unknown":
        assert habit == NOTHING_SAID
        return
    assert {field.name for field in fields(habit) if getattr(habit, field.name) is None} <= MAY_BE_OPEN


@pytest.mark.parametrize("name", STACKS)
def test_the_kin_of_a_stack_speaks_for_itself(name: str) -> None:
    kin = STACKS[name].kin
    assert STACKS[kin].kin == kin


@pytest.mark.parametrize("name", STACKS)
def test_a_habit_agrees_with_when_things_came(name: str) -> None:
    stack = STACKS[name]
    now = stack.habit_at(2026.9)
    assert now == stack.habit
    if stack.hides_tensor_parallel_since == NEVER:
        assert not stack.habit.tensor_overlap
    if stack.fused_attention_since == NEVER:
        assert stack.habit.attention == "unfused"


def test_an_older_release_lacks_what_came_later() -> None:
    nemo = STACKS["nemo"]
    assert nemo.habit_at(2023.5).attention == "unfused"
    assert not nemo.habit_at(2023.5).fused_loss
    assert not nemo.habit_at(2023.5).tensor_overlap
    assert STACKS["megatron"].habit_at(2023.6).attention == "flash_2"
    assert STACKS["megatron"].habit_at(2023.5).attention == "flash_1"
    assert STACKS["neuron"].habit_at(2023.5).attention == "flash_2"
    assert not STACKS["trl"].habit_at(2025.0).fused_loss


@pytest.mark.parametrize(
    "name",
    ["axolotl", "llama-factory", "ms-swift", "open-instruct", "openrlhf", "torchtune", "trl", "unsloth", "xtuner"],
)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_recipes_of_fine_tuning_checkpoint_however_much_memory_there_is(name: str, method: MethodName) -> None:
    """As their example configurations do; Hugging Face's own trainer and bare engines keep what fits."""
    prepared = is_prepared_by_peft(None, method, NOTHING_SAID)
    assert STACKS[name].recompute_with(prepared=prepared) == "full"
    assert STACKS["huggingface"].recompute_with(prepared=prepared) is None


@pytest.mark.parametrize(
    ("method", "said", "prepared"),
    [
        ("qlora", NOTHING_SAID, True),
        ("qlora", Practice(dequantization="gptq"), True),
        ("lora", Practice(base_bits=4), True),
        ("lora", Practice(base_bits=8), True),
        ("lora", Practice(base_bits=8, dequantization="bitsandbytes"), True),
        ("lora", Practice(base_bits=8, dequantization="quanto"), False),
        ("lora", NOTHING_SAID, False),
        ("full", Practice(base_bits=8), False),
    ],
)
def test_peft_prepares_a_base_that_is_loaded_in_4_or_8_bits(
    method: MethodName, said: Practice, *, prepared: bool
) -> None:
    """`prepare_model_for_kbit_training`, and before it `prepare_model_for_int8_training`, in PEFT's own examples."""
    assert is_prepared_by_peft(None, method, said) == prepared
    assert STACKS["huggingface"].recompute_with(prepared=prepared) == ("full" if prepared else None)
    # It has kernels and a preparation of its own.
    assert STACKS["unsloth"].recompute_with(prepared=prepared) == STACKS["unsloth"].recompute_with()


def test_litgpt_checkpoints_what_it_fine_tunes_on_several_devices() -> None:
    """litgpt/finetune/full.py and lora.py; its pretrain.py and one device keep what fits."""
    assert STACKS["litgpt"].recompute_with(tunes_sharded=True) == "full"
    assert STACKS["litgpt"].recompute_with() is None
    assert STACKS["lightning"].recompute_with(tunes_sharded=True) is None


@pytest.mark.parametrize("name", STACKS)
def test_whoever_checkpoints_alone_does_so_on_several_devices(name: str) -> None:
    stack = STACKS[name]
    if stack.recompute is not None:
        assert stack.recompute_with(tunes_sharded=True) == stack.recompute


@pytest.mark.parametrize(
    "name", ["megatron", "nemo", "gpt-neox", "megatron-deepspeed", "nanotron", "llm-foundry", "llm.c", "nanogpt", "jax"]
)
def test_attention_code_of_a_stacks_own_has_no_kernel_but_flash_attention(name: str) -> None:
    assert not STACKS[name].falls_back_to_sdpa


@pytest.mark.parametrize(
    "name", ["huggingface", "trl", "axolotl", "unsloth", "pytorch", "torchtune", "torchtitan", "litgpt", "openrlhf"]
)
def test_pytorchs_own_and_transformers_models_have_sdpa_besides(name: str) -> None:
    assert STACKS[name].falls_back_to_sdpa
