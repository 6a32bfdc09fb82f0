"""Files that people give for a model's configuration and that are none: which they are, and what would do."""

from collections.abc import Callable, Mapping
from typing import cast

from estimator.base.errors import InvalidValueError, shown
from estimator.models.huggingface.reading import Config

__all__ = ["refuse_other_files"]

_MODEL = "the model's config.json"
_OF_MODELS = frozenset({"model_type", "architectures", "_class_name"})
_OF_OTHERS = frozenset({"base_model", "peft_type", "per_device_train_batch_size", "zero_optimization"})
"""Keys of files that may say a model's type too: Axolotl's names a class there."""


def refuse_other_files(config: Config) -> None:
    """Raise InvalidValueError for a file of another kind, saying which it is and what to give instead."""
    names = set(config)
    if names & _OF_MODELS and not names & _OF_OTHERS:
        return
    for marks, says in _FILES:
        if any(mark <= names for mark in marks):
            what, instead = says(config)
            raise InvalidValueError("hf_config", f"{{{', '.join(sorted(names)[:3])}, …}}", f"is {what}; {instead}")


Says = Callable[[Config], tuple[str, str]]


def _fixed(what: str, instead: str) -> Says:
    return lambda _: (what, instead)


def _adapter(config: Config) -> tuple[str, str]:
    base, rank = config.get("base_model_name_or_path"), config.get("r")
    of = f" of {shown(base)}" if isinstance(base, str) and base else ""
    ranked = f" and lora_rank {rank}" if type(rank) is int else ""
    kind = str(config.get("peft_type", "LORA"))
    method = "method lora" if "LORA" in kind.upper() else "method frozen with trainable_params"
    return f"an adapter's configuration (adapter_config.json){of}", (
        f"give the base model's config.json as hf_config or its name as model, with {method}{ranked}"
    )


def _training(config: Config) -> tuple[str, str]:
    base = config.get("base_model") or config.get("model_name_or_path") or config.get("model_name")
    of = f" for {shown(base)}" if isinstance(base, str) and base else ""
    return f"a trainer's file{of}", (
        f"name the model as model or give {_MODEL}, and its batch, length and method as arguments"
    )


def _weights(config: Config) -> tuple[str, str]:
    metadata = config.get("metadata")
    size = cast("Config", metadata).get("total_size") if isinstance(metadata, Mapping) else None
    held = f" of {size:,} bytes" if type(size) is int else ""
    return f"an index of weights{held}", f"give {_MODEL}, which lies beside it"


def _marks(*alternatives: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(words.split()) for words in alternatives)


# The first that fits decides; each alternative is a set of keys that such a file has.
_FILES: tuple[tuple[tuple[frozenset[str], ...], Says], ...] = (
    (_marks("peft_type", "base_model_name_or_path", "lora_alpha r", "lora_alpha target_modules"), _adapter),
    (
        _marks("zero_optimization", "train_micro_batch_size_per_gpu", "zero_allow_untested_optimizer"),
        _fixed(
            "a DeepSpeed configuration",
            f"say its ZeRO stage and offloading in framework (DeepSpeed ZeRO-3 with offload), and give {_MODEL}",
        ),
    ),
    (
        _marks("compute_environment", "distributed_type", "fsdp_config", "deepspeed_config_file"),
        _fixed("an Accelerate configuration", f"say its sharding in framework or data_sharding, and give {_MODEL}"),
    ),
    (
        _marks(
            "per_device_train_batch_size", "gradient_accumulation_steps", "base_model datasets", "base_model adapter",
            "base_model micro_batch_size", "model_name_or_path", "finetuning_type", "learning_rate", "num_train_epochs",
            "output_dir", "micro_batch_size", "global_batch_size", "trainer", "sequence_len",
        ),
        _training,
    ),
    (_marks("log_history", "global_step"), _fixed(
        "a trainer's state", f"give {_MODEL}, and the log itself to check_training_speed")),
    (
        _marks(
            "tokenizer_class", "added_tokens_decoder", "chat_template", "add_bos_token", "bpe_ranks",
            "truncation padding", "added_tokens", "unk_token", "bos_token",
        ),
        _fixed("a tokenizer's file", f"give {_MODEL}, which lies beside it"),
    ),
    (
        _marks("image_processor_type", "feature_extractor_type", "processor_class", "do_normalize", "image_mean"),
        _fixed("a preprocessor's configuration", f"give {_MODEL}, which lies beside it"),
    ),
    (_marks("weight_map"), _weights),
    (_marks("__version__ prompts", "similarity_fn_name"), _fixed(
        "a configuration of Sentence Transformers", f"give {_MODEL}, which lies beside it")),
    (_marks("general.architecture"), _fixed("a GGUF file's metadata", f"give {_MODEL} of what it was made from")),
    (
        _marks("bits group_size", "quant_method", "w_bit", "desc_act"),
        _fixed("a quantisation's configuration", f"give {_MODEL}, which lies beside it"),
    ),
    (
        _marks("dim n_layers", "dim n_heads", "multiple_of"),
        _fixed("a params.json of a publisher's own code", f"give {_MODEL} of the same model in Hugging Face's form"),
    ),
    (
        _marks(
            "do_sample", "max_new_tokens", "temperature", "top_p", "_from_model_config",
            "eos_token_id transformers_version",
        ),
        _fixed("a generation configuration", f"give {_MODEL}, which lies beside it"),
    ),
)  # fmt: skip
