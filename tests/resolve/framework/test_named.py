"""What people write of their software, read: stack, release, and how it runs a step.

Authority: the wordings of published runs and of questions asked in public; the projects' own names and options;
release dates from their release pages. NVIDIA names its containers by year and month.
"""

import re
from dataclasses import replace
from typing import Any

import pytest

from estimator.physics.stacks import STACKS
from estimator.question.practice import Practice
from estimator.question.request import FRAMEWORK_CHOICES
from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.naming import framework_named_by

ENGINES = {"fsdp": "fsdp", "deepspeed": "deepspeed", "megatron-deepspeed": "deepspeed"}
"""What shards, where a stack's name says it."""
STACK_AND_RELEASE: tuple[tuple[str, str, float | None], ...] = (
    ("MosaicML LLM Foundry/Composer FSDP", "llm-foundry", None),
    ("MosaicML Composer", "llm-foundry", None),
    ("NeMo/Megatron (DGX Cloud Benchmarking)", "nemo", None),
    ("LLMQ (C++/CUDA)", "llmq", None),
    ("MaxText", "maxtext", None),
    ("JAX MaxText", "maxtext", None),
    ("MaxText GPU", "maxtext", None),
    ("Megatron-Bridge (NeMo 26.04.01)", "nemo", 2026.25),
    ("Megatron-Bridge (NeMo 26.06)", "nemo", 2026.417),
    ("Megatron-Bridge (main, Aug 2026)", "nemo", 2026.583),
    ("Megatron-Bridge/Megatron-LM on Isambard-AI", "nemo", None),
    ("NVIDIA NeMo Framework Release 25.09", "nemo", 2025.667),
    ("NeMo 24.03.01", "nemo", 2024.167),
    ("NeMo 24.09-24.12", "nemo", 2024.917),
    ("NeMo Megatron 23.08", "nemo", 2023.583),
    ("nemo-25.09", "nemo", 2025.667),
    ("NVIDIA NEMO", "nemo", None),
    ("PyTorch, NeMo Framework NVIDIA Release 25.04", "nemo", 2025.25),
    ("PyTorch NVIDIA Release 23.09", "mlperf", 2023.667),
    ("NVIDIA NGC Pytorch 25.04 HugeCTR Nemo 25.09, DGL 25.03", "mlperf", 2025.667),
    ("MXNet NVIDIA Release 24.04 or PyTorch NVIDIA Release 24.04", "mlperf", 2024.25),
    ("NVIDIA Release 24.09 MxNet, pytorch, dgl and 23.09 pytorch", "mlperf", 2024.667),
    ("NeMo 2.1.0, Megatron-LM, PyTorch NVIDIA Release 25.09", "mlperf", 2025.667),
    ("LLMBoost 1.2.0 and ROCm 7.0.1", "mlperf", 2025.71),
    ("MLPerf (NeMo)", "mlperf", None),
    ("Megatron-LM", "megatron", None),
    ("Megatron-LM 2021", "megatron", 2021.5),
    ("megatron 2021", "megatron", 2021.5),
    ("Megatron-Core r0.8.0", "megatron", 2024.6),
    ("Megatron-Core 0.12", "megatron", 2025.37),
    ("Megatron-LM 23e00ed0 + TE 2.11 (no comm overlap)", "megatron", 2026.04),
    ("mcore, early 2024", "megatron", 2024.15),
    ("MegaScale", "megatron", None),
    ("Megatron-SWIFT", "megatron", None),
    ("ms-swift with Megatron", "megatron", None),
    ("SageMaker model parallel, ZeRO-3", "fsdp", None),
    ("Megatron-DeepSpeed", "megatron-deepspeed", None),
    ("Megatron/DeepSpeed", "megatron-deepspeed", None),
    ("Megatron-LM + DeepSpeed", "megatron-deepspeed", None),
    ("GPT-NeoX", "gpt-neox", None),
    ("AMD Primus", "primus", None),
    ("Primus (Megatron)", "primus", None),
    ("Primus/FLA", "primus", None),
    ("MindSpeed-LLM (Megatron)", "mindspeed", None),
    ("HAI-LLM DualPipe", "hai-llm", None),
    ("InternEvo", "internevo", None),
    ("Colossal-AI", "colossal-ai", None),
    ("metaseq FSDP+Megatron TP", "metaseq", None),
    ("PaddleNLP", "paddlenlp", None),
    ("HF Trainer", "huggingface", None),
    ("Hugging Face", "huggingface", None),
    ("HF Transformers", "huggingface", None),
    ("HF Trainer (fms-acceleration)", "huggingface", None),
    ("HF accelerate + DeepSpeed", "huggingface", None),
    ("fsdp_qlora (PyTorch FSDP + HF)", "huggingface", None),
    ("transformers 4.3x", "huggingface", 2023.28),
    ("transformers==4.44.2", "huggingface", 2024.6),
    ("QLoRA", "huggingface", None),
    ("Stanford Alpaca", "huggingface", None),
    ("LMFlow", "huggingface", None),
    ("TRL SFTTrainer with packing", "trl", None),
    ("trl 0.7", "trl", 2023.65),
    ("alignment-handbook", "trl", None),
    ("Axolotl, sample packing, fsdp2", "axolotl", None),
    ("LLaMA-Factory (HF Trainer + Liger + FA2)", "llama-factory", None),
    ("ms-swift", "ms-swift", None),
    ("Unsloth", "unsloth", None),
    ("unsloth 2025.6.1", "unsloth", 2025.417),
    ("TRL on top of Unsloth", "unsloth", None),
    ("XTuner", "xtuner", None),
    ("verl (FSDP)", "verl", None),
    ("OpenRLHF", "openrlhf", None),
    ("DeepSpeed-Chat", "deepspeed-chat", None),
    ("DeepSpeed ZeRO-3", "deepspeed", None),
    ("DeepSpeed 0.9", "deepspeed", 2023.28),
    ("NGC PyTorch Release 24.01 Deepspeed N8", "deepspeed", 2024.0),
    ("open-instruct", "open-instruct", None),
    ("FastChat", "fastchat", None),
    ("llama-recipes", "llama-cookbook", None),
    ("Llama Cookbook", "llama-cookbook", None),
    ("Optimum Habana 1.12.1 DeepSpeed 0.14.0", "optimum-habana", 2024.48),
    ("PyTorch FSDP + TE", "fsdp", None),
    ("FSDP2", "fsdp", None),
    ("fms-fsdp", "fsdp", None),
    ("BioNeMo recipes native TE (PyTorch)", "fsdp", None),
    ("NeMo AutoModel (PyTorch FSDP2, TE + DeepEP + FlexAttn)", "automodel", None),
    ("PyTorch", "pytorch", None),
    ("PyTorch 2.6.0a0+gitfc899bf", "pytorch", 2025.08),
    ("PyTorch 2.8.0.dev20251001+rocm7.0.0.git64359f59, ROCm 7.0.0", "pytorch", 2025.6),
    ("torch 2.1", "pytorch", 2023.76),
    ("custom PyTorch (Quack MoE, DeepEP)", "pytorch", None),
    ("modula PyTorch compile", "pytorch", None),
    ("NVIDIA DeepLearningExamples PyTorch 21.06", "pytorch", 2021.417),
    ("timm", "pytorch", None),
    ("timm 0.9.2, torch 2.1", "pytorch", 2023.76),
    ("OpenCLIP (DDP)", "pytorch", None),
    ("torch 2.1 torchvision 0.16", "pytorch", 2023.76),
    ("ESPnet + DeepSpeed", "deepspeed", None),
    ("fairseq (PyTorch DDP)", "pytorch", None),
    ("metaseq", "metaseq", None),
    ("flash-attention training (PyTorch Lightning DDP)", "lightning", None),
    ("pytorch_lightning", "lightning", None),
    ("Lightning Fabric", "lightning", None),
    ("lit-gpt FSDP + FlashAttention-2 + fused kernels", "litgpt", None),
    ("torchtitan 2025.06", "torchtitan", 2025.417),
    ("MaxText 2025Q2", "maxtext", 2025.25),
    ("nvcr.io/nvidia/nemo:25.09", "nemo", 2025.667),
    ("nvcr.io/nvidia/pytorch:24.07-py3", "pytorch", 2024.5),
    ("Llama-Factory 0.9.2 / transformers 4.45 / deepspeed 0.15.1 / torch 2.4", "llama-factory", 2024.62),
    ("llama.cpp finetune", "unknown", None),
    ("torchtitan 2025-06-15", "torchtitan", 2025.417),
    ("prime-rl Mega MoE full AC", "torchtitan", None),
    ("torchtune (compile, chunked CE)", "torchtune", None),
    ("OLMo (PyTorch FSDP)", "olmo-core", None),
    ("OLMo-core", "olmo-core", None),
    ("nanoGPT torch 2.0 compile DDP", "nanogpt", 2023.2),
    ("nanochat (Muon)", "nanochat", None),
    ("modded-nanogpt", "modded-nanogpt", None),
    ("MiniMind", "minimind", None),
    ("llm.c (CUDA, cuDNN FA)", "llm.c", None),
    ("llm.c/PyTorch", "llm.c", None),
    ("nanotron", "nanotron", None),
    ("TinyGrad", "tinygrad", None),
    ("MLX", "mlx", None),
    ("JAX Paxml", "jax", None),
    ("Alpa (JAX)", "jax", None),
    ("JAX/Pathways 2 pods", "jax", None),
    ("Levanter/grug", "levanter", None),
    ("EasyLM (JAX)", "easylm", None),
    ("mesh-transformer-jax (JAX)", "mesh-transformer-jax", None),
    ("torch_xla", "torch-xla", None),
    ("PyTorch/XLA", "torch-xla", None),
    ("torchprime", "torch-xla", None),
    ("AWS Neuron 2.16.0 (nemo-megatron)", "neuron", 2023.97),
    ("AWS Neuron 2.24.0", "neuron", 2025.48),
    ("Meta internal 4D parallel", "megatron", None),
    ("Gigatron (in-house)", "unknown", None),
    ("in-house", "unknown", None),
    ("SuperTrainer 3000, flash-attn 2", "unknown", None),
    ("CUDA 12.3", "auto", None),
    ("ROCm 6.4.0-47", "auto", 2025.28),
    ("flash-attn 2, packing", "auto", None),
    ("auto", "auto", None),
)
FACTS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "HF Trainer + DeepSpeed ZeRO-3, Liger, flash-attn 2, adamw_8bit, cpu offload",
        {
            "attention": "flash_2",
            "fused_kernels": True,
            "fused_loss": True,
            "optimizer": "adamw_8bit",
            "offload_optimizer": True,
            "sharding": "zero3",
            "zero_engine": "deepspeed",
        },
    ),
    ("HF Trainer + DeepSpeed", {"zero_engine": "deepspeed"}),
    ("HF Trainer DDP", {"sharding": "ddp"}),
    (
        "accelerate, FSDP with CPU offload",
        {
            "sharding": "zero3",
            "offload_optimizer": True,
            "offload_parameters": True,
            "zero_engine": "fsdp",
            "stages_alone": False,
        },
    ),
    ("accelerate launch", {"stages_alone": False}),
    ("device_map auto, accelerate", {"stages_alone": True}),
    ("FSDP", {"zero_engine": "fsdp"}),
    ("FSDP full_shard", {"sharding": "zero3", "zero_engine": "fsdp"}),
    ("torchtitan, HSDP", {"sharding": "zero3", "shards_in_node": True}),
    ("FSDP HYBRID_SHARD", {"sharding": "zero3", "zero_engine": "fsdp", "shards_in_node": True}),
    ("Megatron-LM (no comm overlap)", {"overlap": False, "tensor_overlap": False}),
    ("Megatron-LM with overlap_grad_reduce", {"overlap": True}),
    ("nemo, tp_comm_overlap off", {"tensor_overlap": False}),
    ("torchtitan full AC", {"recompute": "full"}),
    ("prime-rl Mega MoE selective AC", {"recompute": "selective", "experts": "grouped"}),
    ("Megatron-LM 2022 (sequence parallel + selective recompute)", {"recompute": "selective"}),
    ("HF Trainer, no gradient checkpointing", {"recompute": "none"}),
    ("HF Trainer, gradient_checkpointing=False", {"recompute": "none"}),
    ("trl, gradient checkpointing with CPU offload", {"recompute": "full", "offload_activations": True}),
    ("use_gradient_checkpointing='unsloth'", {"recompute": "full", "offload_activations": True}),
    ("TRL SFTTrainer with packing", {"packing": "packed"}),
    ("TRL without packing", {"packing": "padded"}),
    ("TRL, packing: false", {"packing": "padded"}),
    ("TRL, packing is not used", {"packing": "padded"}),
    ("TRL, packing=True", {"packing": "packed"}),
    ("ms-swift, padding_free", {"packing": "packed"}),
    ("llama-factory, no padding", {"packing": "packed"}),
    ("HF Trainer w/o flash attention", {"attention": "memory_efficient"}),
    ("HF Trainer 2023, no flash attention", {"attention": "unfused"}),
    ("Megatron-LM, no flash attention", {"attention": "unfused"}),
    ("HF Trainer without flash attention, SDPA", {"attention": "sdpa"}),
    ("attn_implementation=eager", {"attention": "unfused"}),
    ("xformers", {"attention": "memory_efficient"}),
    ("FA3", {"attention": "flash_3"}),
    ("flash-attn 1", {"attention": "flash_1"}),
    ("flash attention v1, HF Trainer", {"attention": "flash_1"}),
    ("llm.c (CUDA, cuDNN FA)", {"attention": "flash_3"}),
    ("torchtune (compile, chunked CE)", {"launch": "compiled", "fused_loss": True}),
    ("torchtitan eager BF16 iso-batch", {"launch": "eager", "precision": "bf16"}),
    ("torchtitan graph MXFP8 CUDA dim1", {"launch": "compiled", "precision": "mxfp8", "fp8_recipe": "mxfp8"}),
    ("torch.compile, no CUDA graphs", {"launch": "compiled"}),
    ("pytorch without torch.compile", {"launch": "eager"}),
    ("nemo, CUDA graphs", {"launch": "graphs"}),
    ("nemo, fp8 current scaling", {"precision": "fp8", "fp8_recipe": "tensorwise"}),
    ("nemo FP8 blockwise", {"precision": "fp8", "fp8_recipe": "blockwise"}),
    ("te, delayed scaling", {"precision": "fp8", "fp8_recipe": "delayed", "fused_kernels": True}),
    ("trl, 4-bit bnb, fp32 compute", {"base_bits": 4, "dequantization": "bitsandbytes", "precision": "fp32"}),
    ("HF, load_in_8bit", {"base_bits": 8}),
    ("HF Trainer, GPTQ int4", {"base_bits": 4, "dequantization": "gptq"}),
    ("HF Trainer, paged_adamw_8bit", {"optimizer": "paged_adamw_8bit"}),
    ("HF Trainer, adamw_torch_fused", {"optimizer": "adamw"}),
    ("HF Trainer, 8-bit Adam", {"optimizer": "adamw_8bit"}),
    ("nanochat (Muon)", {"optimizer": "muon"}),
    ("PyTorch AMP, channels last", {"channels_last": True}),
    ("timm, NCHW", {"channels_last": False}),
    ("PyTorch, masked positions only", {"gathers_masked": True}),
    ("fairseq", {"gathers_masked": True}),
    ("DeepLearningExamples (PyTorch), NHWC", {"gathers_masked": True, "channels_last": True}),
    (
        "DeepSpeed ZeRO-Infinity",
        {"offload_optimizer": True, "offload_parameters": True, "zero_engine": "deepspeed", "sharding": "zero3"},
    ),
    (
        "DeepSpeed, no offload",
        {
            "offload_optimizer": False,
            "offload_parameters": False,
            "offload_activations": False,
            "zero_engine": "deepspeed",
        },
    ),
    ("axolotl without packing or liger", {"packing": "padded", "fused_kernels": False, "fused_loss": False}),
    ("Liger, no fused cross entropy", {"fused_kernels": True, "fused_loss": False}),
    ("HF Trainer, experts in a loop", {"experts": "loop"}),
    ("HF Trainer, grouped GEMM", {"experts": "grouped"}),
    ("custom PyTorch (Quack MoE, DeepEP)", {"experts": "grouped", "dispatcher": "deepep"}),
    ("Megatron-Bridge, HybridEP, a2a overlap", {"dispatcher": "hybridep", "exchange_overlap": True}),
    ("nemo, alltoall dispatcher, no EP overlap", {"dispatcher": "alltoall", "exchange_overlap": False}),
    ("Megatron-LM, forced load balancing", {"even_routing": True}),
    ("Megatron-LM, balanced routing", {"even_routing": True}),
    ("Megatron-LM, no forced load balancing", {"even_routing": False}),
    ("prime-rl, real unbalanced routing", {"even_routing": False}),
    ("nemo, partial CUDA graphs", {"launch": "partial_graphs"}),
    ("fms-fsdp", {"launch": "compiled", "zero_engine": "fsdp"}),
    ("Stanford Alpaca", {"sharding": "zero3", "packing": "padded", "samples_each": 4}),
    ("QLoRA", {"usual_recompute": "full", "base_bits": 4}),
)


