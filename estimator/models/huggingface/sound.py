"""Language models that read sounds."""

from estimator.models.huggingface.blocks import linear_stack, mlp_projections
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.encoder_decoders import whisper_encoder
from estimator.models.huggingface.multimodal import language_model, with_towers
from estimator.models.huggingface.reading import Config, nested
from estimator.models.media import Media

__all__ = ["sound_model"]


def sound_model(config: Config, read: Read) -> ConfiguredModel:
    """Return a Qwen2-Audio or Voxtral (Chu et al. 2024): Whisper's encoder, pooled or grouped, before a decoder."""
    kind = str(config.get("model_type"))
    text = language_model(config, read)
    audio, hidden = nested(config, "audio_config") or {}, text.transformer.hidden
    tower = whisper_encoder(audio, name=f"{kind}_encoder")
    positions = tower.native_sequence_length
    if kind == "voxtral":
        # Four positions are one token.
        wide = tower.ffn_hidden
        projections, tokens = mlp_projections(wide, hidden, hidden, bias=False), positions // 4
    else:
        projections, tokens = mlp_projections(tower.hidden, hidden), positions // 2
    media = Media(kind="sound", positions=positions, tokens=tokens, seconds=30.0, usual_text=64)
    return with_towers(config, text, media, {"audio": tower, "projector": linear_stack("projector", *projections)})
