"""Machines of notebook services, whose few processors read the pictures of a run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from estimator.base.units import KILO
from estimator.question.question import Caution
from estimator.question.reads import Reads
from estimator.question.request import Request
from estimator.resolve.device import Device
from estimator.resolve.framework.software import NamedFramework

__all__ = ["Host", "told_host"]

_NAMED = re.compile(r"\b(colab|kaggle)\b")
_CALLED: Mapping[str, str] = MappingProxyType({"colab": "Google Colab", "kaggle": "Kaggle"})
_PROCESSORS: Mapping[str, int] = MappingProxyType({"colab": 2, "kaggle": 4})
"""Virtual ones of a notebook with the GPUs that are given away. Source: `/proc/cpuinfo` of such notebooks; Kaggle's
documentation of notebooks."""
_GIVEN_AWAY = frozenset({"t4", "p100", "k80", "v100"})
"""First words of their GPUs; with larger ones come a dozen processors, which are no narrower than elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A small machine that was named beside its GPUs."""

    name: str
    processors: int
    n_gpus: int

    def reading(self, framework: NamedFramework) -> NamedFramework:
        """Return `framework` with at most as many loader workers a GPU as the host has processors for."""
        said = framework.practice.loader_workers
        most = max(1, self.processors // self.n_gpus)
        workers = most if said is None else min(said, most)
        return replace(framework, practice=replace(framework.practice, loader_workers=workers))

    def doubts(self, reads: Reads) -> tuple[Caution, ...]:
        """Return what to beware of where pictures are read."""
        if not reads.pictures:
            return ()
        # NumPy comes with it, and few questions name such a host.
        from estimator.physics.loading import reading_s

        each_s = reading_s(reads) / reads.pictures
        message = (
            f"{self.name} has {self.processors} virtual processors, which read about {self.processors / each_s:,.0f} "
            f"pictures a second in all at {each_s * KILO:.2g} ms each: the GPU waits for them where it is faster; "
            'pictures that were decoded and scaled once before training are read many times as fast: say "ffcv" or '
            '"DALI" in framework'
        )
        return (Caution(code="host_reads_slowly", message=message),)


def told_host(request: Request, device: Device, n_gpus: int) -> Host | None:
    """Return the small host that the words for the GPU or for the software name; None where they name none."""
    found = _NAMED.search(f"{request.gpu} {request.framework}".casefold())
    chip = device.accelerator
    if found is None or chip is None or chip.id.partition("-")[0] not in _GIVEN_AWAY:
        return None
    return Host(name=_CALLED[found[1]], processors=_PROCESSORS[found[1]], n_gpus=n_gpus)
