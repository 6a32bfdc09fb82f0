"""Runs of less than a step, or of a handful: what to ask the caller of them."""

from estimator.base.units import format_rate, format_tokens
from estimator.question.question import Caution, Prediction
from estimator.resolve.run import Run

__all__ = ["HANDFUL", "short_run_doubts"]

HANDFUL = 10.0
"""Steps below which a schedule has no room to warm up, let alone to learn."""
_ENOUGH = 50.0
"""Steps that a small set should at least be cut into."""
_UNIT_FORGOTTEN = 1e6
"""Tokens below which a number without a unit is more likely one whose unit was forgotten."""
_BARE = 1e3
"""Below it a number is likelier to count thousands, billions or trillions than ones."""


def short_run_doubts(run: Run, prediction: Prediction | None) -> tuple[Caution, ...]:
    """Return a warning where a run has less than a step, or a handful, with the batch that would make sense.

    Where the batch is not known a step has one sequence at least.
    """
    batch = run.global_batch_sequences or (prediction.layout.global_batch_sequences if prediction else 1)
    sequences = run.amount.sequences or run.amount.tokens / run.sequence_length
    steps = sequences / batch
    if steps >= HANDFUL or (prediction is None and steps >= 1.0):
        return ()
    length = f"{run.sequence_length:,} tokens"
    many = (
        f"{format_rate(sequences)} sequences of {length}"
        if sequences >= 1.0
        else f"{format_tokens(run.amount.tokens)}, not one sequence of {length},"
    )
    if steps < 1.0:
        verb = "is" if many.startswith("1 token,") else "are"
        code, what = "shorter_than_one_step", f"{many} {verb} less than one step of {batch:,} sequences"
        cost = "the time is that of one step and of starting up"
    else:
        code, what = "few_steps", f"{many} are {steps:.1f} steps of {batch:,}"
        cost = "starting up may take as long"
    asked = " ".join(part for part in (f"{what}: {cost}.", _meant(run), _advice(run, sequences)) if part)
    return (Caution(code=code, message=asked.removesuffix(".")),)


def _meant(run: Run) -> str:
    """Return the question whether a unit was forgotten; nothing where the amount is likely as it was told."""
    tokens = run.amount.real_tokens
    if run.amount.tokens_per_sample is not None:
        samples = tokens / run.amount.tokens_per_sample
        return f"Were {samples:.4g}k samples meant, thousands?" if samples < _BARE else ""
    if tokens >= _UNIT_FORGOTTEN:
        return ""
    if tokens < _BARE:
        return f"Was {tokens:.4g}T (trillion) or {tokens:.4g}B (billion) meant?"
    return f"{tokens:,.0f} tokens are a few pages of text: is a unit missing, as in 15B?"


def _advice(run: Run, sequences: float) -> str:
    """Return the batch, as trainers count it, that makes some tens of steps; nothing where there is too little."""
    counted = sequences / (run.question.sequences_each if run.question else 1)
    if counted < 2.0 * HANDFUL:
        return ""
    batch = 1 << max(0, int(counted / _ENOUGH).bit_length() - 1)
    fewer = f" on {batch:,} GPU{'s' * (batch > 1)} or fewer" if batch < run.n_gpus else ""
    return f"global_batch_sequences {batch:,}{fewer} would make {counted / batch:,.0f} steps."
