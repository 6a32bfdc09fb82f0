"""What a trainer's code does with an architecture on a chip, at a release: which attention, norms, and which experts.

Authority: the code itself. Transformers 4.57 and 5: `_supports_sdpa` of its models (Gemma 2's capped scores and
gpt-oss's sinks have none), `get_correct_experts_implementation` (`grouped_mm` from 5.0 on); PyTorch's `sdp_utils.cpp`
(FlashAttention wants values as wide as keys, and Ampere), `grouped_mm` (Ampere and later).
"""

import pytest

from estimator.models.workload import workload
from estimator.physics.choice import setting_of
from estimator.physics.execution import Execution, execution_of
from estimator.question.request import Request
from estimator.resolve.run import resolve

_WITHOUT = ("no flash attention", "unfused attention")


def _execution(framework: str, model: str, gpu: str) -> Execution:
    request = Request(model=model, gpu=gpu, n_gpus=1, tokens="10M", sequence_length=2048, framework=framework)
    run = resolve(request)
    assert run.question is not None
    return execution_of(run.question, run.stack)


@pytest.mark.parametrize(
    ("framework", "model", "gpu", "kernel"),
    [
        ("HF Trainer", "llama-3.1-8b", "A100 80GB", "flash_2"),
        ("HF Trainer", "gemma-2-9b", "A100 80GB", "unfused"),
        ("TRL", "gemma-2-2b", "RTX 4090", "unfused"),
        ("LLaMA-Factory", "gemma-2-9b", "T4", "unfused"),
        ("HF Trainer, flash attention 2", "gemma-2-9b", "A100 80GB", "flash_2"),
        ("Axolotl", "gemma-2-9b", "A100 80GB", "flash_2"),
        ("HF Trainer", "gemma-3-4b", "A100 80GB", "flash_2"),
        ("HF Trainer", "gpt-oss-20b", "H100", "unfused"),
        ("HF Trainer, flash attention 3", "gpt-oss-20b", "H100", "flash_3"),
        ("HF Trainer", "deepseek-v2-lite", "A100 80GB", "memory_efficient"),
        ("HF Trainer, flash attention 2", "deepseek-v2-lite", "A100 80GB", "flash_2"),
        ("Megatron-LM", "deepseek-v2-lite", "H100", "flash_3"),
        ("HF Trainer", "llama-3.1-8b", "T4", "memory_efficient"),
    ],
)
def test_attention_is_what_the_code_chooses(framework: str, model: str, gpu: str, kernel: str) -> None:
    assert _execution(framework, model, gpu).attention == kernel


@pytest.mark.parametrize(
    "stack", ["Megatron-LM", "NeMo", "GPT-NeoX", "Megatron-DeepSpeed", "nanotron", "llm-foundry", "nanoGPT"]
)
def test_attention_code_of_its_own_multiplies_scores_out_without_flash_attention(stack: str) -> None:
    """Only Transformers' and PyTorch's own modules have SDPA's other kernels: MPT's `attn_impl: torch`, Megatron's."""
    denied, said = (_execution(f"{stack}, {words}", "llama-3.1-8b", "A100") for words in _WITHOUT)
    assert denied == said
    assert denied.attention == "unfused"
    assert _execution("HF Trainer, no flash attention", "llama-3.1-8b", "A100").attention == "memory_efficient"


@pytest.mark.parametrize("framework", ["HF Trainer", "PyTorch", "jax", "auto"])
@pytest.mark.parametrize("gpu", ["TPU v3", "TPU v5p", "trainium"])
def test_chips_that_run_compiled_programs_alone_launch_no_kernel_by_itself(framework: str, gpu: str) -> None:
    """PyTorch/XLA and Neuron trace a step and compile it, whoever's model it is."""
    run = _execution(framework, "bert-large", gpu)
    assert (run.launch, run.eager_scores, run.eager_layers, run.loss) == ("compiled", False, False, "compiled")


@pytest.mark.parametrize("model", ["mixtral-8x7b", "qwen3-30b-a3b", "olmoe-1b-7b"])
@pytest.mark.parametrize(
    ("framework", "gpu", "loops"),
    [
        ("HF Trainer, transformers 4.57", "A100 80GB", True),
        ("HF Trainer, transformers 5.17", "A100 80GB", False),
        ("HF Trainer, transformers 5.17", "V100", True),
        ("HF Trainer, transformers 5.17, grouped gemm", "V100", False),
        ("HF Trainer, transformers 5.17, experts in a loop", "A100 80GB", True),
        ("TRL 1.16", "H100", False),
        ("TRL 0.12", "H100", True),
        ("LLaMA-Factory 2024", "A100 80GB", True),
        ("ms-swift, transformers 5.3", "A100 80GB", False),
        ("minimind", "A100 80GB", True),
        ("Unsloth", "T4", False),
        ("Megatron-LM", "H100", False),
    ],
)
def test_experts_are_gone_through_one_by_one_where_the_code_does_so(
    framework: str, gpu: str, model: str, *, loops: bool
) -> None:
    assert _execution(framework, model, gpu).expert_loop == loops


