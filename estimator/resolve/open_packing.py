"""Whether it is open that samples are packed: where tokens were told of what a model is tuned on, and no samples."""

import math
from dataclasses import replace

from estimator.models.kinds import kind_of
from estimator.models.training import WITH_ADAPTERS
from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from estimator.question.question import Question
from estimator.question.request import Request
from estimator.resolve.amount import Amount
from estimator.resolve.packing import FEW_GPUS, LARGEST_SET, Packing

__all__ = ["tuned_on_tokens", "with_open_packing"]

_SAMPLES, _NO_SAMPLES = 2e8, 3e9
"""Tokens a pass up to which they are as likely of samples as of any set, and from which on of text: sets of
conversations that people tune on hold 5 to 500 million tokens (Alpaca 5, Guanaco 5, ShareGPT 100, Tulu 300 to 700), and
only a few more than a billion; whoever trains on several billions continues pretraining."""
_TUNED_WITH, _FROM_SCRATCH = 4.0, 20.0
"""Tokens for each parameter up to which a model is tuned, and from which on it is trained from scratch (Hoffmann et al.
2022)."""


def with_open_packing(question: Question | None, request: Request, amount: Amount, packing: Packing) -> Question | None:
    """Return `question` with whether samples are packed left open, where nothing tells of samples to be tuned on.

    Then tokens are of few passes over a set that is small, beside the model too where all of it learns. Who tells of a
    length or of steps counts what sequences hold, padding and all.
    """
    if question is None or kind_of(question.transformer) != "decoder" or question.practice.packing is not None:
        return question
    told = (request.samples, request.tokens_per_sample, request.steps, request.sequence_length)
    if request.tokens is None or any(one is not None for one in told) or packing.assumption.source == "user":
        return question
    may_pad = packing.padded or ("framework" in question.unsaid and question.cluster.n_gpus <= FEW_GPUS)
    share = _sampled_share(question, amount.tokens / amount.epochs) if may_pad else 0.0
    return replace(question, unsaid=question.unsaid | {"packing"}, sampled_share=share) if share else question


def _sampled_share(question: Question, tokens: float) -> float:
    """Return how likely so many tokens a pass are of samples, over a small set's.

    Nobody trains adapters from scratch; the whole of a model, the likelier the more tokens each parameter has.
    """
    share = _falling(tokens, _SAMPLES, _NO_SAMPLES)
    if question.method.name in WITH_ADAPTERS:
        return share
    return share * _falling(tokens / float(workload(question.transformer).parameters), _TUNED_WITH, _FROM_SCRATCH)


def _falling(value: float, most: float, none: float) -> float:
    """Return a share that is 1 up to `most` and 0 from `none` on, and between them linear in the log of `value`."""
    return min(1.0, max(0.0, math.log(none / value) / math.log(none / most)))


def tuned_on_tokens(network: Transformer) -> float:
    """Return tokens a pass up to which a trained network is tuned on them: no set of samples holds more."""
    return min(LARGEST_SET, _TUNED_WITH * float(workload(network).parameters))
