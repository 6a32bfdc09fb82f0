"""A configuration pasted into `framework`: what it tells of arguments that were left out, and where it differs."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from estimator.base.errors import EstimatorError, InvalidValueError
from estimator.base.spoken import spoken
from estimator.base.units import parse_count
from estimator.catalogue import catalogue
from estimator.models.parameters import parameter_counts
from estimator.question.question import Assumption, Caution
from estimator.question.request import Request, Settings, ToldSteps
from estimator.resolve.framework.software import AUTO

if TYPE_CHECKING:
    from estimator.resolve.framework.configuration import Configuration, Told
    from estimator.resolve.named_data import NamedData

__all__ = ["with_settings"]

_MARKS = re.compile(r"[_:={]|--|\b(?:batch|[mg]?bsz?|accum|epoch|rank|alpha|lr|learning|beta|seed|warm)", re.IGNORECASE)
"""Of which every configuration has one, and every setting in running words."""
_SAME = 0.01
_SAME_SIZE = 0.05
"""Share by which models may differ in size and take about the same time: versions of one."""
_MOST_NAMED = 6
_LONGEST = 60
_WHOLE = frozenset(
    {
        *("micro_batch_size", "gradient_accumulation", "sequence_length", "lora_rank", "global_batch_sequences"),
        *("tensor_parallel", "pipeline_parallel", "context_parallel", "expert_parallel", "gpus_per_node", "steps"),
    }
)
_ALL_OF_IT = "all of the text is counted: leave tokens out if training stops there"
_LARGEST_NODE = 8
"""Devices above which a run has several machines."""


def with_settings(request: Request, *, amount: bool = True, count: bool = True) -> Request:
    """Return `request` with what a configuration in its framework tells of arguments that were left out.

    What is left of the text are words of software and practice. Arguments win over keys. Without `amount` nothing is
    taken of how much is trained on, and without `count` nothing is compared with the number of GPUs, where those are
    to be found.
    """
    text = request.framework
    if text == AUTO or _MARKS.search(text) is None:
        return request
    # Few questions hold one, and its keys take a while to be made.
    from estimator.resolve.framework.configuration import configuration_of

    read = configuration_of(text)
    if read is None:
        return request
    filling = _Filling(request=request, counted=count)
    numbers = _numbers(read, request, amount=amount)
    if count and (processes := read.numbers.get("n_gpus")):
        filling.compare("n_gpus", processes.value, processes.words)
    if count and (held := read.numbers.get("gpus_per_node")) and held.value > _number(request.n_gpus):
        filling.compare("n_gpus", held.value, held.words)
    if count and read.visible is not None:
        filling.see(read.visible.value, read.visible.words)
    if amount and read.most_samples is not None:
        filling.cap(read.most_samples.value, read.most_samples.words)
    for name, told in numbers.items():
        filling.fill(name, told.value, told.words)
    for name in read.models:
        filling.model(name)
    filling.hear(read.unheeded, read.unread)
    return replace(
        request,
        framework=read.text,
        settings=Settings(
            assumptions=filling.assumptions(read.dialect), cautions=filling.cautions, last_step=filling.last_step
        ),
        **filling.taken,
    )


def _numbers(read: "Configuration", request: Request, *, amount: bool) -> dict[str, "Told"]:
    """Return the numbers that are looked at, accumulation behind the micro-batches that it counts."""
    left_out = {"n_gpus"} if amount else {"n_gpus", "epochs", "steps"}
    if {"gradient_accumulation", "micro_batch_size"} <= read.numbers.keys():
        # A batch in all is theirs times the replicas that it was written for.
        left_out.add("global_batch_sequences")
    if not read.adapts and request.method == "full":
        left_out.add("lora_rank")
    kept = {name: told for name, told in read.numbers.items() if name not in left_out}
    return dict(sorted(kept.items(), key=lambda told: told[0] == "gradient_accumulation"))


@dataclass(slots=True)
class _Filling:
    """What is taken of a configuration into a request."""

    request: Request
    counted: bool
    """Whether the number of GPUs is known."""
    taken: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    heard: list[Caution] = field(default_factory=list)
    last_step: ToldSteps | None = None

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """What to beware of, the gravest first."""
        return tuple(self.heard)

    def fill(self, name: str, value: float, words: str) -> None:
        """Take `value` for the argument `name`, unless it was given, or another tells it."""
        request = self.request
        if getattr(request, name) is not None:
            self.compare(name, value, words)
        elif name == "gradient_accumulation" and request.global_batch_sequences is not None:
            self._compare_batch(value, words)
        elif name == "gradient_accumulation" and not (request.micro_batch_size or "micro_batch_size" in self.taken):
            self.warn(
                "settings_not_counted", f"framework says {words}, which counts micro-batches: give micro_batch_size"
            )
        elif name == "global_batch_sequences" and request.gradient_accumulation is not None:
            pass
        elif name == "epochs" and (passes := _told_passes(request)) is not None:
            self._differs(name, value, words, passes, f"{passes:g} passes beside the amount")
        elif name == "epochs" and request.steps is not None:
            # Trainers stop at whichever number of steps they are told.
            self.warn("framework_contradicted", f"framework says {words}, but the argument's steps tell the amount")
        elif name == "steps" and (request.samples is not None or request.tokens is not None):
            self._stop(value, words)
        elif (name == "lora_rank" and request.method == "frozen") or (
            name == "gpus_per_node" and not 1 < value < _number(request.n_gpus)
        ):
            pass
        else:
            self._take(name, value, words)
            if name == "epochs" and request.tokens is not None:
                self.warn(
                    "epochs_from_framework",
                    f"framework says {words}: tokens are taken as those of one pass; if they are of all, say epochs 1",
                )

    def _stop(self, steps: float, words: str) -> None:
        """Take `steps` as where the trainer stops in a set that the arguments tell; an amount that they tell stands."""
        request = self.request
        if request.samples is not None or _named_set(request.tokens, "tokens"):
            self.last_step = ToldSteps(steps=max(1, int(steps)), words=words)
        elif _number(request.tokens):
            self.first("framework_contradicted", f"framework says {words}, but the argument's tokens are counted")
        else:
            self.first("framework_contradicted", f"framework says {words}, but {_ALL_OF_IT}")

    def cap(self, value: float, words: str) -> None:
        """Take `value` as the most samples that are trained on."""
        request = self.request
        if request.samples is None and request.tokens is None and request.steps is None:
            self._take("samples", value, words)
            return
        for argument in ("samples", "tokens"):
            given = getattr(request, argument)
            named = _named_set(given, argument)
            there = _number(given) if argument == "samples" else 0.0
            if named is not None and not named.portion:
                there = named.entry.samples or 0.0
            if value < there:
                self._take(argument, value, words)
                if named is not None:
                    self.taken[argument] = f"{value:.0f} samples of {given}"
                message = f"framework says {words}: so many of the {there:,.0f} samples are taken to be trained on"
                self.first("samples_from_framework", f"{message}; leave that out if all are")

    def see(self, shown: float, words: str) -> None:
        """Say so where a process is shown `shown` devices and other numbers were given: on each machine as many."""
        n_gpus = _number(self.request.n_gpus)
        if n_gpus <= _LARGEST_NODE or n_gpus % shown:
            self.compare("n_gpus", shown, words)

    def _take(self, name: str, value: float, words: str) -> None:
        told = "all" if math.isinf(value) else f"{value:g}"
        whole = name in _WHOLE and not math.isinf(value) and value == int(value)
        self.taken[name] = told if name == "trained_layers" else int(value) if whole else value
        key = words.rpartition(" ")[0] or words
        self.words.append(f"{name} {told}" if name in words.split() else f"{name} {told} ({key})")

    def compare(self, name: str, value: float, words: str) -> None:
        """Say so where the argument `name` was given and is not `value`."""
        given = getattr(self.request, name)
        self._differs(name, value, words, _number(given, name), f"the argument's {name} {_plain(given)}")

    def _differs(self, name: str, value: float, words: str, given: float, what: str) -> None:
        if given and abs(value / given - 1.0) > _SAME:
            verb = "are" if what.split()[1].endswith("es") or name == "n_gpus" else "is"
            self.warn("framework_contradicted", f"framework says {words}, but {what} {verb} taken")

    def _compare_batch(self, accumulated: float, words: str) -> None:
        """Say so where micro-batch · accumulation · GPUs, nothing split, is not the batch that was given."""
        request = self.request
        micro = request.micro_batch_size or self.taken.get("micro_batch_size")
        split = (request.tensor_parallel, request.pipeline_parallel, request.context_parallel)
        if micro and self.counted and not any(split):
            batch = _number(micro) * accumulated * _number(request.n_gpus)
            what = f"the argument's global_batch_sequences {_plain(request.global_batch_sequences)}"
            given = _number(request.global_batch_sequences)
            self._differs("global_batch_sequences", batch, f"{words}, {batch:,.0f} sequences a step", given, what)

    def model(self, name: str) -> None:
        """Say so where a configuration is of another model than is asked about."""
        own, asked = _parameters(name), _parameters(str(self.request.model))
        if own and asked and self.request.hf_config is None and abs(own / asked - 1.0) > _SAME_SIZE:
            self.first(
                "framework_contradicted",
                f"framework's configuration is of {name[:_LONGEST]}, but the argument's model "
                f"{str(self.request.model)[:_LONGEST]} is counted",
            )

    def hear(self, unheeded: Sequence[str], unread: Sequence[str]) -> None:
        """Say what could not be taken: first what may change the time, last the keys that nobody knows."""
        if unheeded:
            be = "are" if len(unheeded) > 1 else "is"
            message = f"{_listed(unheeded)} {be} not counted, and may change the time: say it in other words"
            self.first("settings_not_counted", f"framework: {message}")
        if unread:
            keys, tell = ("keys", "tell") if len(unread) > 1 else ("key", "tells")
            self.warn("framework_not_understood", f"framework: the {keys} {_listed(unread)} {tell} nothing here")

    def warn(self, code: str, message: str) -> None:
        """Keep a warning."""
        self.heard.append(Caution(code=code, message=message))

    def first(self, code: str, message: str) -> None:
        """Keep a warning of what changes the answer."""
        self.heard.insert(0, Caution(code=code, message=message))

    def assumptions(self, dialect: str) -> tuple[Assumption, ...]:
        """Return that arguments were read from the framework's text, if any were."""
        if not self.words:
            return ()
        note = f"read from framework{f', in keys of {dialect}' if dialect else ''}; arguments that are given win"
        return (Assumption(name="framework_settings", value=", ".join(self.words), source="user", note=note),)


