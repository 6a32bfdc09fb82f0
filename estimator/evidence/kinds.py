"""What published runs of models that are no decoders say: by how much their steps take longer, and how surely."""

from dataclasses import dataclass

from estimator.base.text import with_article
from estimator.evidence.calibration import Calibration
from estimator.models.kinds import KIND_NAMES, kind_of
from estimator.models.transformer import Transformer
from estimator.question.question import Caution

__all__ = ["KindOutlook", "kind_outlook"]

_UNSEEN = 1.4
"""Factor on the log width for a kind that no published run is of, over all kinds together."""
_ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOutlook:
    """What runs of one kind add to what decoders' runs say."""

    level_log: float
    """Log of measured over predicted time that a lab of its kind is off by in the middle."""
    half_log: float
    """Half the log width of the range that holds most labs of its kind."""
    caution: Caution | None


_DECODERS = KindOutlook(level_log=0.0, half_log=0.0, caution=None)


def kind_outlook(transformer: Transformer, calibration: Calibration) -> KindOutlook:
    """Return what runs of the kind of `transformer` say; nothing for decoders, which all else is fitted to."""
    kind = kind_of(transformer)
    if kind == "decoder" or _ALL not in calibration.kinds:
        return _DECODERS
    name = with_article(KIND_NAMES[kind])
    level = calibration.kinds.get(kind)
    if level is None:
        pooled = calibration.kinds[_ALL]
        message = f"no published run behind this answer is of {name}: the range is widened"
        caution = Caution(code="kind_not_measured", message=message)
        return KindOutlook(level_log=pooled.level_log, half_log=_UNSEEN * pooled.half_log, caution=caution)
    runs = "1 published run" if level.runs == 1 else f"{level.runs} published runs"
    labs = "1 lab" if level.labs == 1 else f"{level.labs} labs"
    message = f"for {name} the range rests on {runs} of {labs}: a measured step of your own would narrow it"
    return KindOutlook(
        level_log=level.level_log,
        half_log=level.half_log,
        caution=Caution(code="few_runs_of_its_kind", message=message),
    )
