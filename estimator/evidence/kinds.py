"""What published runs of models that are no decoders say: by how much their steps take longer, and how surely."""

from dataclasses import dataclass

import numpy as np

from estimator.base.text import with_article
from estimator.evidence.calibration import Calibration
from estimator.models.kinds import KIND_NAMES, decoder_share, kind_of
from estimator.physics.choice import Setting
from estimator.question.question import Caution

__all__ = ["KindOutlook", "kind_outlook", "kind_regimes", "manner_of"]

_UNSEEN = 1.4
"""Factor on the log width for a kind that no published run is of, over all kinds together."""
_ALL = "all"
_FEW_LABS = 10
"""Labs from which on nobody is told that few have published runs of a kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOutlook:
    """What runs of one kind add to what decoders' runs say."""

    level_log: float
    """Log of measured over predicted time that a lab of its kind is off by in the middle, as far as it applies."""
    half_log: float
    """Half the log width of the range that holds most labs of its kind …"""
    weight: float
    """… and how far it applies, from 0 of decoders and what is as large to 1."""
    runs: int = 0
    labs: int = 0
    """Published runs of its kind, and whose they are."""
    caution: Caution | None

    def widened(self, half_log: float) -> float:
        """Return half the log width of a range that decoders' runs would give `half_log`: never less than that."""
        return (1.0 - self.weight) * half_log + self.weight * max(half_log, self.half_log)


_DECODERS = KindOutlook(level_log=0.0, half_log=0.0, weight=0.0, caution=None)


def manner_of(setting: Setting) -> str:
    """Return how a run is set up, which kinds of models share a level by: as people have it, or as its stack's tier."""
    return "people" if np.any(setting.case.as_people_run) else setting.stack.tier


def kind_regimes(kind: str, manner: str) -> tuple[str, ...]:
    """Return the regimes whose quantiles apply to a model that is no decoder, the narrowest first."""
    return f"{kind} {manner}", kind, _ALL


def kind_outlook(setting: Setting, calibration: Calibration) -> KindOutlook:
    """Return what runs of the kind of a setting's model say; nothing for decoders, which all else is fitted to.

    Their level is that of runs set up alike, of whatever kind, and what its kind adds.
    """
    network = setting.question.transformer
    kind, weight = kind_of(network), 1.0 - decoder_share(network)
    if not weight or _ALL not in calibration.kinds:
        return _DECODERS
    name = with_article(KIND_NAMES[kind])
    pooled = calibration.kinds[_ALL]
    manner = manner_of(setting)
    shared_log = calibration.manners.get(manner, pooled.level_log)
    own = calibration.kinds.get(kind)
    if own is None:
        message = f"no published run behind this answer is of {name}: the range is widened"
        caution = Caution(code="kind_not_measured", message=message)
        return KindOutlook(
            level_log=weight * shared_log, half_log=_UNSEEN * pooled.half_log, weight=weight, caution=caution
        )
    regimes = kind_regimes(kind, manner)
    runs = "1 published run" if own.runs == 1 else f"{own.runs} published runs"
    labs = "1 lab" if own.labs == 1 else f"{own.labs} labs"
    message = f"for {name} the range rests on {runs} of {labs}: a measured step of your own would narrow it"
    few = Caution(code="few_runs_of_its_kind", message=message) if own.labs < _FEW_LABS else None
    return KindOutlook(
        level_log=weight * (shared_log + own.level_log),
        half_log=next(calibration.kinds[name] for name in regimes if name in calibration.kinds).half_log,
        weight=weight,
        runs=own.runs,
        labs=own.labs,
        caution=few,
    )
