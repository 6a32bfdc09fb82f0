"""Encoders of pictures and clips that learn from what is masked, and those of clips that descend from ViT."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from estimator.models.autoencoders import PAINTER
from estimator.models.huggingface.blocks import (
    BIASED,
    classifier,
    configured,
    head_class,
    image_side,
    patches_a_side,
    stack,
)
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.huggingface.vision import VIT_BASE
from estimator.models.media import Media
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.transformer import Tower
from estimator.models.vectors import VectorFacts

__all__ = ["timesformer", "videomae", "vit_mae"]

_VIT_MAE: Mapping[str, object] = {
    **VIT_BASE,
    "decoder_hidden_size": 512,
    "decoder_num_hidden_layers": 8,
    "decoder_num_attention_heads": 16,
    "decoder_intermediate_size": 2048,
}
_VIDEOMAE: Mapping[str, object] = {
    **VIT_BASE,
    "num_frames": 16,
    "tubelet_size": 2,
    "decoder_hidden_size": 384,
    "decoder_num_hidden_layers": 4,
    "decoder_num_attention_heads": 6,
    "decoder_intermediate_size": 1536,
}
_MASKED_OF_PICTURES, _MASKED_OF_CLIPS = 0.75, 0.9
"""Shares of patches that are masked: He et al. 2022, section 4.1; Tong et al. 2022, section 4.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patches:
    """The patches of one picture or clip."""

    media: Media
    count: int
    """Of a whole one, tokens beside them apart."""
    inputs: int
    """Values of one patch."""

    @property
    def seen(self) -> int:
        """Positions that the encoder has: what is not masked, and tokens beside them."""
        return round(self.count * self.media.kept) + self.media.extra

    def embedding(self, hidden: int) -> Projection:
        """Return what embeds all of them, masked or not."""
        return Projection(name="patch_embedding", inputs=self.inputs, outputs=hidden, rate=self.count / self.seen)


