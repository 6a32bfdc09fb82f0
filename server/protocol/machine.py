"""What spares callers the count of devices: a served profile, or a name that tells it (`2 nodes of 8 H100`)."""

from collections.abc import Collection, Mapping
from typing import cast

from estimator.question.profile import Profile
from server.protocol.errors import ArgumentError

__all__ = ["machine_defaults", "refuse_others_count", "with_told_count"]

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


def with_told_count(sent: Mapping[str, object], required: Collection[str]) -> Mapping[str, object]:
    """Return `sent` with the count that its devices' names tell, where a tool requires one and none was sent.

    Of several devices all must count as many.
    """
    if _COUNT not in required or _COUNT in sent:
        return sent
    given = next((sent[name] for name in _DEVICES if name in sent and name in required), None)
    names = cast("list[object]", given) if isinstance(given, list) else [given]
    if not names or not all(isinstance(name, str) for name in names):
        return sent
    # It reads the catalogue, which is not needed where arguments are not as a tool wants them.
    from estimator.resolve.slices import told_count

    counts = {told_count(str(name)) for name in names}
    count = counts.pop()
    if counts or count is None:
        return sent
    return {**sent, _COUNT: [count] if isinstance(given, list) else count}
