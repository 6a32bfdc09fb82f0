"""How runs on each stack do a step unless they are told otherwise, at its current release.

Read in the projects' own defaults, example configurations and benchmark recipes; where these differ, what examples do
wins over what an unset flag does, for that is what people run. What is not uniform on a stack is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from estimator.question.practice import NOTHING_SAID, Practice

__all__ = [
    "ACCUMULATED",
    "HABITS",
    "MICRO_BATCHES",
    "OWN_LENGTHS",
    "PAIR_LIMITS",
    "SAMPLE_LIMITS",
    "TUNED_BY_DEFAULT",
    "TUNING_HABITS",
    "UNACCUMULATED",
    "TuningScript",
]

_ON_DEVICE = Practice(
    optimizer="adamw",
    master_weights=True,
    offload_optimizer=False,
    offload_parameters=False,
    offload_activations=False,
    padding="longest",
    stages_alone=False,
)
_MEGATRON = replace(
    _ON_DEVICE,
    attention="flash_3",
    fused_kernels=True,
    launch="eager",
    fused_loss=False,
    experts="grouped",
    overlap=True,
    tensor_overlap=True,
    packing="packed",
)
"""Transformer Engine's layers, cuDNN attention, distributed optimizer with overlap. Its cross-entropy is fused, but
over logits that are whole in memory (`--cross-entropy-loss-fusion`)."""
_NEMO = replace(_MEGATRON, fused_loss=True)
_MEGATRON_DEEPSPEED = replace(_MEGATRON, attention="flash_2", experts="loop", overlap=None, tensor_overlap=False)
"""ZeRO-1 under a pipeline reduces gradients after the last backward pass; ZeRO-3 prefetches and overlaps."""
_XLA = replace(_MEGATRON, launch="compiled", tensor_overlap=None, channels_last=True)
"""One compiled program, which lays pictures out as its chip reads them; XLA's latency-hiding scheduler overlaps
collectives; attention is a kernel for the chip: Splash on TPUs, cuDNN on GPUs."""
_TORCH = replace(
    _ON_DEVICE,
    attention="sdpa",
    launch="eager",
    fused_loss=False,
    experts="loop",
    overlap=True,
    tensor_overlap=False,
)
"""Plain PyTorch 2: SDPA's flash kernels, DDP's and FSDP's own overlap. How many kernels a layer is made of is the
model's: trainers that write their own have a few (`F.rms_norm`, one for the rotary embedding)."""
_COMPILED = replace(_TORCH, launch="compiled", fused_kernels=True, packing="packed")
_HUGGINGFACE = replace(_TORCH, fused_kernels=False, experts="grouped", packing="padded")
"""Transformers' Trainer: SDPA since 4.36 (a padding mask makes it choose its memory-efficient kernel), whole logits,
`grouped_mm` over all experts since 5.0, the data collator pads to the longest sample."""
_TEMPLATES = replace(_HUGGINGFACE, attention="flash_2")

