"""What is measured: sizes of matrices, and decoders, as large as the memory and the time allow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["DECODERS", "Decoder", "Step", "matmul_sizes", "steps_that_fit"]

_SIZES = 3
_LARGEST_MATMUL, _SMALLEST_MATMUL = 16_384, 128
_RUNS_OF_LARGEST = 8
"""Of the largest matrices, in the time of all sizes."""
_MEMORY_OF_MATMUL = 0.25
_MEMORY_OF_STEP = 0.85
"""Of what is free: the allocator's fragments and the communicators need the rest."""
_STATE_BYTES = 18.0
"""A parameter's: FP32 weight, gradient and two moments of Adam, and its 16-bit copy."""
_LAYER_BYTES = 60.0
"""A token's, per hidden unit and layer: what an eager layer with fused attention keeps for the backward pass, about
(Korthikanti et al. 2022, section 4.1, count 34 in 16 bit; norms keep FP32, and gated MLPs are wider)."""
_LOGIT_BYTES = 14.0
"""A token's, per word of the vocabulary: logits in 16 and 32 bit, softmax and gradient."""
_PASSES_FLOP = 6.0
_STEPS_IN_TIME = (8.0, 2.0)
"""Steps that should fit their time: two to warm up, and samples; where that leaves none, the one and a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoder:
    """A decoder of Llama's kind."""

    name: str
    layers: int
    hidden: int
    heads: int
    intermediate: int
    vocabulary: int

    @property
    def parameters(self) -> int:
        """Attention 4·h², gated MLP 3·h·f and two norms a layer; embedding and head of their own, and a last norm."""
        layer = 4 * self.hidden**2 + 3 * self.hidden * self.intermediate + 2 * self.hidden
        return self.layers * layer + 2 * self.vocabulary * self.hidden + self.hidden

    def hf_config(self, sequence_length: int) -> dict[str, object]:
        """Return it as a Hugging Face configuration."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "max_position_embeddings": sequence_length,
            "num_attention_heads": self.heads,
            "num_hidden_layers": self.layers,
            "num_key_value_heads": self.heads,
            "tie_word_embeddings": False,
            "vocab_size": self.vocabulary,
        }


def _decoder(name: str, layers: int, hidden: int, intermediate: int, vocabulary: int = 32_000) -> Decoder:
    return Decoder(
        name=name,
        layers=layers,
        hidden=hidden,
        heads=max(hidden // 128, hidden // 64 if hidden < 2048 else 1),  # noqa: PLR2004 - heads of 64 in small ones
        intermediate=intermediate,
        vocabulary=vocabulary,
    )


DECODERS: Sequence[Decoder] = (
    _decoder("decoder-1m", 2, 128, 384, 2_048),
    _decoder("decoder-10m", 4, 256, 768, 8_192),
    _decoder("decoder-50m", 8, 512, 1_408),
    _decoder("decoder-130m", 12, 768, 2_048),
    _decoder("decoder-370m", 24, 1_024, 2_816),
    _decoder("decoder-1.3b", 24, 2_048, 5_632),
    _decoder("decoder-2.7b", 32, 2_560, 6_912),
    _decoder("decoder-6.7b", 32, 4_096, 11_008),
    _decoder("decoder-13b", 40, 5_120, 13_824),
)
"""Smallest first; Llama's proportions (Touvron et al. 2023, table 2) from 6.7 billion on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A training step to time."""

    decoder: Decoder
    sequence_length: int
    micro_batch: int

    @property
    def tokens(self) -> int:
        """Tokens of the step."""
        return self.sequence_length * self.micro_batch

    @property
    def memory_bytes(self) -> float:
        """What it holds at most, about."""
        decoder = self.decoder
        a_token = decoder.layers * decoder.hidden * _LAYER_BYTES + decoder.vocabulary * _LOGIT_BYTES
        return decoder.parameters * _STATE_BYTES + self.tokens * a_token

    def seconds(self, matmul_flop_per_s: float, share: float) -> float:
        """Return how long it takes, about, at a `share` of the matmul rate."""
        return _PASSES_FLOP * self.decoder.parameters * self.tokens / (share * matmul_flop_per_s)


def matmul_sizes(flop_per_s: float, slice_s: float, memory_bytes: float, element_bytes: float) -> tuple[int, ...]:
    """Return three sizes of square matrices, each twice the one before, of which the largest fits time and memory.

    The largest takes 2·n³ / rate, and holds three matrices.
    """
    by_time = (slice_s * flop_per_s / (2.0 * _RUNS_OF_LARGEST)) ** (1.0 / 3.0)
    by_memory = math.sqrt(_MEMORY_OF_MATMUL * memory_bytes / (3.0 * element_bytes))
    limit = max(min(by_time, by_memory, float(_LARGEST_MATMUL)), float(_SMALLEST_MATMUL))
    largest = 1 << int(math.log2(limit))
    return tuple(sorted({max(largest >> halvings, _SMALLEST_MATMUL) for halvings in range(_SIZES)}))


def steps_that_fit(
    matmul_flop_per_s: float,
    slice_s: float,
    memory_bytes: float,
    *,
    share: float,
    sequence_length: int,
    most_parameters: float = math.inf,
    largest_batch: int = 8,
) -> list[Step]:
    """Return steps that fit memory and time by the first guess, the largest decoder first, each with its batch."""

    def fits(step: Step, steps: float) -> bool:
        in_time = step.seconds(matmul_flop_per_s, share) * steps <= slice_s
        return in_time and step.memory_bytes <= _MEMORY_OF_STEP * memory_bytes

    for steps in _STEPS_IN_TIME:
        found: list[Step] = []
        for decoder in reversed([decoder for decoder in DECODERS if decoder.parameters <= most_parameters]):
            batches = (largest_batch >> halvings for halvings in range(largest_batch.bit_length()))
            tried = (Step(decoder=decoder, sequence_length=sequence_length, micro_batch=batch) for batch in batches)
            found += [step for step in (next((step for step in tried if fits(step, steps)), None),) if step]
        if found:
            return found
    return []
