"""What people say of how samples reach a device."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning, folded

__all__ = ["WORKERS"]

_MOST = 64
"""Workers of one device at most: a large host has some such number of cores for each."""
_COUNTED = (
    "{} dataloader workers",
    "{} dataloader worker",
    "{} data loader workers",
    "{} data workers",
    "{} loader workers",
    "dataloader num workers {}",
    "num workers {}",
    "{} num workers",
)
_NAMED = ("dataloader workers", "data loader workers", "loader workers")
_NONE = Facts(practice=Practice(loader_workers=0))

_MADE_UP = Meaning(says=Facts(practice=Practice(made_up_samples=True)))
_READY = Meaning(says=Facts(practice=Practice(made_up_samples=True, channels_last=True)))
"""FFCV keeps pictures as they are taken, and its recipes lay them out with channels last."""

_SERVICES = (
    *("colab free", "colab free tier", "google colab free", "google colab free tier", "free colab", "free tier"),
    *("colab pro", "google colab pro", "kaggle free", "kaggle free tier", "free google colab", "free kaggle"),
)
"""What a notebook runs on, which `told_host` reads."""

_FEATURES = (
    *("features", "feature", "input features", "input values", "audio features", "log mel", "log mels", "mels"),
    *("log mel features", "mel features", "log mel spectrograms", "mel spectrograms", "spectrograms", "fbank features"),
)
_MADE = ("precomputed", "pre computed", "cached", "stored", "pre extracted", "preextracted", "extracted", "saved")
_WHERE = (
    "",
    "with dataset map",
    "with datasets map",
    "by dataset map",
    "in advance",
    "before training",
    "to disk",
    "on disk",
)
_STORED = (
    *(
        words.format(made=made, features=features, where=where)
        for words in ("{made} {features} {where}", "{features} {made} {where}", "{features} are {made} {where}")
        for made in _MADE
        for features in _FEATURES
        for where in _WHERE
    ),
    *("dataset map", "datasets map", "dataset map prepare dataset", "prepare dataset map", "prepare dataset"),
)
"""What a sound is taken to be read as anyway: features that were made before training."""

_FRAMES = ("frames", "raw frames", "video frames", "rawframes", "jpeg frames", "jpg frames", "frames of clips")
_DECODED = ("decoded", "extracted", "pre extracted", "preextracted", "predecoded", "pre decoded", "stored", "saved")
_BEFORE = ("", "beforehand", "before", "before training", "in advance", "to disk", "on disk", "as jpeg", "as jpegs")
_STORED_FRAMES = (
    *(f"{frames} {made} {when}" for frames in _FRAMES for made in _DECODED for when in _BEFORE),
    *(f"{made} {frames} {when}" for frames in _FRAMES for made in _DECODED for when in _BEFORE),
    *("raw frames", "rawframes", "rawframe dataset", "raw frame dataset", "jpeg frames", "jpg frames"),
)
_APART = Meaning(
    says=Facts(practice=Practice(stores_frames=True)), denies=Facts(practice=Practice(stores_frames=False))
)
_EACH = ("per gpu", "per device", "per process", "per rank", "per card")
"""A loader is each process's own, and so are the workers that are said of it: this says nothing more."""

WORKERS: Mapping[str, Meaning] = MappingProxyType(
    {
        **{
            folded(words.format(count)): Meaning(says=Facts(practice=Practice(loader_workers=count)))
            for words in _COUNTED
            for count in range(_MOST + 1)
        },
        **{folded(words): Meaning(denies=_NONE) for words in _NAMED},
        **{folded(words): _MADE_UP for words in ("dali", "nvidia dali")},
        **{folded(words): _READY for words in ("ffcv", "ffcv imagenet")},
        **dict.fromkeys(map(folded, _STORED_FRAMES), _APART),
        **{folded(words): Meaning() for words in (*_SERVICES, *_STORED, *_EACH)},
        **{folded(f"{how} data"): _MADE_UP for how in ("synthetic", "mock", "dummy", "random", "fake")},
    }
)
"""By folded phrase."""