def _listed(parts: Sequence[str]) -> str:
    shown = ", ".join(" ".join(part.split())[:_LONGEST] for part in parts[:_MOST_NAMED])
    return f"{shown} …" if len(parts) > _MOST_NAMED else shown


def _number(given: object, argument: str = "") -> float:
    """Return a quantity as a number; 0 for one that is none, which is refused elsewhere."""
    try:
        return parse_count(given, argument)
    except InvalidValueError:
        return 0.0


def _told_passes(request: Request) -> float | None:
    """Return the passes that are told beside an amount: `alpaca x3`."""
    from estimator.resolve.named_data import split_passes

    told = [request.tokens, request.samples]
    passes = (split_passes(spoken(one))[1] for one in told if isinstance(one, str))
    return next((one for one in passes if one is not None), None)


def _parameters(name: str) -> float:
    """Return the parameters of a model by name; 0 for one that is not catalogued."""
    found = catalogue.found_transformer(name)
    return 0.0 if found is None else parameter_counts(found.value).total


def _named_set(given: object, argument: str) -> "NamedData | None":
    """Return the data set that `given` names; None for what names none, or is refused elsewhere."""
    from estimator.resolve.named_data import named_data

    try:
        return named_data(given, argument)
    except EstimatorError:
        return None


def _plain(given: object) -> str:
    return f"{given:g}" if isinstance(given, float) else str(given)
