"""What a host's data loader takes to read pictures and sounds, and how much of it a step waits for."""

import numpy as np

from estimator.base.prior import Prior
from estimator.physics.case import BROADCAST, Case, is_anywhere
from estimator.physics.layout import Layouts
from estimator.question.reads import Reads

__all__ = ["LIST_NUMBERS", "USUAL_WORKERS", "loading_s", "reading_s"]

LIST_NUMBERS = frozenset({"huggingface", "optimum-habana"})
"""Kin whose scripts for speech keep features as lists in Arrow tables, and have no workers by default
(`dataloader_num_workers`)."""
USUAL_WORKERS = 8
"""Processes that read each device's sounds where people have any: 4 to 8 in scripts of Optimum and of Transformers."""

_PICTURE_S = Prior(
    low=0.0005,
    mode=0.0015,
    high=0.004,
    why="One core's work on any picture: opening its file, Python objects, handing the tensor over",
)
_ARRAY_S = Prior(
    low=0.00005,
    mode=0.0001,
    high=0.0004,
    why="One core's work on a picture that lies in memory as an array: Python objects of its crop and flip, and its "
    "share of the batch that they are joined to (6,000 to 10,000 of CIFAR a second with torchvision's transforms)",
)
_MEGAPIXEL_S = Prior(
    low=0.01,
    mode=0.03,
    high=0.08,
    why="One core decoding a JPEG or PNG with Pillow (0.01 to 0.02 s a megapixel), scaling it bicubically, and turning "
    "it to normalised floats in NumPy, as Transformers' processors do",
)
_FRAME_S = Prior(
    low=0.0003,
    mode=0.0006,
    high=0.002,
    why="One core decoding a frame of H.264 of 256 to 340 pixels a side, as sets of actions are stored, on its way: "
    "FFmpeg decodes 150 to 250 of 1080 lines a second, 0.3 to 0.5 gigapixels, which is 0.2 to 0.3 ms for a tenth of a "
    "megapixel, and each frame has work of its own besides; PyAV and decord hand out those alone that are taken",
)
_NUMBER_S = Prior(
    low=0.25e-6,
    mode=0.4e-6,
    high=0.8e-6,
    why="One core's work on each number of a stored feature: out of an Arrow table as a Python object (0.2 to 0.3), "
    "into an array and a padded tensor (0.1). Whisper's 30 s, 240,000 numbers, take 0.1 s, about what decoding, "
    "resampling and a log-mel spectrogram take where they are made as they are read. Set with 13 runs of five labs in "
    "view: without workers those of Hugging Face, Plim, AlexN and Norway's library say 0.25 to 0.6 under the level of "
    "their kind, Optimum Habana's with eight workers on each of eight devices 0.45 to 0.85",
)
_SHARPNESS = 8.0
"""Of the turn from a step that the device bounds to one that its samples do: a tenth longer where they are even."""


def reading_s(reads: Reads) -> float:
    """Return the seconds that one core takes to read what `reads` holds."""
    opened = (reads.pictures - reads.arrays) * _PICTURE_S.mode + reads.arrays * _ARRAY_S.mode
    pictures = opened + reads.megapixels * _MEGAPIXEL_S.mode + reads.passed * _FRAME_S.mode
    return pictures + reads.numbers * _NUMBER_S.mode


def loading_s(case: Case, lay: Layouts, step_s: BROADCAST) -> BROADCAST:
    """Return the seconds that a step of `step_s` waits for its samples, shape (L,).

        no workers      reading = micro_batches · micro_batch · of a sequence
        w workers       ((reading/w)⁸ + step⁸)^⅛ − step

    Without workers the process that launches kernels reads, and does so after it has waited for the last loss. Workers
    read ahead while the device computes, and the slower of the two sets the pace: where they are even, each waits for
    the other now and then.
    """
    if not is_anywhere(case.reading_s):
        return 0.0
    reading = lay.micro_batches * lay.micro_batch * case.reading_s
    beside = reading / np.maximum(case.loader_workers, 1.0)
    longer, shorter = np.maximum(beside, step_s), np.minimum(beside, step_s)
    paced = longer * (1.0 + (shorter / longer) ** _SHARPNESS) ** (1.0 / _SHARPNESS)
    return np.where(case.loader_workers >= 1.0, paced - step_s, reading)
