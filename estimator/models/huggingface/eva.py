"""EVA-02, whose files are timm's: a name that tells width, patch and picture, and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.blocks import BIASED, classifier, configured, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.huggingface.vision_towers import patch_embedding
from estimator.models.media import Media

__all__ = ["timm_file"]

_NAME = re.compile(r"eva02_(?P<size>[a-z]{4,5})_patch(?P<patch>\d{2})_(?P<side>\d{3})(?:\..{0,64})?")
_SIZES: Mapping[str, tuple[int, int, int]] = {
    "tiny": (192, 12, 3),
    "small": (384, 12, 6),
    "base": (768, 12, 12),
    "large": (1024, 24, 16),
}
"""Width, layers and heads (Fang et al. 2023, table 1)."""
_NORMED = frozenset({"base", "large"})
"""Sizes whose MLPs have a norm inside."""


def timm_file(config: Config) -> ConfiguredModel:
    """Return an EVA-02 (Fang et al. 2023) by the name that timm has for it: rotary positions, gated MLPs.

    Raises UnsupportedModelError for another network of timm's.
    """
    name = str(config.get("architecture"))
    match = _NAME.fullmatch(name)
    if match is None or match["size"] not in _SIZES:
        raise UnsupportedModelError(
            f"hf_config.architecture: {shown(name)} of timm is not read from its file; name the model instead"
        )
    hidden, layers, heads = _SIZES[match["size"]]
    patch, side = int(match["patch"]), int(match["side"])
    if not 0 < patch <= side:
        raise UnsupportedModelError(f"hf_config.architecture: {shown(name)} cuts no patches")
    patches = (side // patch) ** 2
    positions, ffn = patches + 1, hidden * 8 // 3
    labels = Reading(config={"num_labels": config.get("num_classes", 1000)}, defaults={}, model_type="eva02")
    head = (classifier(labels, hidden, positions=positions),) if config.get("num_classes") != 0 else ()
    # Values have a bias and keys none; the MLP's norm has a shift.
    each = hidden + 2 * ffn * (match["size"] in _NORMED)
    network = stack(
        name="eva02 model",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=ffn,
        facts=replace(BIASED, kv_bias=False),
        gated=True,
        mixers=(patch_embedding(patch, hidden, rate=patches / positions), *head),
        lookup=positions * hidden,
        besides=hidden + each * layers,
        media=Media(main=True, policy="resized", width=side, height=side, patch=patch, extra=1, usual_text=0),
        native=positions,
    )
    return configured(network, config)
