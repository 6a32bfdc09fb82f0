"""The table of dialects, its third part: trainers of pictures, of pictures with text, of sound and speech."""

from estimator.answers.check.dialect import row

__all__ = ["MEDIA_TRAINERS", "MMENGINE"]

MMENGINE = row(
    "mmengine",
    ("Iter(train)", "Epoch(train)", "data_time:"),
    "step micro_s",
    counts_micro=True,
    epoch="~Epoch ?(?:\\(train\\))?\\s{0,9}\\[{N}\\]",
    first_epoch=1.0,
    step="~(?:Iter|Epoch) ?(?:\\(train\\))?\\s{0,9}(?:\\[\\d{1,6}\\])?\\[\\s{0,9}{N}/\\s{0,9}{N}\\]",
    micro_s="time",
    data="data_time",
    gpu_tps="tokens_per_sec",
    tflops="tflops",
    left="eta",
)
"""MMEngine, hooks/logger_hook.py, and MMCV 1 before it, runner/hooks/logger/text.py: iterations are micro-batches."""
MEDIA_TRAINERS = (
    # OpenCLIP, open_clip_train/train.py: samples of all devices, and of one.
    row(
        "openclip",
        "Batch (t):",
        "s samples",
        s="Batch (t)",
        data="Data (t)",
        samples="~, {N}/s,",
        gpu_samples="~, {N}/s/gpu",
    ),
    # timm, train.py: updates; the last one before the mean in brackets, samples of all devices.
    row(
        "timm",
        "Train: ",
        "step s samples",
        epoch="~Train: {N}(?:/{N})? \\[",
        first_epoch=0.0,
        step="~Train: \\d{1,6}(?:/\\d{1,6})? \\[\\s{0,9}{N}/\\s{0,9}{N} ",
        s="Time",
        data="Data",
        samples="~Time: [\\d.]{1,12}s, \\s{0,9}{N}/s",
    ),
    # Detectron2, utils/events.py `CommonMetricPrinter`.
    row("detectron2", "last_data_time:", "step s", step="iter", s=("time", "s/iter"), data="data_time", left="eta"),
    # torchvision's references and what grew of them (DeiT, MAE, DINO): their `MetricLogger`.
    row(
        "torchvision",
        " data: ",
        "step micro_s",
        counts_micro=True,
        epoch="~Epoch: \\[{N}(?:/{N})?\\]",
        first_epoch=0.0,
        step="~\\[\\s{0,9}{N}/\\s{0,9}{N}\\]\\s{1,9}eta:",
        micro_s="time",
        data="data",
        left="eta",
    ),
    # Swin-Transformer, main.py; pytorch/examples, imagenet/main.py: the last one, and the mean in brackets.
    row(
        "torchvision",
        ("\ttime ", "\tTime "),
        "step micro_s",
        counts_micro=True,
        epoch="~\\[{N}(?:/{N})?\\]\\[",
        first_epoch=0.0,
        step="~\\]\\[\\s{0,9}{N}/\\s{0,9}{N}\\]",
        micro_s=("time", "Time"),
        data="Data",
        left="eta",
    ),
    # Point Transformer and what grew of it, tool/train.py.
    row(
        "torchvision",
        " Remain ",
        "step micro_s",
        counts_micro=True,
        epoch="~\\[{N}/{N}\\]\\[",
        first_epoch=1.0,
        step="~\\]\\[\\s{0,9}{N}/\\s{0,9}{N}\\]",
        micro_s="Batch",
        data="Data",
        left="Remain",
    ),
    # OpenPCDet, tools/train_utils/train_utils.py.
    row(
        "openpcdet",
        "iter_cost=",
        "step s",
        epoch="~epoch: {N}/{N}",
        first_epoch=0.0,
        step="cur_iter",
        s="iter_cost",
    ),
    # PaddleClas, PaddleDetection and their kin: `ips` counts one device's samples.
    row(
        "paddle",
        "batch_cost",
        "s|gpu_samples",
        # PaddleSeg's `epoch: 1, iter: 100/80000` counts all iterations.
        epoch=("~\\[Epoch {N}/{N}\\]", "~Epoch: \\[{N}\\]"),
        step=("~[Ii]ter: ?{N}/{N}", "global_step", "iter", "~\\] \\[\\s{0,9}{N}/{N}\\]"),
        s=("batch_cost", "avg_batch_cost"),
        data=("reader_cost", "avg_reader_cost"),
        gpu_samples="ips",
        left="eta",
    ),
    # ESPnet, espnet2/train/trainer.py: `train_time` is of an update.
    row("espnet", "train_time=", "s", s="train_time", data="iter_time"),
)
