"""A profile is read as its schema says, and what is wrong with one is told in one line.

Authority: the shipped schema, and the contract's section on the command line.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from estimator.base.errors import InvalidValueError
from server.command_line.commands import exit_code
from server.profiles.document import ProfileDocument, profile_of, profile_schema
from server.profiles.file import LARGEST_BYTES, profile_in
from tests.places import ROOT
from tests.profiles import MEASURED, TOLD, profile, with_change

SHIPPED = json.loads((ROOT / "server" / "profiles" / "profile.schema.json").read_text(encoding="utf-8"))
ESTIMATE = ["estimate", "--model", "llama-3.1-8b", "--tokens", "1B", "--json"]


def _written(folder: Path, document: object) -> Path:
    path = folder / "profile.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def test_the_schema_that_is_shipped_is_that_of_the_program() -> None:
    """If this fails: write `profile_schema()` to server/profiles/profile.schema.json."""
    assert profile_schema() == SHIPPED
    jsonschema.Draft202012Validator.check_schema(SHIPPED)


@pytest.mark.parametrize("document", [TOLD, MEASURED, {"version": 1}], ids=["told", "measured", "empty"])
def test_what_the_program_reads_the_schema_admits(document: dict[str, Any], tmp_path: Path) -> None:
    jsonschema.validate(document, SHIPPED)
    assert profile_in(_written(tmp_path, document)) == profile(document)


BAD: list[tuple[str, object, str]] = [
    ("version", 2, "has version 2; this program reads version 1"),
    ("version", ..., "has no version"),
    ("version", True, "has version True"),
    ("machine.n_gpus", 0, "machine.n_gpus"),
    ("machine.price_per_gpu_hour", "12 EUR", "price_per_gpu_hour"),
    ("machine.gpus", 8, "machine.gpus"),
    ("measured.device", ..., "measured.device: is missing"),
    ("measured.matmul.0.precision", "int3", "measured.matmul.0"),
    ("measured.matmul.0.tflops.median", ..., "measured.matmul.0.tflops.median: is missing"),
    ("measured.matmul.0.tflops.low", 1e6, "low ≤ median ≤ high"),
    ("measured.steps.0.tokens_per_second", -1.0, "measured.steps.0.tokens_per_second"),
    ("goodput.interval_hours", 0.15, "leave time to train"),
    ("my_runs", [{"model": "7B", "gpu": "h100"}], "my_runs"),
]


@pytest.mark.parametrize(("place", "value", "said"), BAD, ids=[f"{place}={value}" for place, value, _ in BAD])
def test_a_profile_with_a_fault_is_refused_with_the_place_of_it(
    place: str, value: object, said: str, tmp_path: Path
) -> None:
    path = _written(tmp_path, with_change(MEASURED, place, value))
    with pytest.raises(InvalidValueError) as caught:
        profile_in(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", ["version", "machine.n_gpus", "measured.device", "measured.matmul.0.tflops.median"])
def test_the_schema_refuses_such_faults_too(place: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(with_change(MEASURED, place, "eight" if "n_gpus" in place else ...), SHIPPED)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(with_change(MEASURED, "measured.matmul.0.tflops.median", math.nan)),
        json.dumps(with_change(MEASURED, "measured.copy_gb_s.high", math.inf)),
        json.dumps(MEASURED).replace("2800.0", "1e999"),
        "[1]",
        "version: 1",
        "",
        "[" * 100_000,
        '{"version": 1, "name": "\\ud800"}',
    ],
    ids=["nan", "infinity", "1e999", "list", "yaml", "empty", "deep", "half a character"],
)
def test_what_is_no_object_of_finite_numbers_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="must hold"):
        profile_in(_written(tmp_path, text))


def test_a_file_that_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(100 << 20)
    with pytest.raises(InvalidValueError, match="larger than 1 MiB"):
        profile_in(path)
    assert LARGEST_BYTES == 1 << 20


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices have names on POSIX systems alone")
def test_a_pipe_and_a_device_are_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero"), tmp_path):
        with pytest.raises(InvalidValueError, match="plain file"):
            profile_in(path)


@pytest.mark.parametrize("command", ["estimate --model 7B --tokens 1B", "serve", "serve --http --port 0"])
def test_a_bad_profile_is_one_line_and_exit_code_2(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _written(tmp_path, {"version": 9})
    assert exit_code([*command.split(), "--profile", str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("traintime: profile: ")
    assert told.err.count("\n") == 1


def test_the_same_profile_and_question_have_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """However it is spaced, and wherever it lies."""
    answers: list[str] = []
    for name, indent in (("a", None), ("b", 4)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(dict(reversed(MEASURED.items())), indent=indent), encoding="utf-8")
        assert exit_code([*ESTIMATE, "--profile", str(path)]) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]


def test_measured_steps_become_runs_of_the_caller() -> None:
    runs = profile(MEASURED).runs
    assert [run["tokens_per_second"] for run in runs] == [25_600.0]
    assert runs[0]["gpu"] == "h100-sxm"


def test_steps_of_a_device_that_cannot_be_predicted_are_left_out() -> None:
    """Nothing follows from them, and they are not to make every answer an error."""
    unknown = with_change(with_change(MEASURED, "machine.gpu", ...), "measured.device", "Zorblax 9")
    assert profile(unknown).gpu == "Zorblax 9"
    assert profile(unknown).runs == ()


def test_every_rate_is_the_best_of_its_sizes() -> None:
    assert dict(profile(MEASURED).rates.matmul_flop_per_s) == {"bf16": 556e12, "fp8": 980e12}


def test_a_hash_is_of_what_is_told_and_not_of_what_is_left_out() -> None:
    spelt = with_change(TOLD, "my_runs", [])
    assert profile(spelt).digest == profile(TOLD).digest
    assert profile(with_change(TOLD, "machine.n_gpus", 17)).digest != profile(TOLD).digest
    assert profile_of(ProfileDocument(version=1)).name == "without a name"
