"""What a served profile spares callers: the device and its count, where a tool asks for them."""

from collections.abc import Mapping
from typing import cast

from estimator.question.profile import Profile
from server.protocol.errors import ArgumentError

__all__ = ["machine_defaults", "refuse_others_count"]

_COUNT = "n_gpus"
_DEVICES = ("gpu", "gpus")
_LISTED = "gpus"
"""A tool with this argument takes lists, of counts too."""


def machine_defaults(required: Mapping[str, object], profile: Profile | None) -> dict[str, object]:
    """Return what `profile` tells of the arguments that a tool requires, by argument."""
    if profile is None:
        return {}
    told: dict[str, object] = {"gpu": profile.gpu, _LISTED: profile.gpu, _COUNT: profile.n_gpus}
    lists = _LISTED in required
    return {name: [told[name]] if lists else told[name] for name in required if name in told and told[name] is not None}


def refuse_others_count(sent: Mapping[str, object], defaults: Mapping[str, object], profile: Profile | None) -> None:
    """Raise ArgumentError where a count is left out with a device that is not the profile's: its count is another."""
    if profile is None or _COUNT not in defaults or _COUNT in sent:
        return
    # It reads the catalogue, which a server without a profile should not do before it is asked.
    from estimator.resolve.measured import names_profiled

    for argument in _DEVICES:
        given = sent.get(argument)
        names = cast("list[object]", given) if isinstance(given, list) else [] if given is None else [given]
        for name in names:
            if not names_profiled(str(name), profile):
                raise ArgumentError(
                    f"{_COUNT} is missing: the {profile.n_gpus} GPUs of the profile are {profile.gpu}, not {name}"
                )
