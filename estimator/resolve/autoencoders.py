"""What a masked autoencoder is trained on: masked pictures where it is pre-trained, and all of each with labels."""

import re
from dataclasses import replace

from estimator.models.autoencoders import is_autoencoder, seeing_all
from estimator.models.parameters import parameter_counts
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.framework.named import named_framework
from estimator.resolve.self_supervised import UNSAID, says_labels
from estimator.resolve.subject import Subject
from estimator.resolve.training_method import asked_method

__all__ = ["MAE", "is_training_open", "seen_as_trained"]

MAE = "mae"
"""The objective that words on the software name by it."""
_PRETRAINING = frozenset({"masked", "pre_training", "pretrain", "pretraining"})


def seen_as_trained(subject: Subject, request: Request) -> Subject:
    """Return `subject` as `request` trains it: a masked autoencoder's encoder sees all patches where it learns labels.

    Any other model as it is. Source: He et al. 2022, section 4: after pre-training, on whole pictures.
    """
    network = subject.transformer
    if network is None or not is_autoencoder(network) or not _learns_labels(request):
        return subject
    encoder = seeing_all(network)
    counts = parameter_counts(encoder)
    note = f"no patch is masked where labels are learnt, of which {network.media.kept if network.media else 1:.0%} are "
    note += "seen in pre-training; without its decoder"
    return replace(
        subject,
        transformer=encoder,
        total_parameters=float(counts.total),
        active_parameters=float(counts.active),
        assumptions=(*subject.assumptions, Assumption(name="patches", value="all", source="inferred", note=note)),
    )


def is_training_open(request: Request) -> bool:
    """Return whether nothing tells if a masked autoencoder is pre-trained or learns labels."""
    unsaid = request.objective.strip().casefold() in UNSAID
    return unsaid and not _learns_labels(request) and named_framework(request.framework).objective != MAE


def _learns_labels(request: Request) -> bool:
    """Return whether labels are learnt: by an objective, by words, or as a part alone learns or adapters do."""
    objective = re.sub(r"[\s-]+", "_", request.objective.strip().casefold())
    if objective not in UNSAID:
        return objective not in _PRETRAINING
    in_parts = asked_method(request) != "full" or request.trained_layers is not None
    return in_parts or says_labels(request.framework)
