"""The table of dialects: what each trainer prints of its speed, in its own spelling, and what its numbers mean.

A field's text is the key as printed, its value following; after `~` it is a pattern, `{N}` for a number. Fields:
`s`, `ms`, `it_per_s` of an optimizer step, `micro_…` of a micro-batch; `tps` of all devices together, `gpu_tps` of one;
`samples` and `gpu_samples`; `seen` tokens since the start, `step_tokens` of one step; `tflops` of one device;
`percent` and `share` its utilization; `clock` since the start and `left` to the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

__all__ = ["DIALECTS", "ELSEWHERE", "SETUPS", "Dialect"]

_OWN, _ENGINE, _CLOSING = 0, 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One kind of line."""

    name: str
    keys: tuple[str, ...]
    """Text of which such a line has at least one."""
    needs: tuple[str, ...]
    """Fields without which it is not one; `|` between those of which one will do."""
    rank: int
    counts_micro: bool
    """Whether its steps are micro-batches, by the trainer's source."""
    stamped: bool
    """Whether the time of day that it is printed at is all it tells of time."""
    guessed: bool
    """Whether the names are everybody's: what speaks of evaluation or generation beside them is passed over."""
    fields: Mapping[str, tuple[str, ...]]


def _row(
    name: str,
    keys: str | tuple[str, ...],
    needs: str,
    *,
    rank: int = _OWN,
    counts_micro: bool = False,
    stamped: bool = False,
    guessed: bool = False,
    **fields: str | tuple[str, ...],
) -> Dialect:
    return Dialect(
        name=name,
        keys=(keys,) if isinstance(keys, str) else keys,
        needs=tuple(needs.split()),
        rank=rank,
        counts_micro=counts_micro,
        stamped=stamped,
        guessed=guessed,
        fields={field: (text,) if isinstance(text, str) else text for field, text in fields.items()},
    )