HABITS: Mapping[str, Practice] = MappingProxyType(
    {
        "nemo": _NEMO,
        "automodel": replace(_MEGATRON, tensor_overlap=None),
        # Submissions capture whole iterations.
        "mlperf": replace(_NEMO, launch="graphs", channels_last=True, gathers_masked=True),
        "megatron": _MEGATRON,
        "megatron-deepspeed": _MEGATRON_DEEPSPEED,
        # An engine: packing is the trainer's, experts are those of Transformers' models.
        "deepspeed": replace(_TORCH, experts="grouped", tensor_overlap=None),
        # Its recipes offload layers' inputs (remat_policy custom) and tile the vocabulary where that is what it takes.
        "maxtext": replace(_XLA, fused_loss=True, offload_activations=True),
        "jax": replace(_XLA, attention="flash_2"),
        "torchtitan": replace(_TORCH, experts="grouped", packing="packed"),  # compile is off in its configurations
        "fsdp": _TORCH,
        # MegaBlocks; MPT's loss is FlashAttention's kernel (loss_fn fused_crossentropy); Composer's recipes for
        # pictures have channels last, and its BERT predicts masked tokens alone.
        "llm-foundry": replace(
            _TORCH,
            fused_kernels=True,
            experts="grouped",
            packing="packed",
            channels_last=True,
            gathers_masked=True,
        ),
        # Its `GroupedMLP` calls grouped_gemm (src/nanotron/nn/moe.py).
        "nanotron": replace(_TORCH, fused_kernels=True, experts="grouped", packing="packed"),
        "lightning": _TORCH,
        # Its recipes load, train and step in BF16.
        "torchtune": replace(_TORCH, fused_loss=True, experts="grouped", packing="padded", master_weights=False),
        # Transformers 5 loads a checkpoint as it is stored, which is in BF16, and trains it so.
        "huggingface": replace(_HUGGINGFACE, master_weights=False),
        "pytorch": _TORCH,
        "nanogpt": _COMPILED,
        # C hosts launch in a microsecond, so that kernels never wait: nearest to a graph.
        "llm.c": replace(_MEGATRON, launch="graphs", experts=None, tensor_overlap=None),
        "llmq": replace(_MEGATRON, launch="graphs", fused_loss=True, experts=None, tensor_overlap=None),
        "neuron": replace(_XLA, attention="flash_2"),
        # SFTConfig: packing False, loss_type chunked_nll.
        "trl": replace(_HUGGINGFACE, fused_loss=True),
        # Its examples: flash_attention, adamw_bnb_8bit, `sample_packing: true` in two of three (155 of 225 in 2026);
        # `bf16: auto` loads weights in BF16.
        "axolotl": replace(_TEMPLATES, optimizer="adamw_8bit", master_weights=False, packing="packed"),
        "llama-factory": _HUGGINGFACE,
        "ms-swift": _HUGGINGFACE,
        # Its notebooks: use_gradient_checkpointing "unsloth" keeps activations in host memory; adamw_8bit; Triton
        # kernels for norms, rotary embedding, activations, LoRA and cross-entropy; full fine-tuning is in BF16.
        "unsloth": Practice(
            attention="flash_2",
            fused_kernels=True,
            launch="eager",
            fused_loss=True,
            experts="grouped",
            optimizer="adamw_8bit",
            master_weights=False,
            offload_optimizer=False,
            offload_parameters=False,
            offload_activations=True,
            packing="padded",
            # Since December 2025 its trainer pads nothing of text-only models unless told (`padding_free`).
            padding="none",
            stages_alone=False,
            dequantization="bitsandbytes",
        ),
        "xtuner": replace(_TEMPLATES, packing="packed"),  # pack_to_max_length
        "openrlhf": replace(_TEMPLATES, packing="packed"),  # --packing_samples in its scripts
        "deepspeed-chat": replace(_HUGGINGFACE, attention="unfused", experts="loop"),  # Transformers of 2023
        "verl": replace(_TEMPLATES, packing="packed"),  # use_remove_padding
        "open-instruct": _TEMPLATES,
        "llama-cookbook": replace(_HUGGINGFACE, packing="packed"),  # batching_strategy
        # padding="max_length" in fastchat/train/train.py; Transformers 4
        "fastchat": replace(_TEMPLATES, experts="loop", padding="limit"),
        # Gradients of its fused attention fall back to separate products; its trainer sorts samples by length before it
        # makes batches of them (`iterate_batches`). Weights are trained in the precision that they are loaded in.
        "mlx": replace(
            _TORCH,
            attention="unfused",
            fused_kernels=True,
            launch="compiled",
            experts="grouped",
            packing="padded",
            padding="alike",
            master_weights=False,
            dequantization="fused",  # `quantized_matmul` expands tiles where they are multiplied
        ),
        # DeepSeek-AI 2024 (V3), sections 3.2.1 and 3.2.2: kernels of their own send tokens, behind another micro-batch.
        "hai-llm": replace(_MEGATRON, tensor_overlap=False, dispatcher="deepep", exchange_overlap=True),
        "internevo": replace(_MEGATRON, attention="flash_2", tensor_overlap=False),
        "mindspeed": replace(_MEGATRON, tensor_overlap=False),  # --use-ascend-mc2 is an option
        "primus": replace(_MEGATRON, tensor_overlap=False),
        "litgpt": _COMPILED,
        # MegaBlocks' grouped products (megatron/model/moe_mlp.py).
        "gpt-neox": replace(_MEGATRON_DEEPSPEED, experts="grouped"),
        "olmo-core": replace(_COMPILED, experts="grouped"),
        "levanter": replace(_XLA, attention="flash_2", fused_loss=True),  # blockwise cross-entropy
        "easylm": replace(_XLA, attention="unfused"),  # scan_attention is off
        "mesh-transformer-jax": replace(_XLA, attention="unfused", overlap=None, experts=None),
        "colossal-ai": replace(_MEGATRON, attention="flash_2", tensor_overlap=False),
        "metaseq": replace(_MEGATRON_DEEPSPEED, experts=None, overlap=True),
        "paddlenlp": replace(_MEGATRON, attention="flash_2", tensor_overlap=False),
        "optimum-habana": replace(
            # Its lazy mode traces each step in Python; graphs are captured where they are asked for. `run_lora_clm.py`
            # pads all samples to one shape, `max_seq_length`, unless told `--dataset_concatenation`.
            _HUGGINGFACE,
            fused_kernels=True,
            padding="limit",
            channels_last=True,
        ),
        "torch-xla": _XLA,
        # FlashAttention 3 on Hopper, Muon for matrices, torch.compile of the whole model.
        "nanochat": replace(_COMPILED, attention="flash_3", optimizer="muon"),
        "modded-nanogpt": replace(_COMPILED, attention="flash_3", optimizer="muon"),
        # Its data sets pad to max_length; its own model goes through experts one by one.
        "minimind": replace(_HUGGINGFACE, experts="loop", padding="limit"),
        "tinygrad": replace(_TORCH, attention="unfused", launch="graphs", packing=None),
        "unknown": NOTHING_SAID,
    }
)
"""By stack; `unknown` has no habit that is known."""