def _patches(reading: Reading, *, extra: int, kept: float = 1.0, frames: int = 1, tubelet: int = 1) -> _Patches:
    side, patch = image_side(reading), image_side(reading, "patch_size")
    media = Media(
        kind="clip" if frames > 1 else "image",
        main=True,
        policy="resized",
        width=side,
        height=side,
        patch=patch,
        frames=frames,
        tubelet=tubelet,
        extra=extra,
        kept=kept,
        usual_text=0,
    )
    return _Patches(
        media=media,
        count=patches_a_side(reading) ** 2 * max(frames // tubelet, 1),
        inputs=reading.whole("num_channels") * patch * patch * tubelet,
    )


def _painter(reading: Reading, patches: _Patches, facts: VectorFacts, *, table: int, besides: int, bias: bool) -> Tower:
    """Return the decoder that paints all patches from those that are seen."""
    width, layers = reading.whole("decoder_hidden_size"), reading.whole("decoder_num_hidden_layers")
    whole = patches.count + patches.media.extra
    entering = Projection(
        name="decoder_embedding",
        inputs=reading.whole("hidden_size"),
        outputs=width,
        rate=patches.seen / whole,
        bias=bias,
    )
    painting = Projection(name="painting", inputs=width, outputs=patches.inputs, part="logits")
    network = stack(
        name="painter",
        hidden=width,
        layers=layers,
        heads=reading.whole("decoder_num_attention_heads"),
        ffn=reading.whole("decoder_intermediate_size"),
        facts=facts,
        mixers=(entering, painting),
        lookup=table * width,
        # One token stands for all that are masked.
        besides=width + besides,
        native=whole,
    )
    return Tower(name=PAINTER, network=network, rate=whole / patches.seen, downstream=True)


def vit_mae(config: Config) -> ConfiguredModel:
    """Return a masked autoencoder (He et al. 2022): an encoder of the patches seen, a narrow decoder of all."""
    reading = Reading(config=config, defaults=_VIT_MAE, model_type="vit_mae")
    hidden = reading.whole("hidden_size")
    masked = reading.value("mask_ratio")
    share = float(masked) if isinstance(masked, int | float) and 0 <= masked < 1 else _MASKED_OF_PICTURES
    patches = _patches(reading, extra=1, kept=1.0 - share)
    biased = reading.flag("qkv_bias", default=True)
    facts = replace(BIASED, query_bias=biased, kv_bias=biased)
    table = patches.count + 1
    paints = "PreTraining" in head_class(config, "ForPreTraining")
    network = stack(
        name="masked autoencoder",
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=facts,
        mixers=(patches.embedding(hidden),),
        lookup=table * hidden,
        besides=hidden,
        towers=(_painter(reading, patches, facts, table=table, besides=0, bias=True),) if paints else (),
        media=patches.media,
        native=patches.seen,
    )
    return configured(network, config)


def videomae(config: Config) -> ConfiguredModel:
    """Return a VideoMAE (Tong et al. 2022): patches of two frames, positions that are not learnt, keys without bias."""
    reading = Reading(config=config, defaults=_VIDEOMAE, model_type="videomae")
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    name = head_class(config, "ForPreTraining")
    paints = "PreTraining" in name
    patches = _patches(
        reading,
        extra=0,
        kept=1.0 - _MASKED_OF_CLIPS if paints else 1.0,
        frames=reading.whole("num_frames"),
        tubelet=reading.whole("tubelet_size"),
    )
    biased = reading.flag("qkv_bias" if "qkv_bias" in config else "qv_bias", default=True)
    pooled = reading.flag("use_mean_pooling", default=True)
    classifies = "Classification" in name
    facts = replace(BIASED, query_bias=biased, kv_bias=False, outer_norms=int(not pooled or classifies))
    head: tuple[Mixer, ...] = (patches.embedding(hidden),)
    if classifies:
        head += (classifier(reading, hidden, positions=patches.seen),)
    width, depth = reading.whole("decoder_hidden_size"), reading.whole("decoder_num_hidden_layers")
    painter = _painter(
        reading,
        patches,
        replace(facts, outer_norms=1),
        table=0,
        besides=width * depth * biased,
        bias=False,
    )
    network = stack(
        name="videomae model",
        hidden=hidden,
        layers=layers,
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=facts,
        mixers=head,
        besides=hidden * layers * biased,
        towers=(painter,) if paints else (),
        media=patches.media,
        native=patches.seen,
    )
    return configured(network, config)


def timesformer(config: Config) -> ConfiguredModel:
    """Return a TimeSformer (Bertasius et al. 2021): attention over a patch's frames, then over a frame's patches."""
    reading = Reading(config=config, defaults={**VIT_BASE, "num_frames": 8}, model_type="timesformer")
    hidden, layers, heads = (reading.whole(key) for key in ("hidden_size", "num_hidden_layers", "num_attention_heads"))
    frames = reading.whole("num_frames")
    patches = _patches(reading, extra=1, frames=frames)
    of_frame = patches.count // frames + 1
    divided = reading.value("attention_type") in {None, "divided_space_time"}
    biased = reading.flag("qkv_bias", default=True)
    mixers: tuple[Mixer, ...] = (patches.embedding(hidden),)
    if divided:
        over_frames = SoftmaxAttention(
            layers=layers,
            heads=heads,
            kv_heads=heads,
            head_dim=hidden // heads,
            window=frames,
            windowed_layers=layers,
            chunked=True,
            causal=False,
            # Biases of its projections, and the norm before it.
            own_vectors=(3 * biased + 1 + 2) * hidden,
        )
        mixers += (over_frames, Projection(name="after_frames", inputs=hidden, outputs=hidden, count=layers))
    if "Classification" in head_class(config, "Model"):
        mixers += (classifier(reading, hidden, positions=patches.seen),)
    network = stack(
        name="timesformer model",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=reading.whole("intermediate_size"),
        facts=replace(BIASED, query_bias=biased, kv_bias=biased),
        mixers=mixers,
        lookup=(of_frame + frames) * hidden,
        besides=hidden,
        window=of_frame if divided else 0,
        windowed_layers=layers if divided else 0,
        chunked=True,
        media=patches.media,
        native=patches.seen,
    )
    return configured(network, config)
