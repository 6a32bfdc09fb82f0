"""Padded rows where more of them share a micro-batch: each is padded to the longest of more samples."""

import math
from dataclasses import replace

from estimator.question.question import Question

__all__ = ["with_more_rows"]


def with_more_rows(question: Question, times: int) -> Question:
    """Return `question` with micro-batches of `times` as many rows, of which one is usual where none are told.

        longest of k times as many = usual · min(1 + g · ln k, longest of the run)

    g: by what share a row becomes longer with each e-fold of the samples that it is padded to the longest of; a row
    that holds its samples whole is no longer, and differs from device to device by one over the root of their number.
    Of lengths that nothing cuts it is up to a sixth too short for what eight times as many rows on eight devices wait
    for. Fails where lengths have several modes, as in mixtures of sets.
    """
    micro = question.layout.micro_batch_size or question.sequences_each
    question = replace(question, layout=replace(question.layout, micro_batch_size=times * micro))
    if not question.lengthening:
        return replace(question, unevenness=question.unevenness / math.sqrt(times))
    longest_row = max(question.longest_row, question.likely_longest_row)

    def lengthened(samples: float) -> float:
        return min(1.0 + question.lengthening * math.log(samples), longest_row)

    longer, replicas = lengthened(times), max(2, question.cluster.n_gpus)
    return replace(
        question,
        sequence_length=round(question.sequence_length * longer),
        masks_padding=True,
        unevenness=(lengthened(times * replicas) / longer - 1.0) / math.log(replicas),
        longest_row=max(1.0, question.longest_row / longer),
        likely_longest_row=longest_row / longer,
    )
