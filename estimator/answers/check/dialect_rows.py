"""The table of dialects: trainers' own lines, then engines', exports and closing lines, then everybody's names."""

from estimator.answers.check.dialect import row
from estimator.answers.check.log_point import CLOSING, ENGINE
from estimator.answers.check.media_rows import MEDIA_TRAINERS
from estimator.answers.check.trainer_rows import TRAINERS
from estimator.answers.check.tuning_rows import TUNERS

__all__ = ["COUNTS_EACH", "DIALECTS", "ELSEWHERE", "OWN_LOOP", "SETUPS"]

DIALECTS = (
    *TRAINERS,
    *TUNERS,
    *MEDIA_TRAINERS,
    # DeepSpeed's pipeline engine; its throughput timer; DeepSpeed-Chat's perf.py, which counts one device's batch.
    row(
        "deepspeed",
        "iter time (s)",
        "step s",
        step=("steps", "step"),
        s="iter time (s)",
        samples="samples/sec",
        left="eta",
    ),
    row(
        "deepspeed",
        "SamplesPerSec",
        "samples",
        rank=ENGINE,
        step=("global_step", "~\\] \\d{1,9}/{N}, "),
        samples=("CurrSamplesPerSec", "SamplesPerSec"),
    ),
    row(
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
    row(
        "wandb",
        "_runtime",
        "step elapsed_n",
        rank=ENGINE,
        step=("train/global_step", "trainer/global_step", "global_step", "_step"),
        elapsed_n="_runtime",
        gpu_tps=("tokens_per_second_per_gpu", "tokens_per_sec_per_gpu", "tps_per_gpu"),
        tps=("tokens_per_second", "tokens_per_sec", "tokens_per_s"),
        seen=("train/num_input_tokens_seen", "num_input_tokens_seen", "num_tokens"),
        s=("step_time", "time/step"),
    ),
    # TensorBoard: the seconds of the epoch at which a step was written.
    row("tensorboard", "Wall time", "step elapsed_n", rank=ENGINE, step="Step", elapsed_n="Wall time"),
    # TensorFlow's Estimators: one rate a line.
    row(
        "tensorflow",
        "INFO:tensorflow:",
        "it_per_s|samples",
        it_per_s="global_step/sec",
        samples="examples/sec",
    ),
    # PyTorch/XLA, test_utils.py: of one device.
    row("torch-xla", "Device=xla:", "step gpu_samples", step="Step", gpu_samples="Rate"),
    # Parts of a step and their total, by names that are everybody's.
    row(
        "unknown",
        ("Backward:", "backward:"),
        "step s",
        step=r"~(?i:batch|step|iter|iteration)\W{0,3}{N}",
        s=r"~(?i:total): {D}",
    ),
    # MLflow: a metric's history, in milliseconds of the epoch.
    row(
        "mlflow",
        "timestamp: ",
        "step elapsed_ms",
        rank=ENGINE,
        step="step",
        elapsed_ms="~timestamp: (\\d{13})(?!\\d)",
    ),
    # LLaMA-Factory in the dict of a Trainer: the mean of all devices since the start.
    row("llama-factory", ("'throughput'", '"throughput"'), "tps", tps="throughput", seen="num_input_tokens_seen"),
    # The closing line of a Hugging Face Trainer, and the same in a summary of W&B.
    row(
        "huggingface-end",
        ("train_steps_per_second", "train_samples_per_second", "train_runtime"),
        "it_per_s|samples|elapsed_n",
        rank=CLOSING,
        step=("train/global_step", "global_step"),
        it_per_s="train_steps_per_second",
        samples="train_samples_per_second",
        elapsed_n="train_runtime",
        tps="train_tokens_per_second",
        seen="num_input_tokens_seen",
        passed="epoch",
    ),
    # TRL's trainers count the tokens seen by all processes in the dict of a Trainer.
    row("trl", ("'step_time'", '"step_time"'), "s", rank=ENGINE, s="step_time", seen="num_tokens", passed="epoch"),
    row("trl", "num_tokens", "seen", rank=CLOSING, seen="num_tokens", passed="epoch"),
    row(
        "huggingface",
        "num_input_tokens_seen",
        "seen",
        rank=CLOSING,
        seen="num_input_tokens_seen",
        passed="epoch",
    ),
    # DeepSpeed's profiler, profiling/flops_profiler: of one iteration, a report of many lines.
    row("deepspeed-profiler", "iter latency:", "s", rank=ENGINE, s=r"~^iter latency:\s{0,80}{D}"),
    row("deepspeed-profiler", "FLOPS per GPU = ", "tflops", rank=ENGINE, tflops=r"~iter latency:\s{0,80}{N} TFLOPS"),
    # Steps and the time of day alone: DeepSpeed's `log_dist`, a Trainer's dict behind a logger.
    row("deepspeed", "[Rank 0] step=", "step", rank=CLOSING, stamped=True, step="step"),
    row("huggingface", ("'loss'", '"loss"'), "step", rank=CLOSING, stamped=True, step="step"),
    # What nobody's source is known for: a step and the time of day, beside a loss.
    row(
        "unknown",
        ("loss", "Loss"),
        "step",
        rank=CLOSING,
        stamped=True,
        guessed=True,
        step=("global_step", "step", "Step", "iteration", "Iteration", "iter", "Iter", "batch", "Batch"),
    ),
)
COUNTS_EACH = frozenset({one.name for one in DIALECTS if "gpu_tps" in one.fields}) - {
    one.name for one in DIALECTS if "tps" in one.fields
}
"""Trainers that print the tokens per second of one device and never those of all."""
OWN_LOOP = row(
    "unknown",
    (),
    "",
    guessed=True,
    epoch=r"~(?i:epoch)\W{0,4}{N}/{N}\W{1,5}(?i:step|iter|iteration|batch)\W{1,4}\d{1,9}/\d",
    step=("global_step", "_step", "step", "Step", "iteration", "Iteration", "iter", "Iter", r"~\] \[{N}\] "),
    batch=("global_batch_size", "batch_size_total"),
    step_tokens=("tokens/step", "tokens_per_step", "tokens per step"),
    tflops=r"~(?i:tflops?)(?:/s)?(?:/|[ _]per[ _])(?i:gpu|device|chip|card)\W{1,4}{N}",
    share=("mfu", "MFU"),
    clock=r"~(?i:elapsed)(?:[ _]time)?\W{1,3}(\d{1,4}:\d\d(?::\d\d)?)(?!\d)",
    time=r"~(?<![\w/])(?i:time)\W{1,3}{N} ?s(?:ec(?:onds?)?)?(?![A-Za-z/])",
)
"""What stands beside speeds by everybody's names."""
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
    # Samplers beside a trainer have a world of their own, and so has each way to split a model.
    (
        "orld",
        "n_gpus",
        r"(?<!\w)(?<!parallel )(?<!local )[Ww]orld[ _][Ss]ize[ .:=]{1,60}{N}(?!.{0,200}local_rank)",
    ),
    ("Total optimization steps", "total_steps", r"Total optimization steps ?[=:]\s{0,9}{N}"),
    ("Continuing training from global step", "resumed_at", r"Continuing training from global step {N}"),
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
    # With the dots of a list of arguments: a model's configuration has such a key too, for the most it can take.
    ("seq_length", "sequence_length", r"(?<!\w)seq_length ?[.=]{1,60} ?{N}"),
    ("sequence_len", "sequence_length", r"(?<!\w)sequence_len(?:gth)?['\"]?[ .:=]{1,60}{N}"),
    ("cutoff_len", "sequence_length", r"cutoff_len['\"]?[ .:=]{1,60}{N}"),
    ("max_seq_length", "sequence_length", r"(?<!\w)max_seq_length['\"]?[ .:=]{1,60}{N}"),
    ("micro_batch_size", "micro_batch", r"(?<!\w)micro_batch_size['\"]?[ .:=]{1,60}{N}"),
    ("per_device_train_batch_size", "micro_batch", r"per_device_train_batch_size['\"]?[ .:=]{1,60}{N}"),
)
