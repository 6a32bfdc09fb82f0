"""What users of a denoiser's trainer can say to save memory: kept encodings, fewer bits, blocks in host memory."""

from collections.abc import Iterator
from typing import Literal

from estimator.models.diffusion.blocks import counted_blocks
from estimator.models.diffusion.sample import conditioners_run
from estimator.models.training import WITH_ADAPTERS
from estimator.physics.choice import Setting
from estimator.physics.held_base import held_bits
from estimator.question.practice import Practice

__all__ = ["DenoiserLever", "denoiser_levers"]

DenoiserLever = Literal["kernels", "optimizer", "base", "offload", "swap"]
_SWAP_SHARES = (0.25, 0.5, 0.75, 1.0)
"""Of the blocks that can be swapped; sd-scripts' guide to FLUX.1 names 16, 22 and 28 of 35."""
_ALWAYS_THERE = 2
"""Blocks of a network that stay on the device: one at work and one on its way (`blocks_to_swap` is checked so)."""
_LEAN = Practice(optimizer="adafactor", master_weights=False, releases_gradients=True)


def denoiser_levers(setting: Setting) -> Iterator[tuple[DenoiserLever, Practice, str]]:
    """Yield what saves memory of a denoiser, in its trainers' words, those of a kind in order of what they move."""
    question = setting.question
    swapped = question.practice.swapped_blocks or 0
    running = conditioners_run(question.transformer)
    texts, latents = "text_encoder" in running, "vae" in running
    if texts or latents:
        words = [*(["cached text embeddings"] if texts else []), *(["cached latents"] if latents else [])]
        kept = Practice(caches_text=True if texts else None, caches_latents=True if latents else None)
        yield "kernels", kept, ", ".join(words)
    if question.method.name == "full":
        yield "optimizer", _LEAN, "adafactor, full bf16, fused backward pass"
    elif question.method.name == "lora" and held_bits(question, question.practice) is None:
        yield "base", Practice(base_bits=8, dequantization="quanto"), "8-bit base"
    yield "offload", Practice(offload_activations=True), "gradient checkpointing with cpu offload"
    if question.method.name not in WITH_ADAPTERS | {"full"} or question.cluster.n_gpus > 1:
        return
    most = int(counted_blocks(question.transformer)) - _ALWAYS_THERE
    for share in _SWAP_SHARES:
        blocks = round(share * most)
        if blocks > swapped:
            yield "swap", Practice(swapped_blocks=blocks), f"blocks_to_swap {blocks}"
