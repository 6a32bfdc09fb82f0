"""Two opinions on one step: the physics, and the share of the ceiling that runs of its kind reach."""

import math
from dataclasses import dataclass

import numpy as np

from estimator.evidence.calibration import Calibration
from estimator.evidence.kinds import kind_outlook
from estimator.evidence.outlook import outlook_of
from estimator.evidence.share import needed_s, share_features, share_log
from estimator.models.kinds import decoder_share
from estimator.physics.choice import Setting
from estimator.physics.effects import effect_weights
from estimator.physics.layout import Floats

__all__ = ["Blend", "blend_of", "blended_log"]

_WEIGHT = 0.06
"""Weight of the second opinion, in log time: the inverse-variance weight of two unbiased, correlated errors (0.19 and
0.33 of log time, correlated by 0.49, with whole labs left out and a lab's rows weighted as in the fit)."""
_APART = 0.5
"""Log time of parting at which that weight has fallen to half: a question that kinds of runs say nothing of, such as a
very slow network, is one of physics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """The factor on physical step time, and how far the two opinions part."""

    factor: float
    """Predicted over physical time."""
    parting_log: float
    """Log of the second opinion's time over that of both together."""


def blend_of(setting: Setting, calibration: Calibration, physical_s: float) -> Blend:
    """Return what to multiply physical step time by, for a setting whose best layout takes `physical_s`.

    log factor = effects + kriged residual + level of its kind + s · w(p) · p

    p: log of the second opinion over the calibrated physics; it knows of decoders alone. s: how far their runs tell of
    the network, as effects, residual and level have it already.
    """
    weights = effect_weights(setting.question, setting.stack)
    effect = sum(weight * calibration.effects.get(key, 0.0) for key, weight in weights.items())
    effect += outlook_of(setting).correction_log
    question = setting.question
    effect += kind_outlook(setting, calibration).level_log
    told = decoder_share(question.transformer)
    if not told:
        return Blend(factor=math.exp(effect), parting_log=0.0)
    tokens = setting.global_batch * question.sequence_length / question.cluster.n_gpus
    share = share_log(share_features(setting), calibration.shares)
    second = math.log(needed_s(setting) * tokens / physical_s) - share
    parting = second - effect
    added = told * float(blended_log(np.array(parting)))
    return Blend(factor=math.exp(effect + added), parting_log=told * (parting - added))


def blended_log(parting_log: Floats) -> Floats:
    """Return what the second opinion adds to the log of predicted time, lying `parting_log` from the physics."""
    return np.asarray(_WEIGHT * parting_log / (1.0 + (parting_log / _APART) ** 2))
