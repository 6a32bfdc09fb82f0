"""How long sequences are to a trainer with a length of its own, of a model of which a size alone is told."""

from dataclasses import replace

from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from estimator.physics.habits import OWN_LENGTHS
from estimator.resolve.subject import Subject

__all__ = ["trainers_length", "with_trainers_length"]


def trainers_length(network: Transformer | None, framework: str) -> int | None:
    """Return the tokens of a sequence in the trainer's own script, of a network inferred from a size; None otherwise.

    A published network says itself what it was made for.
    """
    if network is None or not network.inferred:
        return None
    parameters = float(workload(network).parameters)
    return next((length for most, length in OWN_LENGTHS.get(framework, ()) if parameters <= most), None)


def with_trainers_length(subject: Subject, framework: str) -> Subject:
    """Return `subject` as made for the sequences of its trainer's script, where it has a length of its own."""
    length = trainers_length(subject.transformer, framework)
    if length is None or subject.transformer is None:
        return subject
    return replace(subject, transformer=replace(subject.transformer, native_sequence_length=length))
