"""Logs of every trainer, each read as a careful person reads it.

Authority: the source of each trainer, named beside its excerpt; the figures are made up.
"""

import html
import json
from collections.abc import Callable
from dataclasses import fields

import pytest

from estimator.answers.check.bars import bar_point
from estimator.answers.check.dialects import line_setup
from estimator.answers.check.logs import LogReading, log_reading
from estimator.base.errors import InvalidValueError
from tests.answers.check.excerpts import EXCERPTS, HOSTILE, Excerpt

_FIELDS = {field.name for field in fields(LogReading)}


def _held(excerpt: Excerpt) -> None:
    if "refused" in excerpt.reads:
        with pytest.raises(InvalidValueError, match=excerpt.reads["refused"].replace("_", " ")):
            log_reading(excerpt.text)
        return
    read = log_reading(excerpt.text)
    for name, expected in excerpt.reads.items():
        assert name in _FIELDS
        value = getattr(read, name)
        if name == "dialect":
            assert value == expected
        elif expected in {"None", "True", "False"}:
            assert str(value) == expected, name
        else:
            assert value == pytest.approx(float(expected), rel=0.01), name


@pytest.mark.parametrize("excerpt", EXCERPTS, ids=lambda excerpt: excerpt.name)
def test_a_log_is_read_as_a_careful_person_reads_it(excerpt: Excerpt) -> None:
    _held(excerpt)


@pytest.mark.parametrize("excerpt", HOSTILE, ids=lambda excerpt: excerpt.name)
def test_a_hostile_log_is_read_right_or_refused_and_never_silently_wrong(excerpt: Excerpt) -> None:
    _held(excerpt)


def _each_line(before: str) -> Callable[[str], str]:
    return lambda text: "\n".join(f"{before}{line}" for line in text.split("\n"))


def _collected(text: str) -> str:
    entries = ({"log": f"{line}\n", "stream": "stdout", "time": "2025-06-01T10:00:00Z"} for line in text.split("\n"))
    return "\n".join(json.dumps(entry) for entry in entries)


DRESSES: dict[str, Callable[[str], str]] = {
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "a byte order mark": lambda text: f"\ufeff{text}",
    "colours": lambda text: "\n".join(f"\x1b[32m{line}\x1b[0m" for line in text.split("\n")),
    "a fence of code": lambda text: (
        f"This is my log of step 5, is it normal?\n```\n{text}\n```\nIt should take 3 s/it."
    ),
    "entities": html.escape,
    "a mail": _each_line("> "),
    "kubernetes": _each_line("2025-06-01T10:00:00.123456789Z stdout F "),
    "torchrun": _each_line("[rank0]: "),
    "srun": _each_line("0: "),
    "ray": _each_line("(TrainWorker pid=1234, ip=10.0.0.2) "),
    "docker": _collected,
    "json": lambda text: json.dumps({"status": "ok", "logs": text}),
}
"""What a log is wrapped in on its way from a terminal to a question."""
DOCUMENTS = frozenset({"tensorboard json", "mlflow"})
"""Of several lines, which are a document only together."""
ESCAPED = frozenset({"html &lt;", "br tags"})
"""Which were copied from a page's source already."""


def _speeds(text: str) -> tuple[float | None, ...] | None:
    try:
        read = log_reading(text)
    except InvalidValueError:
        return None
    return (
        read.step_s,
        read.tokens_per_second,
        read.tokens_per_second_per_gpu,
        read.sequences_per_second,
        read.steps_done,
        read.total_steps,
    )


@pytest.mark.parametrize("dress", DRESSES)
def test_what_a_log_is_wrapped_in_does_not_change_its_reading(dress: str) -> None:
    """Every excerpt, the hostile ones too, in what launchers, collectors, mails and pages make of it."""
    for excerpt in (*EXCERPTS, *HOSTILE):
        if excerpt.name not in DOCUMENTS | (ESCAPED if dress == "entities" else frozenset()):
            assert _speeds(DRESSES[dress](excerpt.text)) == _speeds(excerpt.text), excerpt.name


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("  Total train batch size (w. parallel, distributed & accumulation) = 128", "sequences_per_step", 128),
        ("  Instantaneous batch size per device = 4", "micro_batch", 4),
        ("  Gradient Accumulation steps = 8", "accumulation", 8),
        ("  Total optimization steps = 1,218", "total_steps", 1218),
        ("using world size: 64, data-parallel size: 8, tensor-model-parallel size: 8", "n_gpus", 64),
        ("  world_size ...................................... 64", "n_gpus", 64),
        ("World size: 8", "n_gpus", 8),
        ("tensor parallel world size: 2", "n_gpus", None),
        ("world_size=1 rank=0 local_rank=0 distributed_init_method=tcp://10.0.0.1:1234", "n_gpus", None),
        ("  seq_length ...................................... 4096", "sequence_length", 4096),
        ('  "seq_length": 131072,', "sequence_length", None),
        ("sequence_len: 2048", "sequence_length", 2048),
        ("max_seq_length = 2048", "sequence_length", 2048),
        ("  global_batch_size ............................... 512", "sequences_per_step", 512),
        ("tokens per iteration will be: 491,520", "tokens_per_step", 491_520),
        ("Total batch size 524,288 => gradient accumulation steps: 1", "tokens_per_step", 524_288),
    ],
)
def test_what_a_head_says_of_the_run_is_taken_and_what_only_looks_like_it_is_not(
    line: str, field: str, value: float | None
) -> None:
    """Heads of transformers, Unsloth, Megatron-LM, torchtitan, nanoGPT and nanochat; a sampler's world is its own."""
    setup = line_setup(line)
    assert (None if setup is None else getattr(setup, field)) == value


@pytest.mark.parametrize(
    ("label", "training"),
    [
        ("Training: ", True),
        ("Epoch 3: ", True),
        ("Steps: ", True),
        ("Train epoch [1/3]: ", True),
        ("Epoch 1 [Train]: ", True),
        ("loss: 2.31: ", True),
        ("Epoch 1 [Val]: ", False),
        ("Downloading shards: ", False),
        ("Loading training data: ", False),
        ("Map (num_proc=8): ", False),
        ("Converting train dataset to ChatML: ", False),
        ("Tokenizing train dataset: ", False),
        ("Packing train dataset: ", False),
        ("Evaluating: ", False),
        ("Processed prompts: ", False),
        ("make_experience: ", False),
        ("", None),
        ("[rank0]: ", None),
    ],
)
def test_a_bar_is_training_by_what_it_names(label: str, training: bool | None) -> None:
    """Tqdm's descriptions in transformers, datasets, TRL, vLLM and OpenRLHF."""
    point = bar_point(f"{label} 10%|█ | 100/1000 [05:00<45:00,  3.00s/it]")
    assert point is not None
    assert point.training is training
