"""Progress bars: tqdm's, a notebook's, rich's and Keras', with what they are named for."""

import re

from estimator.answers.check.epochs import epoch_of_bar
from estimator.answers.check.log_point import BAR, LogPoint
from estimator.answers.check.log_values import CLOCK, NUMBER, duration_s, number

__all__ = ["bar_point"]

_SMALLEST_S, _LARGEST = 1e-9, 1e12
_UNIT = r"[A-Za-z_]{1,16}"
_RATE = rf"(?<![\w.-]){NUMBER}\s{{0,2}}(?:({_UNIT})/s(?![A-Za-z])|(m|u|µ)?s/({_UNIT}))"
_COUNT = r"(\d[\d.,]{0,15}[kMG]?)"
_FIRST = rf"(?<![\d.,]){_COUNT}"
_TQDM = re.compile(rf"{_FIRST}(?:/(?:{_COUNT}|\?))?\s{{0,2}}\[\s?{CLOCK}\s?<\s?(?:{CLOCK}|\?)?")
_TOTALLESS = re.compile(rf"{_FIRST}( ?{_UNIT}) \[{CLOCK},\s{{1,9}}{_RATE}")
_NOTEBOOK = re.compile(rf"\[\s{{0,9}}{_COUNT}/{_COUNT} {CLOCK}(?: < (?:{CLOCK}|:)?,? ?(?:{NUMBER} it/s)?|, (?=Epoch))")
_RICH = re.compile(rf"{_FIRST}/{_COUNT}\s{{1,9}}{CLOCK} [•·] (?:{CLOCK}|-:--:--)\s{{1,9}}{_RATE}")
_RATE_FIRST = re.compile(rf"{_FIRST}/{_COUNT} ({_RATE}) (\d[\d:.]{{0,12}}s?)<(\d[\d:.]{{0,12}}s?)")
"""Ultralytics', whose rate stands before the clocks."""
_ALIVE = re.compile(rf"{_FIRST}/{_COUNT} \[\d{{1,3}}%\] in {CLOCK} \([^()/]{{0,30}}?{NUMBER}/s")
_KERAS = re.compile(rf"(?:^|\s){_COUNT}/{_COUNT} (?:\[[=>.]{{1,60}}\]|[━╸╺─\s]{{3,90}}|-)\s?-?\s?(?:\d{{1,9}}s - )?")
_KERAS_TIMES = re.compile(
    rf"(?:(ETA:)?\s{{0,3}}({CLOCK[1:-1]}|\d{{1,9}}m?s)\s)?\s{{0,3}}{NUMBER}(ms|us|µs|s)/(?:step|epoch|sample)"
)
_KERAS_ETA = re.compile(rf"ETA: ({CLOCK[1:-1]}|\d{{1,9}}s)")
_PRINTED = re.compile(_RATE)
_TRAINING = re.compile(r"train(?!ed)|epoch|episode|\bsteps?\b|\biter(?:ation)?s?\b|\bloss\b|训练|\bfit", re.IGNORECASE)
_OTHER = re.compile(
    r"download|load|fetch|map\b|mapping|token|filter|pack|eval|valid|\btest|predict|infer|generat|sampl|sanity|calculat|"
    r"convert|saving|save|upload|writing|creating|process|prompt|request|extract|group|rollout|experience|make_|reward|"
    r"score|compil|capturing|quantiz|merging|shard|files?\b|resolving|warm|cach|dequeu|build|import|"
    r"appl|adding|drop|template|dataset|split|\bval\b|format|collat|index|batches: ",
    re.IGNORECASE,
)
_TRAINING_ITSELF = re.compile(r"\btraining\b|\btrain (?:step|epoch|iter|batch|loop)", re.IGNORECASE)
_BEFORE_IT = re.compile(r"load|map|token|eval|valid|convert|data|split|filter|pack|sav", re.IGNORECASE)
_TIMES_S = {"ms": 1e-3, "us": 1e-6, "µs": 1e-6, "s": 1.0}
_BYTES = re.compile(
    r"^i?B$|[kKMGT]i?B$|^(?:examples?|files?|tokens?|ex|rows?|shards?|params?|tensors?|docs?|bytes|chars)$"
)


