"""What a host reads from disk for a sequence: pictures, which a data loader has to decode and scale."""

from dataclasses import dataclass

__all__ = ["NO_READS", "Reads"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """Pictures of one sequence."""

    pictures: float = 0.0
    """How many, or frames of clips."""
    megapixels: float = 0.0
    """Of all of them, as they are stored and as the network takes them."""

    def times(self, factor: float) -> "Reads":
        """Return what `factor` such sequences hold."""
        return Reads(pictures=factor * self.pictures, megapixels=factor * self.megapixels)


NO_READS = Reads()
"""Of text, of what was encoded before training, and of sounds: stored spectrograms and waves differ tenfold."""