_MEGATRON = _row(
    "megatron",
    "elapsed time per iteration",
    "step ms|s",
    step="iteration",
    ms="elapsed time per iteration (ms)",
    s="elapsed time per iteration (s)",
    batch="global batch size",
    consumed="consumed samples",
    seen="consumed tokens",
    length="actual seqlen",
    samples=("samples per second", "samples/sec"),
    tps="rate (tokens/sec)",
    gpu_tps=(
        "tokens per gpu per second (tgs)",
        "tokens per GPU (tokens/s/GPU)",
        "tokens/s/GPU inst/harmonic mean",
    ),
    tflops=(
        "throughput per GPU (TFLOP/s/GPU)",
        "compute per GPU (TFLOP/s/GPU)",
        "approx flops per GPU",
        "TFLOPs",
    ),
)
"""Megatron-LM, training.py `training_log`: fields between bars, in an order that has changed over the years."""
DIALECTS = (
    # What grew out of Megatron-LM prints its line and more; the samples and tokens per second are their own.
    replace(_MEGATRON, name="primus", keys=("tokens per GPU (tokens/s/GPU)", "tokens/s/GPU inst", "hip mem usage")),
    replace(_MEGATRON, name="gpt-neox", keys=("approx flops per GPU",), needs=("step", "ms|samples")),
    replace(_MEGATRON, name="megatron-deepspeed", keys=("per second (tgs)", "consumed tokens", "per iteration (s)")),
    _MEGATRON,
    # GPT-NeoX's names in W&B and TensorBoard.
    _row(
        "gpt-neox",
        "runtime/iteration_time",
        "s",
        s="runtime/iteration_time",
        samples="runtime/samples_per_sec",
        flops="runtime/flops_per_sec_per_gpu",
    ),
    # Megatron-DeepSpeed of ALCF: the same, underscored.
    _row(
        "megatron-deepspeed",
        "elapsed_time_per_iteration_ms=",
        "step ms",
        step="iteration",
        ms="elapsed_time_per_iteration_ms",
        batch="global_batch_size",
        consumed="consumed_samples",
        seen="consumed_tokens",
        gpu_tps="tokens_per_gpu_per_second_tgs",
        samples="samples_per_sec",
        tflops="TFLOPs",
    ),
    # Megatron-Bridge, training/utils/train_utils.py: printed beside Megatron's own line.
    _row(
        "megatron-bridge",
        "MODEL_TFLOP/s/GPU",
        "s",
        rank=_ENGINE,
        s="Step Time",
        tflops="~GPU utilization: {N}MODEL_TFLOP",
    ),
    # NeMo 1: on Lightning's bar; NeMo 2: a line a step, or DLLogger's JSON.
    _row(
        "nemo",
        "train_step_timing in s",
        "s",
        step=("global_step", "iteration"),
        total=r"~iteration \d{1,12}/{N}",
        s="train_step_timing in s",
        batch="global_batch_size",
        consumed="consumed_samples",
        tflops=("TFLOPS_per_GPU", "tflops_per_sec_per_gpu"),
    ),
    # NeMo AutoModel, recipes/llm/train_ft.py.
    _row("automodel", "/gpu)", "step gpu_tps", step="step", tps="tps", gpu_tps=r"~\({N}/gpu\)"),
    # Lingua, apps/main/train.py: of one device.
    _row("lingua", "wps:", "step gpu_tps s", step="step", gpu_tps="wps", s="iter", flops="flops"),
    # torchtitan, components/metrics.py: tps (before 2025, wps) divides by the devices that share a sequence's model.
    _row(
        "torchtitan",
        ("tps:", "wps:"),
        "step gpu_tps",
        step="step",
        gpu_tps=("tps", "wps"),
        tflops="tflops",
        percent="~mfu:?\\s{0,9}{N}%",
    ),
    # torchtune, training/metric_logging.py.
    _row(
        "torchtune",
        "tokens_per_second_per_gpu:",
        "step gpu_tps",
        step="~Step {N} \\|",
        gpu_tps="tokens_per_second_per_gpu",
    ),
    # Axolotl, core/trainers/base.py and utils/callbacks/tokens_per_second.py: in the dict of a Trainer.
    _row(
        "axolotl",
        ("tokens_per_second_per_gpu", "tokens/train_per_sec_per_gpu"),
        "gpu_tps",
        step="step",
        gpu_tps=("tokens_per_second_per_gpu", "tokens/train_per_sec_per_gpu"),
        seen="tokens/total",
    ),
    # litgpt, pretrain.py and finetune: an "iter" is a micro-batch, a "step" the optimizer's.
    _row(
        "litgpt",
        "iter time:",
        "step micro_s",
        micro_step="iter",
        step="step",
        micro_s="iter time",
        left="remaining time",
    ),
    # nanochat, scripts/base_train.py; build-nanogpt prints less of it.
    _row(
        "nanochat",
        "tok/sec:",
        "step tps",
        step="step",
        ms="dt",
        tps="tok/sec",
        percent="mfu",
    ),
    # llm.c, train_gpt2.cu.
    _row(
        "llm.c",
        " tok/s",
        "step ms tps",
        step="step",
        ms="~{N} ms\\b",
        tps="~{N} tok/s",
        percent="~{N}% (?:bf16|fp32|fp16) MFU",
    ),
    # lit-llama, pretrain/redpajama.py: a time is that of a micro-batch.
    _row(
        "lit-llama",
        "toks/s/device",
        "step micro_s",
        counts_micro=True,
        step="~iter\\s{1,9}{N}:",
        micro_s="time",
        gpu_tps="speed",
    ),
    # nanoGPT, train.py: a time is that of one optimizer step.
    _row(
        "nanogpt",
        "iter ",
        "step ms",
        step="~iter\\s{1,9}{N}:",
        ms="~time\\s{0,9}{N}\\s{0,9}ms",
        percent="~mfu\\s{0,9}{N}%",
    ),
    # modded-nanogpt: the mean since step 10, and the training time it is taken from.
    _row("modded-nanogpt", "step_avg:", "step ms", step="step", ms="step_avg", elapsed_ms="train_time"),
    # nanotron, trainer.py and logging: rounded with suffixes.
    _row(
        "nanotron",
        "time_per_iteration_ms",
        "step ms",
        step="iteration",
        ms=("elapsed_time_per_iteration_ms", "time_per_iteration_ms"),
        tps="tokens_per_sec",
        gpu_tps="tokens_per_sec_per_gpu",
        batch="global_batch_size",
        seen="consumed_tokens",
        tflops="model_tflops_per_gpu",
    ),
    # OLMo-core, train/callbacks/speed_monitor.py: a block a step.
    _row(
        "olmo-core",
        "throughput/device/TPS",
        "gpu_tps",
        step="~\\[step={N}(?:/{N})?",
        gpu_tps="throughput/device/TPS",
        it_per_s="throughput/device/BPS",
        seen="throughput/total tokens",
        percent="throughput/device/MFU",
        left="eta",
    ),
    # OLMo, train.py `SpeedMonitor`.
    _row(
        "olmo",
        "throughput/device/tokens_per_second",
        "gpu_tps",
        step="~\\[step={N}(?:/{N})?",
        gpu_tps="throughput/device/tokens_per_second",
        it_per_s="throughput/device/batches_per_second",
        seen="throughput/total_tokens",
    ),
    # Composer, callbacks/speed_monitor.py; LLM Foundry prints it.
    _row(
        "composer",
        ("throughput/tokens_per_sec", "throughput/device/tokens_per_sec", "throughput/samples_per_sec"),
        "tps|gpu_tps|samples",
        step="~\\[batch={N}(?:/{N})?",
        tps="throughput/tokens_per_sec",
        gpu_tps="throughput/device/tokens_per_sec",
        samples="throughput/samples_per_sec",
        it_per_s="throughput/batches_per_sec",
        flops="throughput/device/flops_per_sec",
        share="throughput/device/mfu",
    ),
    # MLX-LM, tuner/trainer.py: one "iter" is one batch; gradients may be accumulated over several.
    _row("mlx-lm", "It/sec", "step it_per_s", step="Iter", it_per_s="It/sec", tps="Tokens/sec", seen="Trained Tokens"),
    # InternEvo, train/pipeline.py `record_current_batch_training_metrics`.
    _row(
        "internevo",
        "tgs (tokens/gpu/second)",
        "gpu_tps",
        step="step",
        gpu_tps="tgs (tokens/gpu/second)",
        tflops="tflops",
        seen="num_consumed_tokens",
    ),
    # XTuner 1, train/trainer.py; before, MMEngine's lines, whose iterations are micro-batches.
    _row(
        "xtuner",
        ("text_tokens:", "e2e_tgs:"),
        "step gpu_tps",
        step="Step",
        s="time",
        gpu_tps="tgs",
        seen="total_consumed_tokens",
        left="eta",
    ),
    _row(
        "xtuner",
        ("Iter(train)", "Epoch(train)"),
        "step micro_s",
        counts_micro=True,
        step="~(?:Iter|Epoch)\\(train\\)\\s{0,9}(?:\\[\\d{1,6}\\])?\\[\\s{0,9}{N}/\\s{0,9}{N}\\]",
        micro_s="time",
        gpu_tps="tokens_per_sec",
        tflops="tflops",
        left="eta",
    ),
    # fairseq and metaseq, logging/progress_bar.py: wps and ups are of all devices.
    _row(
        "fairseq",
        ("wps", "ups"),
        "tps it_per_s",
        step=("num_updates", "train_num_updates"),
        tps=("wps", "train_wps"),
        it_per_s=("ups", "train_ups"),
        batch=("bsz", "train_bsz"),
        step_tokens=("wpb", "train_wpb"),
    ),
    # LiBai, utils/events.py.
    _row(
        "libai",
        "s/iter",
        "step s",
        step="iteration",
        s="~(?<![\\w])time:\\s{0,9}{D}\\s{0,3}s?/iter",
        samples="total_throughput",
        consumed="consumed_samples",
        left="eta",
    ),
    # PaddleNLP, trainer.py `speed_metrics("interval")`.
    _row(
        "paddlenlp",
        "interval_steps_per_second",
        "step it_per_s",
        step="global_step",
        it_per_s="interval_steps_per_second",
        gpu_tps="interval_tokens_per_second_per_device",
        samples="interval_samples_per_second",
        interval="interval_runtime",
        tflops="interval_hardware_tflops_per_device",
    ),
    # MaxText, metric_logger.py.
    _row(
        "maxtext",
        ("Tokens/s/device", "TFLOP/s/device"),
        "step s",
        step="completed step",
        s="seconds",
        gpu_tps="Tokens/s/device",
        tflops="TFLOP/s/device",
    ),
    # Levanter, callbacks `pbar_logger` through tqdm-loggable.
    _row(
        "levanter",
        "Progress on:train",
        "step it_per_s|s",
        step="~Progress on:train\\s{0,3}(\\d[\\d.,]{0,12}[kKM]?)it(?:/(\\d[\\d.,]{0,12}[kKM]?)it)?",
        it_per_s="~rate:{N}it/s",
        s="~rate:{N}s/it",
        clock="elapsed",
        left="remaining",
    ),
    # verl, trainer/ppo/metric_utils.py `compute_throughout_metrics`: of one device, prompts and answers.
    _row(
        "verl",
        "perf/throughput",
        "gpu_tps",
        step=("training/global_step", "~(?<![\\w/])step:{N}"),
        s=("perf/time_per_step", "timing_s/step"),
        gpu_tps="perf/throughput",
        step_tokens="perf/total_num_tokens",
    ),
    _row(
        "verl",
        ("timing_s/step", "perf/time_per_step", "train/time(s)"),
        "s",
        step=("training/global_step", "~(?<![\\w/])step:{N}"),
        s=("perf/time_per_step", "timing_s/step", "train/time(s)"),
    ),
    # prime-rl, trainer/rl and trainer/sft train.py: counted over all ranks.
    _row("prime-rl", "tokens/s", "step tps s", step="Step", s="Time", tps="Throughput", percent="MFU"),
    # minimind, trainer/train_*.py: minutes to the end of the epoch, in micro-batches.
    _row(
        "minimind",
        ("epoch_Time:", "epoch_time:"),
        "step left_min",
        counts_micro=True,
        step="~\\]\\({N}/{N}\\)",
        left_min=("epoch_Time", "epoch_time"),
    ),
    # LLaMA-Factory's trainer_log.jsonl: throughput is the mean since the start, so the clock goes before it.
    _row(
        "llama-factory",
        "current_steps",
        "step clock",
        step="current_steps",
        total="total_steps",
        clock="elapsed_time",
        left="remaining_time",
        seen="total_tokens",
        tps="throughput",
    ),
    # ms-swift, trainers/callback.py: the speed is the mean since the start, the clock is to the second.
    _row(
        "ms-swift",
        ("train_speed(iter/s)", "train_speed(s/it)"),
        "it_per_s|s",
        step="~global_step/max_steps\\]?['\"]?:?\\s{0,3}['\"]?{N}/{N}",
        it_per_s="train_speed(iter/s)",
        s="train_speed(s/it)",
        clock="elapsed_time",
        left="remaining_time",
    ),
    # DeepSpeed's pipeline engine; its throughput timer; DeepSpeed-Chat's perf.py, which counts one device's batch.
    _row(
        "deepspeed",
        "iter time (s)",
        "step s",
        step=("steps", "step"),
        s="iter time (s)",
        samples="samples/sec",
        left="eta",
    ),
    _row(
        "deepspeed",
        "SamplesPerSec",
        "samples",
        rank=_ENGINE,
        step=("global_step", "~\\] \\d{1,9}/{N}, "),
        samples=("CurrSamplesPerSec", "SamplesPerSec"),
    ),
    _row(
        "deepspeed-chat",
        "Samples/sec:",
        "micro_s gpu_samples",
        micro_s="Latency",
        gpu_samples="Samples/sec",
        tflops="TFLOPs",
        micro="Batch Size",
        length=("Total Seq. Length", "Sequence Length"),
    ),
    # Weights & Biases: a history's record, by the seconds since the run began.
    _row(
        "wandb",
        "_runtime",
        "step elapsed_n",
        rank=_ENGINE,
        step=("train/global_step", "trainer/global_step", "global_step", "_step"),
        elapsed_n="_runtime",
        gpu_tps=("tokens_per_second_per_gpu", "tokens_per_sec_per_gpu", "tps_per_gpu"),
        tps=("tokens_per_second", "tokens_per_sec", "tokens_per_s"),
        seen=("train/num_input_tokens_seen", "num_input_tokens_seen", "num_tokens"),
        s=("step_time", "time/step"),
    ),
    # TensorBoard: the seconds of the epoch at which a step was written.
    _row("tensorboard", "Wall time", "step elapsed_n", rank=_ENGINE, step="Step", elapsed_n="Wall time"),
    # LLaMA-Factory in the dict of a Trainer: the mean of all devices since the start.
    _row("llama-factory", ("'throughput'", '"throughput"'), "tps", tps="throughput", seen="num_input_tokens_seen"),
    # The closing line of a Hugging Face Trainer, and the same in a summary of W&B.
    _row(
        "huggingface-end",
        ("train_steps_per_second", "train_samples_per_second", "train_runtime"),
        "it_per_s|samples|elapsed_n",
        rank=_CLOSING,
        step=("train/global_step", "global_step"),
        it_per_s="train_steps_per_second",
        samples="train_samples_per_second",
        elapsed_n="train_runtime",
        tps="train_tokens_per_second",
        seen="num_input_tokens_seen",
    ),
    # TRL's trainers count the tokens seen by all processes in the dict of a Trainer.
    _row("trl", ("'step_time'", '"step_time"'), "s", rank=_ENGINE, s="step_time", seen="num_tokens"),
    _row("trl", "num_tokens", "seen", rank=_CLOSING, seen="num_tokens"),
    # Steps and the time of day alone: DeepSpeed's `log_dist`, a Trainer's dict behind a logger.
    _row("deepspeed", "[Rank 0] step=", "step", rank=_CLOSING, stamped=True, step="step"),
    _row("huggingface", ("'loss'", '"loss"'), "step", rank=_CLOSING, stamped=True, step="step"),
    # What nobody's source is known for, by names that can mean one thing only.
    _row(
        "unknown",
        (
            "per_gpu",
            "/gpu",
            "/GPU",
            "per GPU",
            "/device",
            "per_device",
            "tgs",
            "TGS",
        ),
        "gpu_tps",
        guessed=True,
        step=("global_step", "step", "Step", "iteration", "iter", "Iter"),
        s=("step_time", "iter_time", "time_per_step", "sec/step", "Step time"),
        gpu_tps=(
            "tokens_per_second_per_gpu",
            "tokens_per_sec_per_gpu",
            "tokens/s/gpu",
            "tokens/s/GPU",
            "tokens/sec/gpu",
            "tokens/sec/GPU",
            "tok/s/gpu",
            "tok/s/GPU",
            "tokens/gpu/s",
            "tokens_per_gpu_per_second",
            "tps/gpu",
            "tokens/second/device",
            "tgs",
            "TGS",
            r"~{N}\s?(?:tokens|tok)/(?:s|sec)/(?:gpu|GPU|device)\b",
        ),
        share="mfu",
    ),
    _row(
        "unknown",
        (
            "tokens/s",
            "tok/s",
            "toks/s",
            "tokens_per_s",
            "tokens per s",
            "tok_per_s",
            "tps",
            "TPS",
            "samples/s",
            "samples_per_s",
            "examples/s",
            "seq/s",
            "s/step",
            "ms/step",
            "sec/step",
            "step_time",
            "step time",
            "Step time",
            "Step Time",
            "iter_time",
            "time_per_step",
            "steps_per_second",
            "steps/s",
            "it/s",
            "s/it",
            "ms/it",
        ),
        "tps|samples|s|ms|it_per_s",
        guessed=True,
        step=("global_step", "step", "Step", "iteration", "Iteration", "iter", "Iter"),
        s=(
            "step_time",
            "step time",
            "Step time",
            "Step Time",
            "iter_time",
            "time_per_step",
            "sec/step",
            "s/step",
            "s/it",
            r"~{N}\s?s(?:ec)?/(?:step|it|iter)\b",
        ),
        ms=("step_time_ms", "ms/step", "ms/it", r"~{N}\s?ms/(?:step|it|iter)\b"),
        it_per_s=("steps_per_second", "steps/s", "it/s", r"~{N}\s?(?:it|steps?)/s\b"),
        tps=(
            "tokens_per_second",
            "tokens_per_sec",
            "tokens_per_s",
            "tokens per second",
            "tokens/second",
            "tokens/sec",
            "tokens/s",
            "tok/sec",
            "tok/s",
            "toks/s",
            "tok_per_sec",
            "tps",
            "TPS",
            r"~{N}\s?k?\s?(?:tokens|tok|toks)/s(?:ec(?:ond)?)?\b",
        ),
        samples=(
            "samples_per_second",
            "samples_per_sec",
            "samples/sec",
            "samples/s",
            "examples/s",
            "seq/s",
            r"~{N}\s?(?:samples|examples|seqs?|sequences)/s(?:ec)?\b",
        ),
        batch=("global_batch_size", "batch_size_total"),
    ),
)
ELSEWHERE = (
    r"\bvalid \||\bvalidate step|\beval step",
    r"['\"]?(?:valid|eval|test)_(?:wps|runtime|loss|samples_per_second)",
    r"\bGeneration => |\bInference\b|llama_print_timings|llama_perf|throughput: .{0,40}tokens/s, Running",
    r"(?i:prompt (?:eval|throughput|processing)|generation throughput|decode throughput)",
)
"""What is no training, whatever the numbers' names."""
SETUPS = (
    # Hugging Face's head, Unsloth's banner, torchtitan's, nanoGPT's, nanochat's and llm.c's first lines, Megatron's
    # list of arguments, and the YAML that Axolotl, LLaMA-Factory and litgpt echo.
    ("Total train batch size", "sequences_per_step", r"Total train batch size[^=:]{0,80}[=:]\s{0,9}{N}"),
    ("Total batch size (", "sequences_per_step", r"Total batch size \([^)]{0,40}\) = {N}"),
    ("Instantaneous batch size", "micro_batch", r"Instantaneous batch size per device[^=:]{0,9}[=:]\s{0,9}{N}"),
    ("Batch size per device", "micro_batch", r"Batch size per device = {N}"),
    ("radient", "accumulation", r"(?i)gradient[ _]accumulation(?:[ _]steps)?['\"]?\s{0,9}[=:]\s{0,9}{N}"),
    ("Data Parallel GPUs", "n_gpus", r"Data Parallel GPUs = {N}"),
    ("Num GPUs", "n_gpus", r"Num GPUs(?: used)? = {N}"),
    ("world", "n_gpus", r"(?i)world[ _]size[ .:=]{1,60}{N}"),
    ("Total optimization steps", "total_steps", r"Total optimization steps ?[=:]\s{0,9}{N}"),
    ("Total steps = ", "total_steps", r"Total steps = {N}"),
    ("total steps ", "total_steps", r"total steps {N}"),
    ("train_iters", "total_steps", r"train_iters[ .:=]{1,60}{N}"),
    ("tokens per iteration will be", "tokens_per_step", r"tokens per iteration will be:?\s{0,9}{N}"),
    ("Total batch size", "tokens_per_step", r"Total batch size\s{0,9}{N} =>"),
    ("total desired batch size", "tokens_per_step", r"total desired batch size[:=]?\s{0,9}{N}"),
    ("total_desired_batch_size", "tokens_per_step", r"total_desired_batch_size[:=]?\s{0,9}{N}"),
    ("global batch size", "sequences_per_step", r"global batch size[ :=]{1,9}{N}"),
    ("global_batch_size", "sequences_per_step", r"global_batch_size['\"]?[ .:=]{1,60}{N}"),
    ("sequence length ", "sequence_length", r"(?<!\w)sequence length {N}"),
    ("seq_length", "sequence_length", r"(?<!\w)seq_length['\"]?[ .:=]{1,60}{N}"),
    ("sequence_len", "sequence_length", r"(?<!\w)sequence_len(?:gth)?['\"]?[ .:=]{1,60}{N}"),
    ("cutoff_len", "sequence_length", r"cutoff_len['\"]?[ .:=]{1,60}{N}"),
    ("max_seq", "sequence_length", r"(?<!\w)max_seq(?:_length|_len)['\"]?[ .:=]{1,60}{N}"),
    ("micro_batch_size", "micro_batch", r"(?<!\w)micro_batch_size['\"]?[ .:=]{1,60}{N}"),
    ("per_device_train_batch_size", "micro_batch", r"per_device_train_batch_size['\"]?[ .:=]{1,60}{N}"),
)
