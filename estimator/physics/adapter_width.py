"""In what precision adapters lie beside a frozen base, and what of that is not quantised: FP32, or BF16."""

from estimator.models.kinds import kind_of
from estimator.models.training import WITH_ADAPTERS, MethodName
from estimator.models.transformer import Transformer
from estimator.physics.effects import trainer_release
from estimator.physics.stacks import Stack
from estimator.question.practice import Practice
from estimator.question.question import Question

__all__ = ["has_pefts_adapters", "is_prepared_by_peft", "keeps_wide_weights", "upcasts_ends"]

_PREPARED_BY_PEFT = frozenset({"huggingface", "trl", "fastchat", "open-instruct"})
"""Trainers that hand a quantised base to PEFT's `prepare_model_for_kbit_training`, which casts all the rest to FP32,
but not beside GPTQ's; others cast it back, or never do."""
_WITH_PEFT = frozenset({"llama-cookbook", "openrlhf", "verl", "xtuner"})
"""Trainers beside those on Transformers' own whose adapters are PEFT's; Unsloth has kernels of its own for them."""
_IN_BF16 = frozenset({"bf16", "checkpoint"})
_CASTS = frozenset({"llama-factory"})
"""Trainers that cast what learns to FP32 unless told `pure_bf16` (`cast_trainable_params_to_fp32`)."""
_ACCELERATE_CASTS = frozenset({"fsdp", "fsdp2"})
"""Engines whose weights Accelerate casts to FP32 where training is in mixed precision."""
_PREPARED_FORMATS = frozenset({None, "bitsandbytes", "gptq"})
"""Of bases that trainers hand to it; None where no format was said, which is bitsandbytes'."""
_FOUR_BITS, _EIGHT_BITS = 4, 8
_TRL_CASTS_SINCE = 2023.97
"""TRL 0.7.6, whose trainers call `peft_module_casting_to_bf16` beside a base of 4 bits where training is in BF16:
embedding and output layer are in BF16 again, and adapters with them …"""
_TRL_LEAVES_ADAPTERS = (2024.43, 2025.94)
"""… but not those of 0.9 to 0.25, whose function names no adapters. From 0.26 on trainers cast whatever learns and have
PEFT prepare nothing."""


def has_pefts_adapters(stack: Stack, said: Practice) -> bool:
    """Return whether adapters are PEFT's modules, not the trainer's own."""
    return not said.own_adapters and (stack.kin == "huggingface" or stack.name in _WITH_PEFT)


def is_prepared_by_peft(transformer: Transformer | None, method: MethodName, said: Practice) -> bool:
    """Return whether trainers on Transformers hand the base to PEFT to be prepared, which turns checkpointing on.

    They do so of a base that is loaded in 4 or 8 bits: `prepare_model_for_kbit_training`, until 0.3
    `prepare_model_for_int8_training`, both with `use_gradient_checkpointing=True` unless told. Scripts for denoisers
    freeze a base and call neither.
    """
    if method == "qlora":
        return True
    if method not in WITH_ADAPTERS or said.base_bits not in {_FOUR_BITS, _EIGHT_BITS}:
        return False
    denoises = transformer is not None and kind_of(transformer) == "diffusion"
    return said.dequantization in _PREPARED_FORMATS and not denoises


def keeps_wide_weights(
    question: Question, stack: Stack, said: Practice, base_bits: int | None, *, engine: bool
) -> bool:
    """Return whether what learns, and the optimizer's moments of it, are kept in FP32.

    DeepSpeed's BF16 `engine` keeps them so whatever the trainer loads; others train what is loaded as it is, but for
    those that cast it. PEFT makes adapters in FP32, however a base is loaded (`autocast_adapter_dtype`), and TRL casts
    them.
    """
    if question.practice.master_weights is not None:
        return question.practice.master_weights
    if question.method.name in WITH_ADAPTERS and has_pefts_adapters(stack, said):
        first, until = _TRL_LEAVES_ADAPTERS
        cast = _is_cast_by_trl(question, stack, base_bits) and not first <= trainer_release(question) < until
        return engine or not cast
    loaded = question.practice.loaded_in
    if loaded in _IN_BF16 and _trains_as_loaded(question, stack, said):
        return engine
    loads_wide = loaded == "fp32" and question.method.name not in WITH_ADAPTERS and stack.tunes
    return engine or loads_wide or said.master_weights is not False


def _trains_as_loaded(question: Question, stack: Stack, said: Practice) -> bool:
    """Return whether what a model is loaded in is what its weights learn in, where DeepSpeed's engine has none."""
    if question.method.name in WITH_ADAPTERS or not stack.tunes or stack.name in _CASTS:
        return False
    return stack.kin != "huggingface" or said.zero_engine not in _ACCELERATE_CASTS


def upcasts_ends(question: Question, stack: Stack, said: Practice, base_bits: int | None) -> bool:
    """Return whether embedding, output layer and residual stream are in FP32 beside a quantised base."""
    prepared = stack.name in _PREPARED_BY_PEFT and said.dequantization in {None, "bitsandbytes"}
    if base_bits is None or not prepared or said.master_weights is False:
        return False
    return not _is_cast_by_trl(question, stack, base_bits)


def _is_cast_by_trl(question: Question, stack: Stack, base_bits: int | None) -> bool:
    bf16 = base_bits == _FOUR_BITS and question.precision == "bf16"
    return stack.name == "trl" and bf16 and trainer_release(question) >= _TRL_CASTS_SINCE