TUNING_HABITS: Mapping[str, Practice] = MappingProxyType(
    {
        # Its scripts of fine-tuning (litgpt/finetune) compile nothing, pad to the longest of a micro-batch, and work
        # the loss out in chunks; its norms, rotary embedding and adapters are several kernels each.
        "litgpt": replace(_TORCH, fused_kernels=False, fused_loss=True, packing="padded"),
    }
)
"""Where a stack's scripts of fine-tuning do a step otherwise than those of pre-training."""

MICRO_BATCHES: Mapping[str, int] = MappingProxyType(
    {
        "huggingface": 8,  # TrainingArguments: per_device_train_batch_size
        "optimum-habana": 8,
        "trl": 4,  # between its default, 8, and its documentation's 2 × 8 accumulated
        "axolotl": 2,
        "unsloth": 2,  # its notebooks
        "llama-factory": 1,  # its examples
        "ms-swift": 1,
        "open-instruct": 1,
        "xtuner": 1,
        "fastchat": 2,
        "openrlhf": 2,
        "torchtune": 2,
        "litgpt": 4,  # TrainArgs.micro_batch_size of its finetune scripts
        "minimind": 32,
        # Scripts on bare engines: Stanford Alpaca's 4 × 8 accumulated on four devices has been copied most.
        "unknown": 4,
        **dict.fromkeys(("deepspeed", "deepspeed-chat", "fsdp", "llama-cookbook", "lightning", "mlx"), 4),
        **dict.fromkeys(("pytorch", "tinygrad", "verl"), 4),
    }
)
"""Sequences of a micro-batch, as defaults and examples have it, by stack that trains on padded samples."""

ACCUMULATED: Mapping[str, int] = MappingProxyType(
    {
        "trl": 2,
        "axolotl": 4,  # in most of its examples
        "unsloth": 4,
        "llama-factory": 8,
        "ms-swift": 16,
        "torchtune": 8,
        "xtuner": 16,
    }
)
"""Micro-batches of a step in the same examples; 1 elsewhere."""

UNACCUMULATED = frozenset(
    {
        # gradient_accumulation_steps of Transformers' TrainingArguments, and of what is built on them
        *("huggingface", "trl", "axolotl", "unsloth", "llama-factory", "fastchat"),
        "deepspeed",  # of its configuration, where that has a micro-batch alone
        "lightning",  # accumulate_grad_batches
        "llama-cookbook",  # gradient_accumulation_steps of train_config
        "mlx",  # grad_accumulation_steps of mlx_lm.lora
    }
)
"""Trainers that accumulate one micro-batch unless they are told; elsewhere recipes tell, or a batch in all."""

PAIR_LIMITS: Mapping[str, float] = MappingProxyType(
    {
        "trl": 1024.0,  # max_length of DPOConfig, ORPOConfig, CPOConfig and RewardConfig
        "unsloth": 1024.0,  # max_length of its notebooks for DPO and ORPO
        "llama-factory": 2048.0,  # cutoff_len
    }
)
"""Tokens at which trainers cut each answer of a pair, with its prompt, unless told."""

SAMPLE_LIMITS: Mapping[str, float] = MappingProxyType(
    {
        "trl": 1024.0,  # max_length of SFTConfig
        "unsloth": 2048.0,  # max_seq_length of its notebooks
        "llama-factory": 2048.0,  # cutoff_len
        "openrlhf": 2048.0,  # --max_len
        "mlx": 2048.0,  # max_seq_length of mlx-lm
        "optimum-habana": 512.0,  # max_seq_length of run_lora_clm
        # What scripts and commands set: 512 in Alpaca's, 2,048 in most, as ms-swift's examples do.
        **dict.fromkeys(("huggingface", "ms-swift", "deepspeed", "fsdp", "pytorch", "lightning", "unknown"), 2048.0),
    }
)
"""The same of other samples; whoever has longer ones raises it."""

OWN_LENGTHS: Mapping[str, tuple[tuple[float, int], ...]] = MappingProxyType(
    {
        # block_size of config/train_shakespeare_char.py, whose model has 10.7M parameters, and of train.py.
        "nanogpt": ((2e7, 256), (float("inf"), 1024)),
        "llm.c": ((float("inf"), 1024),),  # -t of train_gpt2cu
        "modded-nanogpt": ((float("inf"), 1024),),  # of its first records; then documents, in windows that are shorter
        "nanochat": ((float("inf"), 2048),),  # max_seq_len of base_train
    }
)
"""Tokens of a sequence in the one script that everybody runs of a stack, up to so many parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningScript:
    """What a trainer's one script of adapters sets unless told."""

    rank: int
    layers: int
    """At the top, beside which adapters lie; where there are fewer, beside all."""
    batch: int
    """Samples of a step, of all devices together."""


TUNED_BY_DEFAULT: Mapping[str, TuningScript] = MappingProxyType(
    {
        # CONFIG_DEFAULTS of mlx_lm.lora: rank 8 in lora_parameters, num_layers, batch_size.
        "mlx": TuningScript(rank=8, layers=16, batch=4),
    }
)
"""By stack that is run by its command line; where people write scripts or copy notebooks, these set what they will."""
