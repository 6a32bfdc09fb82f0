"""Which of the frozen networks before a denoiser run in each step: said, or as its trainer's users have it."""

from collections.abc import Iterable
from dataclasses import replace

from estimator.base.errors import InvalidValueError
from estimator.base.units import parse_count
from estimator.models.diffusion.sample import text_length, with_conditioners, with_text_length
from estimator.models.transformer import Tower, Transformer
from estimator.models.workload import workload
from estimator.question.practice import Practice
from estimator.question.question import Assumption, SourceKind
from estimator.question.request import Request

__all__ = ["conditioned", "told_text"]

_LARGE_ENCODER = 1e9
"""Parameters of a text encoder from which on it is large: CLIP's have at most 0.7 billion, T5 XXL's 4.8."""
_LONGEST_TEXT = 1024.0
"""Tokens of the longest text that trainers of denoisers pad to (Qwen-Image's pipeline); what is longer is a latent."""
_KINDS = {"text_encoder": "encoded texts", "vae": "latents"}


def conditioned(network: Transformer, practice: Practice) -> tuple[Transformer, tuple[Assumption, ...]]:
    """Return a denoiser with the encoders that run in each step as frozen towers, and what was taken.

    Where neither the trainer is named nor anything said, both are kept, as large runs and most trainers of adapters
    have it; such a network holds them as conditioners still. One without encoders is left as it is.
    """
    if not network.conditioners:
        return network, ()
    kept = {"text_encoder": _keeps_text(network, practice), "vae": practice.caches_latents}
    run = frozenset(kind for kind, cached in kept.items() if cached is False)
    there = [kind for kind in _KINDS if any(_kind(tower) == kind for tower in network.conditioners)]
    running = [tower for tower in network.conditioners if _kind(tower) in run]
    cached = [_KINDS[kind] for kind in there if kind not in run]
    source: SourceKind = "default" if all(kept[kind] is None for kind in there) else "inferred"
    parts = [f"{_names(running)} in each step, forward alone"] if running else []
    parts += [f"{' and '.join(cached)} are made before training and kept"] if cached else []
    say = 'say "cached latents", "cached text embeddings" or "encode on the fly" in framework'
    note = "; ".join([*parts, say])
    value = ", ".join(tower.name for tower in running) or "none"
    posed = with_conditioners(network, run)
    if source == "default":
        # Nobody said that nothing of them runs: it is doubted where a model is trained anew.
        posed = replace(posed, conditioners=tuple(tower for tower in network.conditioners if _kind(tower) not in run))
    return posed, (Assumption(name="encoders_in_step", value=value, source=source, note=note),)


def told_text(
    network: Transformer, request: Request, latent: float, *, sized: bool
) -> tuple[Transformer, tuple[Assumption, ...]]:
    """Return a denoiser with texts as long as `request` says they are padded to, and what was taken.

    tokens_per_sample counts text beside a picture whose size is said; else the script's `max_sequence_length` tells it.
    As many positions as the `latent` has are those.
    """
    usual = text_length(network)
    told = [request.tokens_per_sample] if sized else []
    told.append(request.sequence_length)
    for given in told:
        tokens = _count(given)
        if usual and tokens is not None and tokens not in {usual, latent} and 1.0 <= tokens <= _LONGEST_TEXT:
            note = f"of each text, all padded to it; usual are {usual:,.0f}"
            read = Assumption(name="text_tokens", value=tokens, unit="tokens", source="user", note=note)
            return with_text_length(network, tokens), (read,)
    return network, ()


def _count(given: object) -> float | None:
    """Return the number that a length is; None for none, or one in other words."""
    if not isinstance(given, str | int | float):
        return None
    try:
        return parse_count(given, "tokens_per_sample")
    except InvalidValueError:
        return None


def _keeps_text(network: Transformer, practice: Practice) -> bool | None:
    """Return whether texts are encoded before training: as said, or as the trainer has it of encoders of their size."""
    if practice.caches_text is not None or not practice.caches_large_text:
        return practice.caches_text
    encoders = (tower.network for tower in network.conditioners if _kind(tower) == "text_encoder")
    return any(workload(encoder).parameters >= _LARGE_ENCODER for encoder in encoders)


def _kind(tower: Tower) -> str:
    return tower.name.rstrip("_0123456789")


def _names(towers: Iterable[Tower]) -> str:
    return " and ".join(tower.network.name for tower in towers)