def test_where_nothing_is_said_the_tables_would_say_the_same() -> None:
    assert named_framework("auto") == framework_named_by("auto")


@pytest.mark.parametrize(("text", "stack", "released"), STACK_AND_RELEASE)
def test_a_stack_and_its_release_are_found_in_what_people_write(text: str, stack: str, released: float | None) -> None:
    found = named_framework(text)
    assert found.name == stack
    assert found.released == (None if released is None else pytest.approx(released, abs=1e-3))


@pytest.mark.parametrize(("text", "facts"), FACTS)
def test_how_a_step_is_run_is_found_in_what_people_write(text: str, facts: dict[str, Any]) -> None:
    found = named_framework(text)
    layout = {name: facts.get(name) for name in ("sharding", "recompute", "precision")}
    assert {name: getattr(found, name) for name in layout} == layout
    assert found.practice == Practice(**{name: value for name, value in facts.items() if name not in layout})


def test_every_stack_can_be_named_and_names_itself() -> None:
    assert set(FRAMEWORK_CHOICES) == {"auto", *STACKS}
    for name in FRAMEWORK_CHOICES:
        found = named_framework(name)
        assert found.name == name
        # Lightning's examples compute in FP32, which is no habit of a step but of what people leave unsaid.
        assert replace(found.practice, zero_engine=None, full_precision=None) == Practice()
        assert found.practice.zero_engine == ENGINES.get(name)
        assert found.not_understood == ()


