"""Activation recomputation that nobody told: the search keeps what fits, and many who pretrain run all again."""

import math
from dataclasses import replace

import numpy as np

from estimator.evidence.mixture import HELD, WORTH_SAYING, Doubt, Times
from estimator.models.kinds import decoder_share
from estimator.physics.choice import Setting
from estimator.physics.constants import Constants
from estimator.physics.effects import release
from estimator.physics.layout import RECOMPUTES, Layouts
from estimator.physics.layout_releases import SELECTIVE_SINCE, recompute_habit
from estimator.physics.memory import memory_of
from estimator.physics.step import step_time

__all__ = ["recompute_doubts"]

_OF_RESEARCH, _OF_TUNED = 0.3, 0.1
"""Share of those on several devices who recompute all where keeping all would fit, by tier. Of seven labs on stacks of
research that publish theirs BigScience and Microsoft did mostly, Shanghai AI Laboratory one time in four, Databricks in
one of 30, three never: three in ten, labs alike. Of eight on vendors' stacks one in twenty, and more of those whose
runs take weeks: all that tell of theirs (GLM-130B, OPT-175B) recomputed."""
_OF_THEN = 0.5
"""The same on devices whose software was last tuned when nothing lay between all and none, or on a release of then: all
whose models took several devices ran all again, and half of those who have such devices run what came later."""
_FULL_FROM = 0.5
"""Filled share of a device's memory from which on they do: who has half of it left does not think of it …"""
_NONE_BELOW = 0.25
"""… and below this hardly anybody does."""
_BUT = {"none": "", "selective": " but for those of selective recomputation"}


def recompute_doubts(setting: Setting, layouts: Layouts, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt whether all is recomputed where the one layout, of `physical_s` a step, recomputes less.

    None where the stack's users run one way; what today's recipes do says nothing of releases before there was partial
    recomputation. The point stays that of the layout that is printed.
    """
    question, stack = setting.question, setting.stack
    told = question.layout.recompute is not None or question.published or question.cluster.n_gpus == 1
    # However it recomputed, the speed of the published run that is asked about is known.
    told = told or (question.precedent is not None and question.precedent.agrees)
    # Of other kinds nobody's layouts tell.
    of_decoders = decoder_share(question.transformer)
    told = told or not of_decoders
    habit = question.practice.usual_recompute or recompute_habit(
        stack, question.released, tunes_sharded=question.fine_tunes
    )
    # Of stacks that split models, for no others are as old.
    of_then = release(question) < SELECTIVE_SINCE and stack.model_parallel and not question.fine_tunes
    if told or (habit is not None and not of_then) or stack.tier == "untuned" or question.method.name != "full":
        return ()
    kept = RECOMPUTES[int(layouts.recompute[0])]
    if kept == "full":
        return ()
    filled = float(memory_of(setting.case, layouts).total_bytes[0]) / setting.usable_bytes
    again = replace(layouts, recompute=np.full(1, float(RECOMPUTES.index("full"))))
    factor = float(step_time(setting.case, again, constants).total_s[0]) / physical_s
    share = of_decoders * (_OF_THEN if of_then else _OF_TUNED if stack.tier == "tuned" else _OF_RESEARCH)
    share *= min(1.0, max(0.0, (filled - _NONE_BELOW) / (_FULL_FROM - _NONE_BELOW)))
    if share <= HELD or math.log(factor) < WORTH_SAYING:
        return ()
    fit = ", since they fit" if filled <= 1.0 else ""

    def words(times: Times) -> str:
        return (
            f"activations are taken to be kept{_BUT[kept]}{fit}; with full recomputation, which about {share:.0%} of "
            f"such runs have, a step would take {times.told('', assumed='without')}, and the range holds both: say "
            "activation_recompute"
        )

    asked = replace(
        question, layout=replace(question.layout, recompute="full"), global_batch_sequences=setting.global_batch
    )
    return (
        Doubt(
            argument="activation_recompute",
            ways=((factor, share),),
            code="recompute_unsaid",
            words=words,
            moves=False,
            asked=(asked,),
        ),
    )