@pytest.mark.parametrize(
    ("framework", "micro_batch", "told", "masked"),
    [
        ("HF Trainer", 4, {}, True),
        ("HF Trainer, group by length", 4, {}, False),
        ("HF Trainer", 1, {}, False),
        ("HF Trainer", 4, {"packing": "packed"}, False),
        ("HF Trainer, flash attention 2", 4, {}, False),
        ("HF Trainer", 4, {"objective": "dpo"}, True),
        ("HF Trainer", 1, {"objective": "dpo"}, True),
        ("LLaMA-Factory", 8, {}, True),
        ("Unsloth", 4, {}, False),
        ("Axolotl", 4, {"packing": "padded"}, False),
        ("litgpt", 4, {}, False),
    ],
)
def test_a_mask_hides_padding_where_there_is_any_and_the_kernel_takes_one(
    framework: str, micro_batch: int, told: dict[str, str], *, masked: bool
) -> None:
    """FlashAttention leaves padding out instead; a sample alone has none, and samples sorted by length hardly any."""
    request = Request(
        model="llama-3.1-8b",
        gpu="A100 80GB",
        n_gpus=1,
        samples="50k",
        tokens_per_sample=400,
        method="lora",
        micro_batch_size=micro_batch,
        framework=framework,
        packing=told.get("packing", "auto"),
        objective=told.get("objective", "auto"),
    )
    run = resolve(request)
    assert run.question is not None
    assert execution_of(run.question, run.stack).masked_rows == masked


@pytest.mark.parametrize(
    ("framework", "model", "held_bytes"),
    [
        ("HF Trainer, transformers 4.57", "mixtral-8x7b", 0.52 * 46.4e9),
        ("HF Trainer, transformers 5.17", "mixtral-8x7b", 2.0 * 45.1e9 + 0.52 * 1.3e9),
        ("TRL 1.16", "mixtral-8x7b", 2.0 * 45.1e9 + 0.52 * 1.3e9),
        ("HF Trainer, transformers 5.17", "llama-3.1-70b", 0.52 * 68.5e9),
        ("Unsloth 2026", "mixtral-8x7b", 0.52 * 46.4e9),
    ],
)
def test_experts_of_a_4_bit_base_stay_whole_where_they_are_one_parameter(
    framework: str, model: str, held_bytes: float
) -> None:
    """`replace_with_bnb_linear` replaces linear modules; Mixtral's experts are 45.1 of its 46.7 billion weights."""
    request = Request(
        model=model, gpu="H200", n_gpus=1, tokens="10M", sequence_length=2048, framework=framework, method="qlora"
    )
    question = resolve(request).question
    assert question is not None
    case = setting_of(question).case
    layers = case.shared_parameters + case.expert_parameters - case.embedding_parameters - case.output_parameters
    assert case.frozen_bytes * layers == pytest.approx(held_bytes, rel=0.02)
    expanded = case.dequantized * layers
    assert expanded == pytest.approx((2.0 * layers - held_bytes) / (2.0 - 0.52), rel=0.02, abs=2e8)


@pytest.mark.parametrize(
    ("framework", "model", "visited"),
    [
        ("HF Trainer, transformers 4.57", "llama-4-scout", 16.0),
        ("TRL 1.16", "llama-4-scout", 16.0),
        ("LLaMA-Factory", "llama-4-maverick", 128.0),
        ("TRL 1.16, grouped experts", "llama-4-scout", 1.0),
        ("torchtune", "llama-4-scout", 1.0),
        ("NeMo", "llama-4-scout", 1.0),
        ("TRL 1.16", "mixtral-8x7b", 2.0),
        ("TRL 1.16", "gpt-oss-20b", 4.0),
    ],
)
def test_transformers_multiplies_all_tokens_with_all_experts_that_weigh_their_inputs(
    framework: str, model: str, visited: float
) -> None:
    """`Llama4TextMoe` repeats its tokens for each expert in 4.57 and in 5.24; the other families send them to some."""
    question = resolve(
        Request(model=model, gpu="H100", n_gpus=8, tokens="10M", sequence_length=2048, framework=framework)
    ).question
    assert question is not None
    ups = [matrix for matrix in setting_of(question).case.matrices if matrix.name == "expert_up"]
    assert [matrix.visits for matrix in ups] == [visited]


@pytest.mark.parametrize(
    ("model", "norms", "of_heads"),
    [
        ("llama-3.1-8b", 0.0, 0.0),
        ("qwen2.5-7b", 0.0, 0.0),
        ("qwen3-8b", 2.0 * 36, 36 * (32 + 8) * 128),
        ("gemma-2-9b", 2.0 * 42, 42 * 2 * 3584),
        ("gemma-3-4b", 4.0 * 34, 34 * (2 * 2560 + (8 + 4) * 256)),
        ("olmo-2-7b", 2.0 * 32, 32 * (32 + 32) * 128),
        ("gpt-j-6b", -1.0 * 28, -28 * 4096),
    ],
)
def test_norms_beyond_two_a_layer_are_those_of_the_models_code(model: str, norms: float, of_heads: int) -> None:
    """Counted in `modeling_*.py`: norms of queries and keys, norms behind attention and MLP, one for both of GPT-J."""
    question = resolve(Request(model=model, gpu="H100", n_gpus=8, tokens="10M", sequence_length=2048)).question
    assert question is not None
    table = workload(question.transformer)
    assert (table.further_norms, table.normed_elements) == (norms, of_heads)


@pytest.mark.parametrize("framework", ["HF Trainer", "TRL", "LLaMA-Factory", "Axolotl", "HF accelerate + FSDP"])
def test_a_general_trainer_is_todays_on_old_cards_too(framework: str) -> None:
    """What its own code holds in memory follows from its release alone, which nobody chose by the card."""
    new, *old = (_execution(framework, "llama-3.1-8b", gpu) for gpu in ("H100", "A100 80GB", "RTX 3090", "V100"))
    for execution in old:
        assert (execution.step_copies, execution.loss_metrics) == (new.step_copies, new.loss_metrics)
    assert _execution(f"{framework}, transformers 4.40 (2024)", "llama-3.1-8b", "A100 80GB").step_copies