@pytest.mark.parametrize(
    ("text", "stack"),
    [
        ("megatorn", "megatron"),
        ("Hugingface", "huggingface"),
        ("deepsped", "deepspeed"),
        ("unslot", "unsloth"),
        ("LLaMA-Factry", "llama-factory"),
        ("axolotol, packing", "axolotl"),
    ],
)
def test_a_misspelt_stack_is_the_nearest_and_says_so(text: str, stack: str) -> None:
    found = named_framework(text)
    assert found.name == stack
    assert "is taken for" in found.note
    assert found.not_understood == ()


@pytest.mark.parametrize("text", ["h100", "A100 80GB", "4090", "", "  ", "8", "???"])
def test_what_is_no_name_names_no_stack(text: str) -> None:
    found = named_framework(text)
    assert found.name == "auto"
    assert found.understood == ()


@pytest.mark.parametrize(
    "text",
    [
        "PyTorch, AMP, channels last",
        "timm, AMP, channels_last",
        "torch.compile, memory_format=torch.channels_last",
        "OpenCLIP, NHWC",
        "ultralytics, AMP",
    ],
)
def test_what_trainers_of_pictures_are_told_is_understood(text: str) -> None:
    named = named_framework(text)
    assert named.name == "pytorch"
    assert not named.not_understood


