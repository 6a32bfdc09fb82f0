"""What nvidia-smi and its like show of the devices: how much of the time a kernel ran, and the power drawn."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

__all__ = ["DeviceLoad", "LoadKind", "device_load", "is_of_a_monitor"]

LoadKind = Literal["working", "running", "waiting", "uneven", "open"]
"""Kernels nearly all the time at nearly full power; at less power, as those that wait for other devices or for memory;
kernels for a part of the time; some nearly all the time and others not; and what tells none of it."""

_BUSY, _IDLE = 0.9, 0.6
"""Share of the time with a kernel from which on a device does not wait, and up to which it surely does."""
_FULL_POWER = 0.8
"""Share of its limit that a device draws under matrix products; waiting in NCCL's kernels, half of it or less."""
_LEFT_ALONE = 0.05
"""Share of its memory up to which a device belongs to no run."""
_LONGEST_LINE = 400
_NAMED = re.compile(
    r"NVIDIA-SMI|nvidia-smi|\bGPU-Util\b|ROCm System Management|rocm-smi|amd-smi|\bnvitop\b|\bgpustat\b|"
    r"\butilization\.gpu\b|^#\s?gpu\s.{0,80}\bsm\b",
    re.MULTILINE,
)
_SMI = re.compile(
    r"(?:(?P<power>\d{1,4})W|N/A|ERR!)\s{0,9}/\s{0,9}(?:(?P<limit>\d{1,4})W|N/A)\s{0,9}\|\s{0,9}"
    r"(?P<held>[\d.]{1,9})[MG]iB\s{0,9}/\s{0,9}(?P<memory>[\d.]{1,9})[MG]iB\s{0,9}\|\s{0,9}(?P<busy>\d{1,3})\s?%"
)
"""nvidia-smi's row of a device, which nvitop prints too."""
_GPUSTAT = re.compile(
    r"\d['\u00b0]\s?C,\s{0,9}(?P<busy>\d{1,3})\s?%(?:,\s{0,9}(?P<power>\d{1,4})\s{0,9}/\s{0,9}(?P<limit>\d{1,4})\s?W)?"
    r"\s{0,9}\|\s{0,9}(?P<held>\d{1,7})\s{0,9}/\s{0,9}(?P<memory>\d{1,7})\s?M"
)
_COLUMNS = {
    "utilization.gpu": "busy",
    "sm": "busy",
    "power.draw": "power",
    "power.draw.average": "power",
    "power.draw.instant": "power",
    "pwr": "power",
    "power.limit": "limit",
    "enforced.power.limit": "limit",
}
"""Of nvidia-smi --query-gpu, and of nvidia-smi dmon."""
_PERCENT, _WATTS = re.compile(r"(\d{1,3})\s?%"), re.compile(r"(\d{1,4}(?:\.\d{1,3})?)\s?W")
_DEGREES = re.compile(r"\d{1,3}(?:\.\d)?\u00b0?[cC]")
_FIGURE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s?(?:%|W|[MG]iB)?")
_Figures = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLoad:
    """The mean of the devices and moments that were pasted."""

    shares: tuple[float, ...]
    """Of the time in which a kernel ran, of each."""
    power_w: float | None
    limit_w: float | None

    @property
    def busy(self) -> float | None:
        """Share of the time in which a kernel ran; None where that is not shown."""
        return fmean(self.shares) if self.shares else None

    @property
    def kind(self) -> LoadKind:
        """What it says of whether devices wait."""
        if self.shares and min(self.shares) <= _IDLE and max(self.shares) >= _BUSY:
            return "uneven"
        if self.busy is None or _IDLE < self.busy < _BUSY:
            return "open"
        if self.busy <= _IDLE:
            return "waiting"
        if self.power_w is None or not self.limit_w:
            return "open"
        return "working" if self.power_w >= _FULL_POWER * self.limit_w else "running"

    def __str__(self) -> str:
        """Return what was read, with its units."""
        busy = "" if self.busy is None else f"{self.busy:.0%} utilization"
        if self.kind == "uneven":
            busy = f"{min(self.shares):.0%} to {max(self.shares):.0%} utilization"
        limit = f" of {self.limit_w:,.0f}" if self.limit_w else ""
        power = "" if self.power_w is None else f"{self.power_w:,.0f}{limit} W"
        return " and ".join(part for part in (busy, power) if part)


def is_of_a_monitor(text: str) -> bool:
    """Return whether a log is, or holds, what a monitor of devices prints."""
    return _NAMED.search(text) is not None or next(_rows(text), None) is not None


def device_load(text: str, *, n_gpus: int, usual_limit_w: float | None = None) -> DeviceLoad | None:
    """Return what a log shows of the devices' load; None where no monitor's row is in it.

    Of more devices than run, those whose memory is empty are left out. The limit is the row's, else `usual_limit_w`.
    """
    rows = [*_rows(text)]
    if len(rows) > n_gpus:
        rows = [row for row in rows if row.get("held", 1.0) > _LEFT_ALONE * row.get("memory", 1.0)] or rows
    shares = tuple(row["busy"] / 100.0 for row in rows if "busy" in row)
    power, limit = _mean(rows, "power"), _mean(rows, "limit")
    if not shares and power is None:
        return None
    return DeviceLoad(shares=shares, power_w=power, limit_w=limit or usual_limit_w)


def _mean(rows: Sequence[_Figures], name: str) -> float | None:
    figures = [row[name] for row in rows if name in row]
    return fmean(figures) if figures else None


def _rows(text: str) -> Iterator[_Figures]:
    """Yield the figures of each row: utilization and memory in percent or as printed, power in watts."""
    columns: list[str] = []
    cells: Callable[[str], list[str]] = str.split
    for line in text.replace("\\n", "\n").splitlines():
        if len(line) > _LONGEST_LINE or not line.strip():
            continue
        comma = "," in line or line.startswith(("utilization.", "power."))
        named = [cell.partition(" [")[0] for cell in _separated(line)] if comma else line.removeprefix("#").split()
        if any(name in _COLUMNS for name in named) and (comma or line.startswith("#")):
            columns, cells = named, _separated if comma else str.split
        elif row := _figures(line.replace("\u2502", "|"), columns, cells):
            yield row


def _separated(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")]


def _figures(line: str, columns: Sequence[str], cells: Callable[[str], list[str]]) -> _Figures:
    """Return the figures of one row; empty where the line is none."""
    if columns and len(values := cells(line)) == len(columns):
        told = {_COLUMNS[name]: value for name, value in zip(columns, values, strict=True) if name in _COLUMNS}
        return {name: float(match[1]) for name, value in told.items() if (match := _FIGURE.fullmatch(value))}
    if "%" not in line:
        return {}
    if match := _SMI.search(line) or _GPUSTAT.search(line):
        return {name: float(value) for name, value in match.groupdict().items() if value}
    words = line.split()
    if words[-1].endswith("%") and any(_DEGREES.fullmatch(word) for word in words):
        # rocm-smi's last two columns are the memory held, and the use.
        return _without_header(words[::-1])
    return _without_header(_separated(line))


def _without_header(values: Sequence[str]) -> _Figures:
    """Return the figures of `99 %, 392.11 W`: the first share is not the memory's, the larger power is the limit."""
    busy = [float(match[1]) for value in values if (match := _PERCENT.fullmatch(value))]
    watts = [float(match[1]) for value in values if (match := _WATTS.fullmatch(value))]
    if not busy or not watts:
        return {}
    power = {"power": min(watts)} if len(watts) == 1 else {"power": min(watts), "limit": max(watts)}
    return {"busy": busy[0], **power}
