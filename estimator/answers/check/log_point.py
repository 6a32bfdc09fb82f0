"""What a line of a log says, and what a log says once."""

from dataclasses import dataclass, replace

__all__ = ["BAR", "CLOSING", "ENGINE", "OWN", "LogPoint", "LogSetup"]

OWN, ENGINE, BAR, CLOSING = range(4)
"""Whose word counts: a trainer's own line, its engine's, a bar, what closes a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPoint:
    """What one line says about speed; None for what it does not say."""

    dialect: str
    rank: int = OWN
    """One of these: whose word counts."""
    line: str = ""
    label: str = ""
    """Of a bar: what stands before it."""
    training: bool | None = None
    """Whether a bar is named as training (or as something else); None where nothing names it."""
    counts_micro: bool = False
    """Whether its steps are micro-batches."""
    step: float | None = None
    total_steps: float | None = None
    of_epoch: bool = False
    """Whether steps are counted anew in each epoch, whatever tells which one it is."""
    epoch: float | None = None
    """The epoch that the steps are of, as it is numbered; None where they are the run's, or nothing tells."""
    epochs: float | None = None
    first_epoch: float | None = None
    """What the first epoch is counted as, where the trainer is known for it."""
    micro_step: float | None = None
    step_s: float | None = None
    micro_s: float | None = None
    data_s: float | None = None
    """Of a step or micro-batch, in waiting for its data."""
    elapsed_s: float | None = None
    """Since the start: only differences between points mean a speed."""
    time_s: float | None = None
    """A time of which the line alone does not tell whether it is its step's or since the start."""
    stamp_s: float | None = None
    """The time of day that the line was printed at."""
    left_s: float | None = None
    tokens_per_second: float | None = None
    """All devices together."""
    tokens_per_second_per_gpu: float | None = None
    sequences_per_second: float | None = None
    sequences_per_second_per_gpu: float | None = None
    sequences_per_step: float | None = None
    micro_batch: float | None = None
    tokens_per_step: float | None = None
    sequence_length: float | None = None
    tokens_seen: float | None = None
    epochs_passed: float | None = None
    """Passes over the data since the start, in parts of one, where tokens are told beside them."""
    consumed_sequences: float | None = None
    flop_per_s_per_gpu: float | None = None
    utilization: float | None = None
    """As the trainer computes it, against the peak it assumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSetup:
    """What a log says once about the run."""

    sequences_per_step: float | None = None
    tokens_per_step: float | None = None
    total_steps: float | None = None
    sequence_length: float | None = None
    micro_batch: float | None = None
    accumulation: float | None = None
    n_gpus: float | None = None
    resumed_at: float | None = None
    """The step that a resumed run goes on from."""

    def with_setup(self, other: "LogSetup") -> "LogSetup":
        """Return both, what was said last being kept."""
        said = {name: value for name in self.__slots__ if (value := getattr(other, name)) is not None}
        return replace(self, **said)
