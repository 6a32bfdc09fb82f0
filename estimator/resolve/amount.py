"""How many tokens a run trains on: told outright, or as samples of some length, seen some times over."""

from dataclasses import dataclass

from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.base.inputs import checked_choice, checked_number
from estimator.base.prior import Prior
from estimator.base.units import format_count, parse_count
from estimator.question.question import Assumption, SourceKind
from estimator.question.request import PACKING_CHOICES, Request
from estimator.resolve.text_tokens import text_tokens

__all__ = ["MOST_TOKENS", "PADDING", "Amount", "resolved_amount"]

MOST_TOKENS = 1e18
"""A thousand times every text there is."""
_MOST_EPOCHS = 1e6
PADDING = Prior(
    low=1.3,
    mode=2.0,
    high=4.0,
    why="Longest over mean length in a batch: Krell et al. 2021 (packing without cross-contamination) count 50 % "
    "padding in Wikipedia sequences, up to 89 % in other sets.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Tokens of the whole run."""

    tokens: float
    tokens_per_sample: float | None
    """None where the caller counted tokens, not samples."""
    low_factor: float
    """The true amount is at least so much of `tokens` …"""
    high_factor: float
    """… and at most so much; both 1 where tokens were counted."""
    assumptions: tuple[Assumption, ...]


def resolved_amount(request: Request, vocabulary: int | None = None) -> Amount:
    """Return the tokens that `request` trains on.

        tokens · epochs, or samples · tokens_per_sample · epochs, longer samples in the stead of mean ones where padded

    Tokens may be told as a size of text ("2 GB of German text"), counted by `vocabulary`.

    Raises MissingValueError where neither is given, InvalidValueError where both are.
    """
    epochs = 1.0 if request.epochs is None else checked_number("epochs", request.epochs, most=_MOST_EPOCHS)
    if request.tokens is not None:
        if request.samples is not None or request.tokens_per_sample is not None:
            raise InvalidValueError(
                "tokens",
                request.tokens,
                "and samples say the same thing twice: give either tokens, or samples with tokens_per_sample",
            )
        text = text_tokens(request.tokens, "tokens", vocabulary)
        once = text.tokens if text else parse_count(request.tokens, "tokens")
        low, high = (text.low / once, text.high / once) if text else (1.0, 1.0)
        tokens_per_sample = None
        seen = f"{format_count(once)} tokens seen {epochs:g} times" if epochs != 1 else ""
        made_of = "; ".join(part for part in (text.note if text else "", seen) if part)
        packing: tuple[Assumption, ...] = ()
    elif request.samples is not None and request.tokens_per_sample is not None:
        samples = parse_count(request.samples, "samples")
        tokens_per_sample = parse_count(request.tokens_per_sample, "tokens_per_sample")
        padded, low, high, packing = _packing(request, tokens_per_sample)
        once = samples * padded
        made_of = f"{format_count(samples)} samples × {format_count(padded)} tokens × {epochs:g} epochs"
    else:
        missing = "tokens_per_sample" if request.samples is not None else "samples"
        if request.samples is None and request.tokens_per_sample is None:
            raise MissingValueError("tokens", 'give tokens (such as "15T"), or samples with tokens_per_sample')
        raise MissingValueError(missing, "samples and tokens_per_sample go together")
    tokens = once * epochs
    if tokens > MOST_TOKENS:
        raise InvalidValueError("tokens", tokens, f"must be at most {MOST_TOKENS:.0e} in all")
    return Amount(
        tokens=tokens,
        tokens_per_sample=tokens_per_sample,
        low_factor=low,
        high_factor=high,
        assumptions=(
            Assumption(name="tokens", value=tokens, unit="tokens", source="user", note=made_of),
            *packing,
        ),
    )


def _packing(request: Request, mean: float) -> tuple[float, float, float, tuple[Assumption, ...]]:
    """Return the tokens a sample costs, its low and high factor, and what was assumed of padding."""
    packing = checked_choice("packing", request.packing, PACKING_CHOICES)
    if packing != "padded":
        note = (
            "samples are packed into full sequences; padded instead, every sample costs as much as the longest of its "
            "batch: packing padded counts so"
        )
        source: SourceKind = "default" if packing == "auto" else "user"
        return mean, 1.0, 1.0, (Assumption(name="packing", value="packed", source=source, note=note),)
    note = f"every sample costs as much as the longest of its batch, {PADDING.low:g} to {PADDING.high:g} times the mean"
    told = Assumption(name="packing", value="padded", source="user", note=note)
    return mean * PADDING.mode, PADDING.low / PADDING.mode, PADDING.high / PADDING.mode, (told,)