def bar_point(line: str) -> LogPoint | None:
    """Return what the last bar on a line says; None where there is none."""
    if "/" not in line and "[" not in line:
        return None
    for mark, reader in _READERS:
        if mark not in line:
            continue
        try:
            point = reader(line)
        except (ValueError, OverflowError):
            # No number after all: 1.2.3/4.
            continue
        if point is not None:
            return point
    return None


def _named(text: str) -> tuple[str, bool | None]:
    """Return a bar's label and whether it names training; what names something else goes first."""
    # A dict that is printed on a bar's line is none of its name.
    label = text.split("%", maxsplit=1)[0].rpartition("}")[2]
    if "]" in label and any(character.isalpha() for character in label.rpartition("]")[2]):
        label = label.rpartition("]")[2]
    label = re.sub(r"[\d.\s]{1,20}$", "", label.strip()[-80:]).strip(" :|-")
    if _OTHER.search(label):
        return label, _TRAINING_ITSELF.search(label) is not None and _BEFORE_IT.search(label) is None
    return label, True if _TRAINING.search(label) else None


def _of_tqdm(line: str) -> LogPoint | None:
    match = None
    for found in _TQDM.finditer(line):
        match = found
    if match is None:
        return None
    rest = line[match.end() : match.end() + 600]
    label, training = _named(line[: match.start()])
    rate = _PRINTED.search(rest)
    if rate is not None and _BYTES.search(rate[2] or rate[4] or ""):
        training = False
    if training is None and re.search(r"\bloss", rest):
        training = True
    return _clocked(
        line,
        match,
        label=label,
        training=training,
        step_s=_rate_s(rate),
        lightning="v_num" in rest,
    )


def _of_totalless(line: str) -> LogPoint | None:
    match = _TOTALLESS.search(line)
    if match is None:
        return None
    label, training = _named(line[: match.start()])
    if _BYTES.search(match[2].strip()):
        training = False
    seconds = _rate_s(_PRINTED.search(line[match.start() :]))
    return _made(
        line,
        line[: match.start()],
        label=label,
        training=training,
        step=match[1],
        total=None,
        elapsed_s=duration_s(match[3]),
        left_s=None,
        step_s=seconds,
    )


def _of_notebook(line: str) -> LogPoint | None:
    """Return a notebook's bar: its rate is printed to two decimals, so that steps over the clock say more."""
    match = _NOTEBOOK.search(line)
    if match is None:
        return None
    step, elapsed_s = number(match[1]), duration_s(match[3])
    training = True if "Epoch" in line[match.end() :] else None
    label = "Epoch" if training else _named(line[: match.start()])[0]
    return _made(
        line,
        line[: match.start()],
        label=label,
        training=training,
        step=match[1],
        total=match[2],
        elapsed_s=elapsed_s,
        left_s=duration_s(match[4]) if match[4] else None,
        step_s=elapsed_s / step if step else None,
        name="huggingface" if training else "tqdm",
    )


def _of_rate_first(line: str) -> LogPoint | None:
    match = _RATE_FIRST.search(line)
    if match is None:
        return None
    label, training = _named(line[: match.start()])
    step, total, rate, *_, elapsed, left = match.groups()
    return _made(
        line,
        line[: match.start()],
        label=label,
        training=training,
        step=step,
        total=total,
        elapsed_s=duration_s(elapsed),
        left_s=duration_s(left),
        step_s=_rate_s(_PRINTED.search(rate)),
    )


def _of_alive(line: str) -> LogPoint | None:
    match = _ALIVE.search(line)
    if match is None:
        return None
    label, training = _named(line.split("|", maxsplit=1)[0])
    return _made(
        line,
        line[: match.start()],
        label=label,
        training=training,
        step=match[1],
        total=match[2],
        elapsed_s=duration_s(match[3]),
        left_s=None,
        step_s=1.0 / rate if (rate := number(match[4])) else None,
    )


