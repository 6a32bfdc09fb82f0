"""LayoutLM v3: an encoder of pages, whose sequence is the text and, behind it, patches of the page's picture."""

from collections.abc import Mapping

from estimator.models.huggingface.blocks import BIASED, classes, configured, head_class, patches_a_side, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection

__all__ = ["layoutlm_v3"]

_PAGE: Mapping[str, object] = {
    "vocab_size": 50265,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "max_2d_position_embeddings": 1024,
    "coordinate_size": 128,
    "shape_size": 128,
    "rel_pos_bins": 32,
    "rel_2d_pos_bins": 64,
    "input_size": 224,
    "num_channels": 3,
    "patch_size": 16,
}
_FEW_LABELS = 10
"""Below so many, the class labels tokens by one matrix; else, and whole pages always, by two."""


def layoutlm_v3(config: Config) -> ConfiguredModel:
    """Return a LayoutLMv3 (Huang et al. 2022), with text and picture."""
    reading = Reading(config=config, defaults=_PAGE, model_type="layoutlmv3")
    hidden, heads, patch = (reading.whole(key) for key in ("hidden_size", "num_attention_heads", "patch_size"))
    rows = reading.whole("max_position_embeddings")
    sized = Reading(
        config={"image_size": reading.whole("input_size"), "patch_size": patch}, defaults={}, model_type="layoutlmv3"
    )
    patches = patches_a_side(sized) ** 2
    # A class token stands before the patches.
    positions = rows + patches + 1
    tables = (rows + reading.whole("type_vocab_size") + reading.whole("vocab_size") + patches + 1) * hidden
    # Left and upper edges, widths and heights of boxes, each looked up on its own.
    page = reading.whole("max_2d_position_embeddings")
    tables += 2 * page * (reading.whole("coordinate_size") + reading.whole("shape_size"))
    biases = reading.whole("rel_pos_bins") if reading.flag("has_relative_attention_bias", default=True) else 0
    if reading.flag("has_spatial_attention_bias", default=True):
        biases += 2 * reading.whole("rel_2d_pos_bins")
    embedding = Projection(
        name="patch_embedding",
        inputs=reading.whole("num_channels") * patch * patch,
        outputs=hidden,
        rate=patches / positions,
    )
    network = stack(
        name="layoutlmv3 model",
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=heads,
        ffn=reading.whole("intermediate_size"),
        facts=BIASED,
        mixers=(embedding, *_head(reading, hidden, rows / positions, 1.0 / positions)),
        lookup=tables,
        # The class token; a norm behind the patches, and one behind both.
        besides=hidden + 2 * 2 * hidden + biases * heads,
        native=positions,
    )
    return configured(network, config, f"a sequence is taken to hold the page's {patches + 1} patches beside its text")


def _head(reading: Reading, hidden: int, text: float, page: float) -> tuple[Mixer, ...]:
    """Return the head of the class that is named; `text` is the share of positions that are text, `page` one of all."""
    name = head_class(reading.config, "Model")
    if name.endswith("Model"):
        return ()
    rate, labels = (page if "Sequence" in name else text), classes(reading)
    label = Projection(name="classifier", inputs=hidden, outputs=labels, rate=rate, part="logits")
    if "Token" in name and labels < _FEW_LABELS:
        return (label,)
    return (Projection(name="transform", inputs=hidden, outputs=hidden, rate=rate), label)
