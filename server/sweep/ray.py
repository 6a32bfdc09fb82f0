"""A sweep's parts worked out by an existing Ray cluster, whose nodes have this program installed."""

import socket
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from server.sweep.engine import MOST_LOSSES, LostError
from server.sweep.part import Plan

__all__ = ["RayCluster"]

ROOT = Path(__file__).resolve().parent.parent
"""Where the program's packages lie."""
_CONNECT_S = 5.0


def _check_listens(address: str) -> None:
    """Raise UsageError where nothing listens at an address with a port: Ray itself would try for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise click.UsageError(f"no Ray cluster answers at {address!r} ({error}); start one: ray start") from error


def _work(root: str) -> Any:  # noqa: ANN401 - Ray makes a remote function of it
    """Return what a worker runs; a function inside another is sent whole, and imports what it needs over there."""

    def part_over_there(plan: dict[str, Any], part: int) -> bytes:
        import sys
        from importlib.util import find_spec
        from pathlib import Path

        folder = root
        installed = find_spec("traintime")
        here = Path(root) / "server" / "sweep" / "part.py"
        if not here.is_file() and installed is not None and installed.origin is not None:
            # Another machine, where the program lies elsewhere: installed, or a checkout.
            there = Path(installed.origin).parent
            folder = str(there / "_app" if (there / "_app").is_dir() else there.parent)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        from server.sweep.part import part_of

        return part_of(plan, part)

    return part_over_there


class RayCluster:
    """An existing Ray cluster."""

    def __init__(self, plan: Plan, address: str) -> None:
        try:
            # Imported by name, because its types are partial.
            ray: Any = import_module("ray")
        except ImportError as error:
            raise click.UsageError("--ray needs Ray: pip install 'traintime[ray]'") from error
        _check_listens(address)
        self._ray = ray
        self._plan = asdict(plan)
        self._losses = 0
        self._begun: dict[Any, int] = {}
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise click.UsageError(f"no Ray cluster answers at {address!r} ({reason}); start one: ray start") from error
        self._slots = max(int(self._ray.cluster_resources().get("CPU", 1)), 1)
        self._task = ray.remote(_work(str(ROOT))).options(max_retries=MOST_LOSSES)

    @property
    def slots(self) -> int:
        """One that is worked on and one that waits, for each processor of the cluster."""
        return 2 * self._slots

    def start(self, part: int) -> None:
        """Hand `part` to the cluster."""
        self._begun[self._task.remote(self._plan, part)] = part

    def finished(self) -> tuple[int, bytes]:
        """Wait for any part."""
        while True:
            (ready,), _ = self._ray.wait(list(self._begun), num_returns=1)
            part = self._begun.pop(ready)
            try:
                data: bytes = self._ray.get(ready)
            except self._ray.exceptions.RayTaskError as error:
                # Of the work, not of where it was done; as it would have been raised here.
                raise error.as_instanceof_cause() from error
            except self._ray.exceptions.RayError as error:
                self._losses += 1
                if self._losses > MOST_LOSSES:
                    raise LostError(f"the cluster lost part {part} {self._losses} times: {error}") from error
                self.start(part)
                continue
            self._losses = 0
            return part, data

    def close(self) -> None:
        """Leave the cluster; it ends what was under way for us."""
        self._ray.shutdown()