@pytest.mark.parametrize("text", ["nemo-25.13", "nemo 2.x.y", "megatron foo bar"])
def test_a_known_stack_with_unknown_words_keeps_its_name(text: str) -> None:
    found = named_framework(text)
    assert found.name in {"nemo", "megatron"}
    assert found.released is None
    assert found.not_understood


def test_a_denied_stack_is_not_the_stack() -> None:
    assert named_framework("HF Trainer, no DeepSpeed").name == "huggingface"
    assert named_framework("PyTorch without Lightning").name == "pytorch"


@pytest.mark.parametrize("text", [text for text, _, _ in STACK_AND_RELEASE] + [text for text, _ in FACTS])
def test_hardly_a_word_of_a_real_wording_is_left_over(text: str) -> None:
    """Numbers of machines and of releases aside."""
    known_gaps = {"Gigatron", "SuperTrainer 3000", "N8", "dim1", "llama"}
    left = set(named_framework(text).not_understood) - known_gaps
    assert not [part for part in left if re.search(r"[^\W\d]{3}", part)]


@pytest.mark.parametrize(
    ("texts", "stack", "sharding"),
    [
        (
            "deepspeed zero3 | DeepSpeed ZeRO-3 | DeepSpeed stage 3 | ds_z3_config.json | ds3 | deepspeed, stage 3",
            "deepspeed",
            "zero3",
        ),
        ("deepspeed zero2 | DeepSpeed stage 2 | ds_z2_config.json | ds2", "deepspeed", "zero2"),
        ("deepspeed zero1 | DeepSpeed stage 1 | ds 1", "deepspeed", "zero1"),
        ("DeepSpeed stage 3 offload | ds3 offload | deepspeed zero3 offload", "deepspeed", "zero3"),
        ("HF Trainer, DeepSpeed stage 3 | HF Trainer + ds3 | HF Trainer + DeepSpeed ZeRO-3", "huggingface", "zero3"),
        ("DeepSpeed Ulysses | deepspeed, ulysses | DeepSpeedCPUAdam", "deepspeed", None),
        ("Megatron-FSDP | Megatron-LM, megatron fsdp", "megatron", "zero3"),
    ],
)
def test_the_same_engine_in_other_words_is_the_same_stack(texts: str, stack: str, sharding: str | None) -> None:
    read = [named_framework(text) for text in texts.split(" | ")]
    assert {named.name for named in read} == {stack}
    assert {named.sharding for named in read} == {sharding}
    assert not any(named.not_understood for named in read)
    assert len({named.practice.zero_engine for named in read}) == 1