def _of_rich(line: str) -> LogPoint | None:
    match = _RICH.search(line)
    if match is None:
        return None
    label, training = _named(line[: match.start()])
    return _clocked(
        line,
        match,
        label=label,
        training=training,
        step_s=_rate_s(_PRINTED.search(line[match.end(3) :])),
        lightning=True,
    )


def _of_keras(line: str) -> LogPoint | None:
    """Return Keras' bar: 3 prints the time left and a step's, 2 either the time left or, at the end, the time taken."""
    match = _KERAS.search(line)
    if match is None:
        return None
    rest = line[match.end() : match.end() + 200]
    times, eta = _KERAS_TIMES.search(rest), _KERAS_ETA.search(rest)
    step, total = number(match[1]), number(match[2])
    left_s = duration_s(eta[1]) if eta else None
    seconds: float | None = None
    if times is not None:
        seconds = number(times[3]) * _TIMES_S[times[4]]
        if times[2] and left_s is None and step < total:
            left_s = duration_s(times[2])
    elif left_s and total > step:
        seconds = left_s / (total - step)
    if seconds is None:
        return None
    return _made(
        line,
        line[: match.start()],
        label="",
        training="loss" in rest or None,
        step=match[1],
        total=match[2],
        elapsed_s=None,
        left_s=left_s,
        step_s=seconds,
        name="keras",
    )


def _rate_s(rate: re.Match[str] | None) -> float | None:
    if rate is None:
        return None
    value = number(rate[1])
    if not value:
        return None
    return 1.0 / value if rate[2] else value * _TIMES_S[f"{rate[3] or ''}s"]


def _clocked(
    line: str,
    match: re.Match[str],
    *,
    label: str,
    training: bool | None,
    step_s: float | None,
    name: str = "tqdm",
    lightning: bool = False,
) -> LogPoint | None:
    """Return the point of a bar that `match` found: its groups are steps done and in all, time taken and left."""
    return _made(
        line,
        line[: match.start()],
        label=label,
        training=training,
        step=match[1],
        total=match[2],
        elapsed_s=duration_s(match[3]),
        left_s=duration_s(match[4]) if match[4] else None,
        step_s=step_s,
        name=name,
        lightning=lightning,
    )


def _made(
    line: str,
    before: str,
    *,
    label: str,
    training: bool | None,
    step: str,
    total: str | None,
    elapsed_s: float | None,
    left_s: float | None,
    step_s: float | None,
    name: str = "tqdm",
    lightning: bool = False,
) -> LogPoint | None:
    steps, of_steps = number(step), number(total) if total else None
    if step_s is not None and not _SMALLEST_S < step_s < _LARGEST:
        step_s = None
    if step_s is None and not elapsed_s:
        return None
    epoch = epoch_of_bar(before)
    return LogPoint(
        dialect="lightning" if lightning else name,
        of_epoch=epoch is not None or name == "keras",
        epoch=epoch.number if epoch else None,
        # Lightning's rich bar prints the number of the last one, counted from 0.
        epochs=None if epoch is None or epoch.total is None else epoch.total + float(lightning),
        first_epoch=0.0 if lightning else None,
        rank=BAR,
        counts_micro=lightning,
        line=line,
        label=label,
        # Whatever names the epoch that it is of is training's, unless it names something else.
        training=True if training is None and epoch is not None else training,
        step=steps if steps < _LARGEST else None,
        total_steps=of_steps if of_steps is not None and 0 < of_steps < _LARGEST else None,
        elapsed_s=elapsed_s,
        left_s=left_s,
        step_s=step_s,
    )


_READERS = (
    ("<", _of_tqdm),
    ("<", _of_rate_first),
    ("%] in ", _of_alive),
    ("[", _of_notebook),
    ("•", _of_rich),
    ("·", _of_rich),
    ("━", _of_keras),
    ("step", _of_keras),
    ("ETA: ", _of_keras),
    ("s/epoch", _of_keras),
    (" [", _of_totalless),
)
"""By a mark that is quickly found."""
