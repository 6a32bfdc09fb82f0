"""The table of dialects, its first part: the lines that trainers print of a step, in their own spelling."""

from dataclasses import replace

from estimator.answers.check.dialect import row
from estimator.answers.check.log_point import ENGINE
from estimator.answers.check.media_rows import MMENGINE

__all__ = ["TRAINERS"]

_MEGATRON = row(
    "megatron",
    "elapsed time per iteration",
    "ms|s",
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
TRAINERS = (
    # What grew out of Megatron-LM prints its line and more; the samples and tokens per second are their own.
    replace(_MEGATRON, name="primus", keys=("tokens per GPU (tokens/s/GPU)", "tokens/s/GPU inst", "hip mem usage")),
    replace(_MEGATRON, name="gpt-neox", keys=("approx flops per GPU",), needs=("step", "ms|samples")),
    replace(_MEGATRON, name="megatron-deepspeed", keys=("per second (tgs)", "consumed tokens", "per iteration (s)")),
    _MEGATRON,
    # GPT-NeoX's names in W&B and TensorBoard.
    row(
        "gpt-neox",
        "runtime/iteration_time",
        "s",
        s="runtime/iteration_time",
        samples="runtime/samples_per_sec",
        flops="runtime/flops_per_sec_per_gpu",
    ),
    # Megatron-DeepSpeed of ALCF: the same, underscored.
    row(
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
    row(
        "megatron-bridge",
        "MODEL_TFLOP/s/GPU",
        "s",
        rank=ENGINE,
        s="Step Time",
        tflops="~GPU utilization: {N}MODEL_TFLOP",
    ),
    # NeMo 1: on Lightning's bar; NeMo 2: a line a step, or DLLogger's JSON.
    row(
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
    row("automodel", "/gpu)", "step gpu_tps", step="step", tps="tps", gpu_tps=r"~\({N}/gpu\)"),
    # Lingua, apps/main/train.py: of one device.
    row("lingua", "wps:", "step gpu_tps s", step="step", gpu_tps="wps", s="iter", data="data", flops="flops"),
    # torchtitan, components/metrics.py: tps (before 2025, wps) divides by the devices that share a sequence's model.
    row(
        "torchtitan",
        ("tps:", "wps:"),
        "step gpu_tps",
        step="step",
        gpu_tps=("tps", "wps"),
        tflops="tflops",
        percent="~mfu:?\\s{0,9}{N}%",
    ),
    # torchtune, training/metric_logging.py.
    row(
        "torchtune",
        "tokens_per_second_per_gpu:",
        "step gpu_tps",
        step="~Step {N} \\|",
        gpu_tps="tokens_per_second_per_gpu",
    ),
    # Axolotl, core/trainers/base.py and utils/callbacks/tokens_per_second.py: in the dict of a Trainer.
    row(
        "axolotl",
        ("tokens_per_second_per_gpu", "tokens/train_per_sec_per_gpu"),
        "gpu_tps",
        step="step",
        gpu_tps=("tokens_per_second_per_gpu", "tokens/train_per_sec_per_gpu"),
        seen="tokens/total",
    ),
    # litgpt, pretrain.py and finetune: an "iter" is a micro-batch, a "step" the optimizer's.
    row(
        "litgpt",
        "iter time:",
        "step micro_s",
        micro_step="iter",
        step="step",
        micro_s="iter time",
        left="remaining time",
    ),
    # nanochat, scripts/base_train.py; build-nanogpt prints less of it.
    row(
        "nanochat",
        "tok/sec:",
        "step tps",
        step="step",
        ms="dt",
        tps="tok/sec",
        percent=("mfu", "bf16_mfu", "fp8_mfu"),
    ),
    # picotron, train.py: its batch counts tokens.
    row(
        "picotron",
        "Tokens/s/GPU:",
        "step tps gpu_tps",
        step="Step",
        tps="Tokens/s",
        gpu_tps="Tokens/s/GPU",
        step_tokens=("Global batch size", "Global batch size (with seq_len)"),
        seen="Tokens",
        percent="MFU",
    ),
    # fms-fsdp, utils/train_utils.py: a report of many lines, joined.
    row(
        "fms-fsdp",
        "current token per gpu per sec",
        "gpu_tps",
        step="step",
        s="current step time",
        gpu_tps="current token per gpu per sec",
        seen="tokens seen",
    ),
    # llm.c, train_gpt2.cu.
    row(
        "llm.c",
        " tok/s",
        "step ms tps",
        step="step",
        ms="~{N} ms\\b",
        tps="~{N} tok/s",
        percent="~{N}% (?:bf16|fp32|fp16) MFU",
    ),
    # lit-llama, pretrain/redpajama.py: a time is that of a micro-batch.
    row(
        "lit-llama",
        "toks/s/device",
        "step micro_s",
        counts_micro=True,
        step="~iter\\s{1,9}{N}:",
        micro_s="time",
        gpu_tps="speed",
    ),
    # nanoGPT, train.py: a time is that of one optimizer step.
    row(
        "nanogpt",
        "iter ",
        "step ms",
        step="~iter\\s{1,9}{N}:",
        ms="~time\\s{0,9}{N}\\s{0,9}ms",
        percent="~mfu\\s{0,9}{N}%",
    ),
    # modded-nanogpt: the mean since step 10, and the training time it is taken from.
    row("modded-nanogpt", "step_avg:", "step ms", step="step", ms="step_avg", elapsed_ms="train_time"),
    # nanotron, trainer.py and logging: rounded with suffixes.
    row(
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
    row(
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
    row(
        "olmo",
        "throughput/device/tokens_per_second",
        "gpu_tps",
        step="~\\[step={N}(?:/{N})?",
        gpu_tps="throughput/device/tokens_per_second",
        it_per_s="throughput/device/batches_per_second",
        seen="throughput/total_tokens",
    ),
    # Composer, callbacks/speed_monitor.py; LLM Foundry prints it.
    row(
        "composer",
        ("throughput/tokens_per_sec", "throughput/device/tokens_per_sec", "throughput/samples_per_sec"),
        "tps|gpu_tps|samples",
        epoch="~\\[epoch={N}(?:/{N})?\\]\\[batch=",
        first_epoch=1.0,
        step="~\\[batch={N}(?:/{N})?",
        tps="throughput/tokens_per_sec",
        gpu_tps="throughput/device/tokens_per_sec",
        samples="throughput/samples_per_sec",
        it_per_s="throughput/batches_per_sec",
        flops="throughput/device/flops_per_sec",
        share="throughput/device/mfu",
    ),
    # MLX-LM, tuner/trainer.py: one "iter" is one batch; gradients may be accumulated over several.
    row("mlx-lm", "It/sec", "step it_per_s", step="Iter", it_per_s="It/sec", tps="Tokens/sec", seen="Trained Tokens"),
    # InternEvo, train/pipeline.py `record_current_batch_training_metrics`.
    row(
        "internevo",
        "tgs (tokens/gpu/second)",
        "gpu_tps",
        step="step",
        gpu_tps="tgs (tokens/gpu/second)",
        tflops="tflops",
        seen="num_consumed_tokens",
    ),
    # XTuner 1, train/trainer.py; before, MMEngine's lines with tokens on them.
    row(
        "xtuner",
        ("text_tokens:", "e2e_tgs:"),
        "step gpu_tps",
        step="Step",
        s="time",
        data="data_time",
        gpu_tps="tgs",
        seen="total_consumed_tokens",
        left="eta",
    ),
    replace(MMENGINE, name="xtuner", needs=("step", "micro_s", "gpu_tps")),
    MMENGINE,
    # fairseq and metaseq, logging/progress_bar.py: wps and ups are of all devices.
    row(
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
    row(
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
    row(
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
    row(
        "maxtext",
        ("Tokens/s/device", "TFLOP/s/device"),
        "step s",
        step="completed step",
        s="seconds",
        gpu_tps="Tokens/s/device",
        tflops="TFLOP/s/device",
    ),
    # Levanter, callbacks `pbar_logger` through tqdm-loggable.
    row(
        "levanter",
        "Progress on:train",
        "step it_per_s|s",
        step="~Progress on:train\\s{0,3}(\\d[\\d.,]{0,12}[kKM]?)it(?:/(\\d[\\d.,]{0,12}[kKM]?)it)?",
        it_per_s="~rate:{N}it/s",
        s="~rate:{N}s/it",
        clock="elapsed",
        left="remaining",
    ),
    # T5X, metrics by CLU's logging_writer: of all cores.
    row(
        "t5x",
        "timing/steps_per_second",
        "step it_per_s",
        step="~\\[{N}\\] collection=train",
        it_per_s="timing/steps_per_second",
        samples="timing/seqs_per_second",
    ),
    # AXLearn, common/trainer.py `_step_log`.
    row("axlearn", "Average step time:", "step s", step="step", s="Average step time"),
    # MindFormers, core/callback: TFLOP/s of one NPU.
    row(
        "mindformers",
        "per_step_time:",
        "step ms",
        epoch="~Epoch:\\[\\s{0,9}{N}/\\s{0,9}{N}\\]",
        first_epoch=1.0,
        step="~step:\\[\\s{0,9}{N}/\\s{0,9}{N}\\]",
        ms="per_step_time",
        flops=("~train_throughput_per_npu:\\s{0,9}{N}", "~throughput:\\s{0,9}{N}"),
    ),
    # ColossalAI, examples/language/performance_evaluator.py.
    row(
        "colossalai",
        "TFLOPS per GPU by Megatron",
        "samples",
        samples="Throughput",
        gpu_tps="tokens_per_second_per_device",
        tflops="TFLOPS per GPU by Megatron",
    ),
    # CPM-Live and BMTrain's examples.
    row("cpm", "| Iter:", "step s", step="Iter", s="time"),
)
