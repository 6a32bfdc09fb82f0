"""What a host reads from disk for a sequence: pictures, which a data loader decodes and scales, and sounds."""

from dataclasses import dataclass

__all__ = ["NO_READS", "Reads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """Pictures of one sequence, or a sound."""

    pictures: float = 0.0
    """How many, or frames of clips."""
    arrays: float = 0.0
    """How many of them lie in memory, decoded: sets of small ones do."""
    megapixels: float = 0.0
    """Of all of them, as they are stored and as the network takes them."""
    passed: float = 0.0
    """Frames of video files that are decoded on the way to those of clips."""
    numbers: float = 0.0
    """Of sounds, whose features were made and stored before training."""

    def times(self, factor: float) -> "Reads":
        """Return what `factor` such sequences hold."""
        return Reads(
            pictures=factor * self.pictures,
            arrays=factor * self.arrays,
            megapixels=factor * self.megapixels,
            passed=factor * self.passed,
            numbers=factor * self.numbers,
        )


NO_READS = Reads()
"""Of text, of what was encoded before training, and of samples that are made up."""
