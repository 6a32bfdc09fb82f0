"""Sites that train by themselves and average now and then: local SGD, DiLoCo and what grew of it."""

from dataclasses import dataclass

__all__ = ["LocalUpdates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalUpdates:
    """How equal sites train beside one another; the question that holds it is one site's."""

    sites: int
    steps: int
    """Of each site between two synchronisations."""
    synchronisation_s: float
    """That the sites take to average, where nothing hides it."""
    overlapped: bool
    """Whether the sites go on training meanwhile (Streaming DiLoCo)."""

    def waited_s(self, step_s: float) -> float:
        """Return the seconds a step that wait for other sites, on average; `step_s` is that of a site's own step.

        max(synchronisation − hidden, 0) / steps      hidden: the steps between, where they are overlapped
        """
        hidden_s = self.steps * step_s if self.overlapped else 0.0
        return max(self.synchronisation_s - hidden_s, 0.0) / self.steps
