"""Devices of which their maker alone has published runs: whoever else trains on them is seldom as fast."""

from functools import cache

from estimator.catalogue import catalogue
from estimator.evidence.mixture import HELD, Doubt
from estimator.models.kinds import decoder_share
from estimator.physics.choice import Setting
from estimator.physics.effects import is_ported

__all__ = ["vendors_runs_doubt"]

_SLOWER = ((1.27, 0.3), (1.8, 0.12))
"""Times as long as the maker's own runs, and how many others are so. Of devices that several labs have published on,
ten labs took 1.2 times as long as the maker's, labs alike, and one in four up to 1.8 (`stack_doubts`); with software
that the maker hands out somewhat more of them come near."""


def vendors_runs_doubt(setting: Setting) -> tuple[Doubt, ...]:
    """Return the doubt whether a run on such a device is as fast as its maker's, on a stack that is made for it.

    None of general trainers and ported stacks, which carry an effect of their own, nor of kinds with other evidence.
    """
    question = setting.question
    chip, stack = question.cluster.accelerator, setting.stack
    others = question.published or stack.tier == "untuned" or is_ported(stack.name, chip.vendor)
    told = decoder_share(question.transformer)
    ways = tuple((factor, told * share) for factor, share in _SLOWER)
    if others or sum(share for _, share in ways) <= HELD:
        return ()
    if not _has_its_vendors_runs_alone(chip.family, chip.segment):
        return ()
    (likely, _), (most, _) = _SLOWER
    message = (
        f"all published runs on {chip.family} devices are {chip.vendor}'s own: elsewhere other labs took {likely:.1f} "
        f"to {most:.1f} times as long as a chip's maker, and the range holds that; a measured step of your own "
        "(observed_tokens_per_second) would tell"
    )
    # Of others' runs over a maker's: nothing that can be said of this one settles it.
    return (Doubt(argument="observed_tokens_per_second", ways=ways, code="vendor_runs_alone", words=lambda _: message),)


@cache
def _has_its_vendors_runs_alone(family: str, segment: str) -> bool:
    """Return whether all published steps on a family of devices are of its maker."""
    labs: set[str] = set()
    vendors: set[str] = set()
    for run in catalogue.runs():
        chip = catalogue.accelerator(run.accelerator_id).value.accelerator
        if (chip.family, chip.segment) == (family, segment) and run.tokens_per_second_per_gpu is not None:
            labs.add(run.lab)
            vendors.add(chip.vendor)
    return bool(labs) and labs == vendors
