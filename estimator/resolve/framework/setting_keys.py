"""Keys of trainers' configurations that decide how long a run takes: numbers, switches, choices, and the idle rest."""

import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "ALL_BELOW_ZERO",
    "ARGUMENTS",
    "CHOICES",
    "DIALECTS",
    "IDLE",
    "IDLE_BELOW",
    "MODELS",
    "OFF",
    "ON",
    "OWN_KEYS",
    "OWN_WORDS",
    "SWITCHES",
    "WRITTEN_OF",
]

ON = frozenset({"true", "yes", "on", "1", "enabled"})
OFF = frozenset({"false", "no", "off", "0", "disabled", "none"})


def _by_key(rows: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({key: value for value, keys in rows.items() for key in keys.split()})


ARGUMENTS: Mapping[str, str] = _by_key(
    {
        "epochs": "epochs num_epochs num_train_epochs n_epochs max_epochs total_epochs train_epochs",
        "steps": "max_steps max_train_steps train_iters total_training_steps training.steps num_train_steps iters "
        "max_iters num_iters num_iterations max_iterations train_steps num_training_steps",
        "micro_batch_size": "micro_batch_size per_device_train_batch_size train_micro_batch_size_per_gpu "
        "per_gpu_train_batch_size device_train_microbatch_size micro_train_batch_size local_batch_size "
        "device_batch_size",
        "gradient_accumulation": "gradient_accumulation_steps gradient_accumulation accumulate_grad_batches "
        "grad_accum_steps grad_accumulation_steps",
        "global_batch_sequences": "global_batch_size global_train_batch_size",
        "sequence_length": "sequence_len max_seq_length max_seq_len max_length cutoff_len model_max_length seq_length "
        "seq_len max_sequence_length block_size tokenizer.max_seq_len dataset.max_seq_len",
        "source_length": "max_source_length max_input_length source_max_len max_source_len",
        "target_length": "max_target_length target_max_len max_target_len max_output_length max_label_length",
        "prompt_length": "max_prompt_length",
        "completion_length": "max_completion_length",
        "lora_rank": "lora_r lora_rank lora_dim network_dim lora_parameters.rank",
        "trained_layers": "freeze_trainable_layers",
        "tensor_parallel": "tensor_model_parallel_size tensor_parallel_size tensor_parallel_degree tp_size",
        "pipeline_parallel": "pipeline_model_parallel_size pipeline_parallel_size pipeline_parallel_degree pp_size",
        "context_parallel": "context_parallel_size context_parallel_degree cp_size",
        "expert_parallel": "expert_model_parallel_size expert_parallel_size expert_parallel_degree ep_size",
        "gpus_per_node": "nproc_per_node num_gpus_per_node gpus_per_node n_gpus_per_node",
        "n_gpus": "num_processes world_size num_gpus",
        "visible": "visible_devices",
        "nodes": "nodes nnodes num_nodes num_machines n_nodes",
    }
)
"""What is a number, by key, with the key above it where that tells more."""
SWITCHES: Mapping[str, str] = _by_key(
    {
        "gradient checkpointing": "gradient_checkpointing enable_activation_checkpointing activation_checkpointing "
        "use_gradient_checkpointing fsdp_activation_checkpointing enable_gradient_checkpointing "
        "gradient_checkpointing_enable use_activation_checkpointing grad_checkpoint",
        "packing": "sample_packing packing neat_packing packed dataset.packed use_packing pack_dataset",
        "flash attention": "flash_attention use_flash_attn use_flash_attention use_flash_attention_2 "
        "use_flash_attention2",
        "sdpa": "sdp_attention use_sdpa",
        "xformers": "xformers_attention use_xformers",
        "flex attention": "flex_attention",
        "ema": "use_ema model_ema",
        "liger": "use_liger use_liger_kernel enable_liger_kernel liger_kernel",
        "fused linear cross entropy": "liger_fused_linear_cross_entropy cut_cross_entropy",
        "fused kernels": "liger_rms_norm liger_rope liger_glu_activation liger_layer_norm liger_swiglu liger_layernorm",
        "torch compile": "torch_compile compile use_torch_compile enable_compile",
        "group by length": "group_by_length",
        "cpu offload": "fsdp_offload_params offload_params fsdp_cpu_offload cpu_offload",
        "activation offload": "activation_offloading enable_activation_offloading",
        "overlap comm": "overlap_comm",
        "distributed optimizer": "use_distributed_optimizer",
        "4 bit base": "load_in_4bit",
        "8 bit base": "load_in_8bit",
        "lora": "use_peft use_lora",
        "dora": "use_dora peft_use_dora",
        "rslora": "use_rslora peft_use_rslora",
        "tune mm mlp adapter": "tune_mm_mlp_adapter",
        "precompute ref log probs": "precompute_ref_log_probs",
        "sequence parallel": "sequence_parallel",
    }
)
"""What is on or off, by key, in words that are understood here."""
_OFF_BY_DEFAULT = (
    *("group by length", "cpu offload", "activation offload", "4 bit base", "8 bit base", "lora", "dora", "rslora"),
    "tune mm mlp adapter",
    *("torch compile", "distributed optimizer", "sdpa", "xformers", "flex attention", "fused kernels"),
    *("sequence parallel", "fused linear cross entropy", "precompute ref log probs"),
)
OWN_WORDS = frozenset(SWITCHES.values()) - frozenset(_OFF_BY_DEFAULT)
"""Switches whose being off says something: of the others it is what every trainer does unless told."""
_DEVICES = {"cpu": "{0} offload", "nvme": "{0} offload nvme"}


def _device(what: str) -> Mapping[str, str]:
    return MappingProxyType({"none": "", **{device: words.format(what) for device, words in _DEVICES.items()}})


_ADAPTERS = {
    **{kind: kind for kind in ("lora", "qlora", "dora")},
    "full": "full finetuning",
    "freeze": "",
    "ia3": "ia3",
    "rslora": "rslora",
}
_LISA_LAYERS = {str(count): f"lisa with {count} layers" for count in range(1, 65)}
"""In LMFlow and in axolotl."""
_NETWORK_MODULES = {
    **dict.fromkeys(("lora", "dylora", "lora_fa"), "lora"),
    **{
        f"lora_{network}": "lora"
        for network in ("flux", "flux_2", "framepack", "hv_1_5", "lumina", "qwen_image", "sd3", "wan", "zimage")
    },
    **dict.fromkeys(("loha", "lokr"), "lokr"),
    "kohya": "lycoris",
}
"""Of sd-scripts and musubi-tuner, by the last word: `networks.lora_flux`, `lycoris.kohya`."""
_ATTENTION = {
    "fa2": "flash attention 2",
    "fa3": "flash attention 3",
    "flash_attention_2": "flash attention 2",
    "flash_attention_3": "flash attention 3",
    "flash": "flash attention",
    "triton": "flash attention",
    "sdpa": "sdpa",
    "torch": "eager attention",
    "eager": "eager attention",
    "disabled": "eager attention",
    "flex_attention": "flex attention",
    "xformers": "xformers",
    "auto": "",
    "true": "flash attention",
    "false": "no flash attention",
}
_SHARDED = {
    **dict.fromkeys(("full_shard", "1"), "fsdp full shard"),
    **dict.fromkeys(("shard_grad_op", "2"), "fsdp shard grad op"),
    **dict.fromkeys(("no_shard", "3"), "no shard"),
    **dict.fromkeys(("hybrid_shard", "4"), "fsdp hybrid shard"),
    **dict.fromkeys(("hybrid_shard_zero2", "5"), "fsdp hybrid shard zero 2"),
}
_STAGES = {str(stage): f"deepspeed zero {stage}" for stage in range(4)}
_CHECKPOINTED = {
    "full": "full recompute",
    "selective": "selective recompute",
    "none": "no recompute",
    "unsloth": "gradient checkpointing unsloth",
    "offload": "gradient checkpointing with cpu offload",
    "offload_disk": "gradient checkpointing with cpu offload",
}
_GOALS = {
    **{goal: f"{goal} trainer" for goal in ("dpo", "orpo", "kto", "grpo", "ppo", "reward")},
    **dict.fromkeys(("ipo",), "dpo trainer"),
    **dict.fromkeys(("simpo", "cpo"), "orpo trainer"),
    **dict.fromkeys(("rm",), "reward trainer"),
    "sft": "",
    "pt": "continued pretraining",
}
_ENGINES = {
    "fsdp": "fsdp",
    "deepspeed": "deepspeed",
    "megatron_lm": "megatron",
    "multi_gpu": "ddp",
    "ddp": "ddp",
    **dict.fromkeys(("no", "multi_cpu", "xla", "multi_xpu", "multi_npu"), ""),
}
CHOICES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("adapter", "finetuning_type", "fine_tune_type", "peft_type", "train_type", "tuner_type"), _ADAPTERS
        ),
        **dict.fromkeys(("attn_implementation", "attn_impl", "flash_attn", "attention_backend"), _ATTENTION),
        **dict.fromkeys(("fsdp_sharding_strategy", "sharding_strategy"), _SHARDED),
        "fsdp_reshard_after_forward": {**_SHARDED, "true": "fsdp full shard", "false": "fsdp shard grad op"},
        "fsdp_version": {"1": "", "2": "fsdp 2"},
        **dict.fromkeys(("zero_optimization.stage", "zero_stage", "zero_optimization_stage"), _STAGES),
        **{f"offload_{what}{part}device": _device(what) for what in ("optimizer", "param") for part in "._"},
        **dict.fromkeys(
            (
                *("activation_checkpoint.mode", "activation_checkpoint_mode", "recompute_granularity"),
                *("activations_checkpoint_granularity", "gradient_checkpointing", "use_gradient_checkpointing"),
            ),
            _CHECKPOINTED,
        ),
        **dict.fromkeys(("rl", "llamafactory.stage"), _GOALS),
        **dict.fromkeys(("distributed_type", "trainer.strategy"), _ENGINES),
        **{key: {"4": "4 bit base", "8": "8 bit base", "16": ""} for key in ("quantization_bit", "quant_bits")},
        **dict.fromkeys(("lisa_activated_layers", "lisa_n_layers"), _LISA_LAYERS),
        "network_module": _NETWORK_MODULES,
        "fsdp_backward_prefetch": {"no_prefetch": "no backward prefetch", "backward_pre": "", "backward_post": ""},
    }
)
"""What is one of several, by key: each value in words that are understood here."""
MODELS = frozenset({"base_model", "model_name_or_path", "model_name", "pretrained_model_name_or_path", "model_id"})
"""Keys that name the model, which the argument does, too."""
WRITTEN_OF: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"(?<![a-z]){words}", re.IGNORECASE))
    for name, words in (
        ("MLX", r"mlx(?:[_.-](?:lm|vlm|lora)|\b)"),
        ("torchtune", r"(?:torchtune|tune run)\b"),
        ("AutoTrain", r"autotrain\b"),
        ("litgpt", r"litgpt\b"),
    )
)
"""Trainers whose commands have keys that mean something else to others, by how those begin."""
OWN_KEYS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("torchtune", "batch_size"): "micro_batch_size",
        ("AutoTrain", "batch_size"): "micro_batch_size",
        ("AutoTrain", "train_batch_size"): "micro_batch_size",
        # MLX's devices share a batch, and each of its iterations takes one, however many it accumulates.
        ("MLX", "batch_size"): "global_batch_size",
        ("MLX", "grad_accumulation_steps"): "accumulation_eval",
        # The last layers, which alone learn, or have adapters beside them.
        ("MLX", "num_layers"): "freeze_trainable_layers",
        ("MLX", "lora_layers"): "freeze_trainable_layers",
        ("OpenRLHF", "train_batch_size"): "global_batch_size",
    }
)
"""Keys that mean with one trainer what they mean with no other, under a name that says which."""
ALL_BELOW_ZERO = frozenset({("MLX", "num_layers"), ("MLX", "lora_layers")})
"""Keys of one trainer whose negative values mean all there is, which no number says."""
DIALECTS: tuple[tuple[str, frozenset[str]], ...] = (
    ("axolotl", frozenset({"sequence_len", "sample_packing", "pad_to_sequence_len"})),
    ("LLaMA-Factory", frozenset({"cutoff_len", "finetuning_type", "neat_packing"})),
    ("MLX", frozenset({"grad_checkpoint", "mask_prompt", "steps_per_report"})),
    ("torchtune", frozenset({"_component_", "enable_activation_checkpointing"})),
    ("LLM Foundry", frozenset({"device_train_microbatch_size", "global_train_batch_size"})),
    ("OpenRLHF", frozenset({"micro_train_batch_size"})),
    ("torchtitan", frozenset({"local_batch_size"})),
    ("Megatron-LM", frozenset({"--micro_batch_size", "--tensor_model_parallel_size", "--train_iters"})),
    ("HF Trainer", frozenset({"per_device_train_batch_size", "num_train_epochs"})),
    ("accelerate", frozenset({"compute_environment", "distributed_type", "fsdp_config", "num_machines"})),
)
"""Keys that one trainer alone has, by its name; the first that has one is meant."""
IDLE_BELOW = frozenset(
    {
        *("datasets", "dataset", "test_datasets", "pretraining_dataset", "data", "scheduler", "lr_scheduler", "params"),
        *("tokenizer", "checkpointer", "metric_logger", "wandb", "special_tokens", "aio", "tensorboard", "loggers"),
        *("flops_profiler", "comms_logger", "csv_monitor", "evaluation", "validation", "rollout", "critic", "loss"),
        *("sampling", "profiler", "tokens", "added_tokens_overrides", "callbacks", "quantization_config", "log"),
        *(
            "lora_parameters",
            "optimizer_config",
            "lr_scheduler_kwargs",
            "gradient_checkpointing_kwargs",
            "model_kwargs",
            "lora_target_modules",
            "env",
        ),
        *("activation_checkpointing", "job", "metrics", "checkpoint", "experimental", "eval_loader", "save_overwrite"),
    }
)
"""Keys below which nothing is of a step's time."""
IDLE = re.compile(
    r"(?:wandb|lr|eval|badam|lisa|galore|apollo|save|log|logging|mlflow|comet|hub|push|warmup|adam|lora|dataset|val|test|ddp|tokenizer|chat|"
    r"special|zero3|stage3|stage|tpu|dynamo|rdzv|main|machine|metric|early|report|run|output|load|resume|weight|"
    r"train_on|noisy|neftune|loss|bnb|max_grad|label|remove|overwrite|preprocess|preprocessing|trust|saves|evals|"
    r"prediction|allgather|reduce|contiguous|round|sub_group|pin|buffer|cpu_checkpointing|partition|hysteresis|"
    r"initial|min|auto|torch_compile|disable_tqdm|dataloader_(?:pin|prefetch|drop|persistent)|gradient_checkpointing|"
    r"gather|cosine|fsdp_(?:auto|transformer|state|use|sync|cpu_ram|forward|min|xla)|use_(?:cpu|fast|cache|mup|vllm)|"
    r"deepspeed_(?:multinode|moe|hostfile|inclusion|exclusion)|ignore|ref|pref|train_test|shuffle|padding_side)_\w+|"
    r"\w+_(?:dir|path|file|port|ip|url|token|seed|key|repo|project|entity|timeout|ratio|steps|strategy|template|names?|"
    r"split|column|columns|format|interval|id|workers|turns|alpha|dropout|policy|lr|wrap|machines|nodes|rank|type|"
    r"backend|params|kwargs|args|num_proc|fraction|clipping|clip|threshold|buckets?|samples|every|eval|value|function)|"
    r"\w*(?:learning_rate|scheduler|weight_decay|seed|beta\d?|epsilon|eps|momentum|betas|template|tokens)|"
    r"do_(?:train|eval|predict|sample)|lr|strict|path|name|type|logger|compute_environment|node_rank|downcast_bf16|debug|same_network|"
    r"use_cpu|prescale_gradients|wall_clock_breakdown|steps_per_print|zero_allow_untested_optimizer|enable_cpu_affinity|"
    r"dump_input_ids|group_texts|is_\w+_derived_model|auto_resume\w*|resume\w*|local_rank|xpu\w*|field\w*|plot_loss|"
    r"overwrite_cache|include_\w+|stage|device|devices|enabled|amp|opt_level|loss_scale|num_layers|hidden_size|"
    r"num_attention_heads|num_key_value_heads|num_query_groups|ffn_hidden_size|vocab_size|max_position_embeddings|"
    r"task|mode|default_system|s2_attention|train_on_inputs|special_tokens|adapter|peft|trainer|shuffle|target|"
    r"load_best_model_at_end|dataset|_component_|fused|custom_sharded_layers|target_modules|bias|task_type|fsdp_config|deepspeed_config|zero_optimization|offload_optimizer|offload_param|"
    r"fp16|bf16|bfloat16|optimizer|fp8|tf32|plugins|model|lora|datasets|training|parallelism|config|scaling_\w+|"
    r"(?:per_(?:device|gpu)_)?eval_batch_size|per_device_eval_\w+|generation_\w+|num_beams|predict_with_generate|"
    r"pad_to_multiple_of|omp_num_threads|tokenizers_parallelism|pytorch_(?:\w+_)?alloc_conf|python(?:path|unbuffered)|"
    r"cuda_(?:launch_blocking|device_\w+|home|module_loading)|hf_(?:home|hub\w*|datasets\w*|token|endpoint)|"
    r"transformers_(?:offline|cache|verbosity)|"
    r"max_steps_per_epoch|steps_per_\w+|train|data|test|mask_prompt|standalone|torch_empty_cache_steps|train_dataset|eval_dataset|dataset_text_field|args"
)
"""Keys that tell nothing of how long a step takes, nor how many there are; those that do were looked up before."""
