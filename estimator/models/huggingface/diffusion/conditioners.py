"""Frozen networks that prepare a denoiser's inputs: text encoders as their publishers describe them, and VAEs.

Source: the `config.json` of openai/clip-vit-large-patch14, laion/CLIP-ViT-H-14 and ViT-bigG-14, google/t5-v1_1-xxl,
google/umt5-xxl, EleutherAI/pile-t5-xl, google/gemma-2-2b, meta-llama/Meta-Llama-3-8B and Qwen/Qwen2.5-VL-7B-Instruct.
"""

from collections.abc import Callable
from functools import partial

from estimator.models.huggingface.blocks import BIASED, stack
from estimator.models.huggingface.diffusion.vae import vae_encoder
from estimator.models.transformer import Tower, Transformer
from estimator.models.vectors import VectorFacts

__all__ = ["conditioners"]

_PLAIN = VectorFacts()
_CLIP_TEXT = 77


def conditioners(
    *,
    clip_l: bool = False,
    clip_h: bool = False,
    clip_g: bool = False,
    t5: int = 0,
    umt5: int = 0,
    pile_t5: int = 0,
    gemma: int = 0,
    llama: int = 0,
    qwen: int = 0,
    vae: int = 0,
) -> tuple[Tower, ...]:
    """Return text encoders, each at its length in tokens, and the VAE of so many latent channels; rates are set later.

    CLIP's text is of 77 tokens always.
    """
    clip = _CLIP_TEXT
    asked: tuple[tuple[int, Callable[[], Transformer]], ...] = (
        (clip * clip_l, partial(_clip, "CLIP ViT-L", 768, 12, 3072)),
        # Stable Diffusion 2 takes the last layer but one.
        (clip * clip_h, partial(_clip, "OpenCLIP ViT-H", 1024, 23, 4096)),
        (clip * clip_g, partial(_clip, "OpenCLIP ViT-bigG", 1280, 32, 5120)),
        (t5, partial(_t5, "T5 XXL", 4096, 10240, 32128)),
        (umt5, partial(_t5, "UMT5 XXL", 4096, 10240, 256384)),
        (pile_t5, partial(_t5, "Pile-T5 XL", 2048, 5120, 32128)),
        (gemma, partial(_decoder, "Gemma 2 2B", 2304, layers=26, heads=8, kv=4, dim=256, ffn=9216, vocab=256000)),
        (llama, partial(_decoder, "Llama 3 8B", 4096, layers=32, heads=32, kv=8, dim=128, ffn=14336, vocab=128320)),
        (qwen, partial(_decoder, "Qwen2.5-VL 7B", 3584, layers=28, heads=28, kv=4, dim=128, ffn=18944, vocab=152064)),
    )
    encoders = [(make(), length) for length, make in asked if length]
    towers = [
        Tower(
            name="text_encoder" if place == 0 else f"text_encoder_{place + 1}",
            network=encoder,
            rate=float(length),
            length=float(length),
            trained=False,
        )
        for place, (encoder, length) in enumerate(encoders)
    ]
    if vae:
        towers.append(Tower(name="vae", network=vae_encoder(vae), rate=1.0, trained=False))
    return tuple(towers)


def _clip(name: str, hidden: int, layers: int, ffn: int) -> Transformer:
    lookup = (49408 + _CLIP_TEXT) * hidden
    return stack(
        name=name, hidden=hidden, layers=layers, heads=hidden // 64, ffn=ffn, facts=BIASED, causal=True, lookup=lookup
    )


def _t5(name: str, hidden: int, ffn: int, vocab: int) -> Transformer:
    return stack(
        name=name,
        hidden=hidden,
        layers=24,
        heads=hidden // 64,
        head_dim=64,
        ffn=ffn,
        facts=_PLAIN,
        gated=True,
        lookup=vocab * hidden,
    )


def _decoder(
    name: str, hidden: int, *, layers: int, heads: int, kv: int, dim: int, ffn: int, vocab: int
) -> Transformer:
    return stack(
        name=name,
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=kv,
        head_dim=dim,
        ffn=ffn,
        facts=_PLAIN,
        gated=True,
        causal=True,
        lookup=vocab * hidden,
    )
