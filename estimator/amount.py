"""How many tokens a run trains on: told outright, or as samples of some length, seen some times over."""

from dataclasses import dataclass

from estimator.errors import InvalidValueError, MissingValueError
from estimator.inputs import checked_number
from estimator.question import Assumption
from estimator.request import Request
from estimator.units import format_count, parse_count

__all__ = ["MOST_TOKENS", "Amount", "amount"]

MOST_TOKENS = 1e18
"""A thousand times every text there is."""
_MOST_EPOCHS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Tokens of the whole run."""

    tokens: float
    tokens_per_sample: float | None
    """None where the caller counted tokens, not samples."""
    assumptions: tuple[Assumption, ...]


def amount(request: Request) -> Amount:
    """Return the tokens that `request` trains on.

        tokens · epochs, or samples · tokens_per_sample · epochs

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
        once = parse_count(request.tokens, "tokens")
        tokens_per_sample = None
        made_of = f"{format_count(once)} tokens seen {epochs:g} times" if epochs != 1 else ""
    elif request.samples is not None and request.tokens_per_sample is not None:
        samples = parse_count(request.samples, "samples")
        tokens_per_sample = parse_count(request.tokens_per_sample, "tokens_per_sample")
        once = samples * tokens_per_sample
        made_of = f"{format_count(samples)} samples × {format_count(tokens_per_sample)} tokens × {epochs:g} epochs"
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
        assumptions=(
            Assumption(name="tokens", value=tokens, unit="tokens", source="user", note=made_of),
            *_packing(tokens_per_sample),
        ),
    )


def _packing(tokens_per_sample: float | None) -> tuple[Assumption, ...]:
    if tokens_per_sample is None:
        return ()
    return (
        Assumption(
            name="packing",
            value="packed",
            source="default",
            note="samples are packed into full sequences; padded instead, every sample costs as much as the longest "
            "of its batch, so multiply the time by longest over mean length",
        ),
    )
