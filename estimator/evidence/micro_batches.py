"""The micro-batch that nobody told: most who fine-tune leave their trainer's example, and some take the fastest."""

import math
from dataclasses import replace

from estimator.evidence.mixture import WORTH_SAYING, Doubt, Times
from estimator.physics.batch import is_left_alone, usual_micro_batch
from estimator.physics.choice import Fastest, Setting, fastest
from estimator.physics.constants import Constants
from estimator.physics.layout import Layouts
from estimator.question.rows import with_more_rows

__all__ = ["micro_batch_doubt"]

_LARGER = 0.35
"""Share of those who fine-tune and say nothing of it that raise the micro-batch while it fits and pays."""
_LARGER_OF_NEGATIVES = 0.6
"""The same where samples are one another's negatives, so that more of them train better: of LLM2Vec, GritLM, NV-Embed
and E5-Mistral all have 16 to 64 pairs a device."""
_LARGER_OF_ENCODERS = 0.5
"""The same of encoders, and of those with a decoder, on a general trainer: its own commands for them have 32 a device
(`run_glue.py`'s, of two cards or one), its guides and course 8 or 16."""
_RAISED_OF_ENCODERS = 4
"""Times the trainer's own 8 that those commands have."""
_RAISED = 8
"""Times the usual one that they go to: few try more than 16 or 32."""
_ARGUMENT = "micro_batch_size"


def micro_batch_doubt(setting: Setting, layouts: Layouts, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt whether a run of fine-tuning has a larger micro-batch than its trainer's examples.

    Each micro-batch gathers, fetches or expands all weights, and a host launches as much for it, however small it is.
    The point stays that of the layout that is printed.
    """
    question = setting.question
    if _ARGUMENT in question.unsaid:
        best = _with_more_rows(setting, constants)
    elif usual_micro_batch(question, setting.stack) is not None:
        best = fastest(question, constants, raised=_RAISED)
    else:
        return ()
    if best is None:
        return ()
    factor = best.step_s * setting.global_batch / best.setting.global_batch / physical_s
    if math.log(factor) > -WORTH_SAYING:
        return ()
    chosen = int(layouts.micro_batch[0]) // question.sequences_each
    larger = best.micro_batch // question.sequences_each
    whose, of_what, share = f"{setting.stack.name}'s examples have them", "a step", _LARGER
    if question.whole_batches:
        share = _LARGER_OF_NEGATIVES
    if is_left_alone(question):
        whose, of_what, share = f"{setting.stack.name} has them unless told", "as many samples", _LARGER_OF_ENCODERS
    elif question.practice.samples_each is not None:
        whose = "the script that is named has them"

    def words(times: Times) -> str:
        return (
            f"micro-batches of {chosen:,} are taken, as {whose}; those of {larger:,} fit, with which {of_what} would "
            f"take {times.told('', assumed='with those')}, and the range holds both: say micro_batch_size"
        )

    ways = ((factor, share),)
    asked = replace(
        best.setting.question,
        layout=replace(best.setting.question.layout, micro_batch_size=best.micro_batch),
        global_batch_sequences=best.setting.global_batch,
        unsaid=question.unsaid - {_ARGUMENT},
    )
    return (Doubt(argument=_ARGUMENT, ways=ways, code="micro_batch_unsaid", words=words, moves=False, asked=(asked,)),)


def _with_more_rows(setting: Setting, constants: Constants) -> Fastest | None:
    """Return the layout of as many more padded rows at a time as fit and divide the batch; None where none do.

    Where the micro-batch is all of a device's share, for samples are one another's negatives or none are accumulated, a
    batch left open grows with it.
    """
    question = setting.question
    alone = is_left_alone(question)
    grows = alone or (question.whole_batches and question.global_batch_sequences is None)
    times = _RAISED_OF_ENCODERS if alone else _RAISED
    while times > 1:
        batch = setting.global_batch * (times if grows else 1)
        rows = replace(with_more_rows(question, times), global_batch_sequences=batch)
        best = fastest(rows, constants)
        if best is not None:
            return best
        times //= 2
    return None
