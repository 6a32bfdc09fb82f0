"""The command line answers as the tools do, and refuses in one line.

Authority: the program's contract, section on the command line: commands, flags and exit codes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from estimator.base.version import VERSION
from estimator.catalogue.catalogue import data_version
from server.command_line.commands import COMMANDS, exit_code
from server.protocol.registry import TOOLS
from server.protocol.resources import document
from tests.places import ROOT

ESTIMATE = "estimate --model llama-3.1-8b --tokens 15T --gpu h100-sxm --n-gpus 512 --utilization 0.4"
ASKED: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "tokens": "15T",
    "gpu": "h100-sxm",
    "n_gpus": 512,
    "utilization": 0.4,
}


def _started(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "traintime", *arguments],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _text_of_tool(name: str, arguments: dict[str, Any]) -> str:
    tool = TOOLS.tool(name)
    assert tool is not None
    return tool.answer(arguments).text


@pytest.mark.parametrize(
    ("line", "tool", "arguments"),
    [
        (ESTIMATE, "estimate_training_time", ASKED),
        (ESTIMATE.replace("--n-gpus", "--n_gpus"), "estimate_training_time", ASKED),
        (f"{ESTIMATE} --detail detailed", "estimate_training_time", ASKED | {"detail": "detailed"}),
        ("gpus --query h100 --limit 3", "list_gpus", {"query": "h100", "limit": 3}),
        ("gpus", "list_gpus", {}),
        ("explain --activation-recompute full", "explain_coefficient", {"activation_recompute": "full"}),
    ],
)
def test_json_is_exactly_what_the_tool_answers(
    line: str, tool: str, arguments: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code([*line.split(), "--json"]) == 0
    assert capsys.readouterr().out == _text_of_tool(tool, arguments) + "\n"


def test_a_process_of_its_own_prints_the_same_json_and_nothing_else() -> None:
    done = _started(*ESTIMATE.split(), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == _text_of_tool("estimate_training_time", ASKED) + "\n"


def test_a_person_reads_the_days_the_formula_and_every_assumption() -> None:
    done = _started(*ESTIMATE.split())
    answer = json.loads(_text_of_tool("estimate_training_time", ASKED))
    assert done.returncode == 0
    words = " ".join(done.stdout.split())
    assert f"{answer['training_days']:.4g} days" in words
    assert "takes about" in words
    assert answer["formula"].split("=")[-1].strip() in words
    for assumption in answer["assumptions"]:
        assert assumption["name"] in words


def test_the_commands_are_the_tools() -> None:
    assert {COMMANDS[name] for name in COMMANDS} >= set(TOOLS.names)


def test_every_argument_of_a_tool_is_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    for command, name in COMMANDS.items():
        tool = TOOLS.tool(name)
        if tool is None:
            continue
        assert exit_code([command, "--help"]) == 0
        printed = capsys.readouterr().out
        for argument in tool.input_schema["properties"]:
            assert f"--{argument.replace('_', '-')} " in printed


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (ESTIMATE.replace("h100-sxm", "h100-smx"), "unknown gpu 'h100-smx'; did you mean h100-sxm"),
        (ESTIMATE.replace("0.4", "45"), "45 % is 0.45"),
        (ESTIMATE.replace("512", "0"), "n_gpus: 0 must"),
        (ESTIMATE.replace("512", "nan"), "n_gpus: nan must"),
        (ESTIMATE.replace("512", "many"), "n_gpus: 'many' must"),
        (ESTIMATE.replace("--n-gpus", "--n-gpu"), "'--n-gpus'"),
        (f"{ESTIMATE} --precision bf61", "did you mean bf16"),
        ("estimate --gpu h100 --n-gpus 8 --tokens 1B", "model is missing"),
        (f"{ESTIMATE} --hf-config no-such-file.json", "hf_config: 'no-such-file.json' cannot be read"),
        (f"{ESTIMATE} --hf-config {{oops", "hf_config: '{oops' must hold a JSON object"),
        (f"{ESTIMATE} --my-runs no-such-file.json", "my_runs: 'no-such-file.json' cannot be read"),
        (f"{ESTIMATE} --my-runs [oops", "my_runs: '[oops' must hold a JSON list of objects"),
        (f"{ESTIMATE} --my-runs {{}}", "my_runs: {} must be a list"),
        (f'{ESTIMATE} --my-runs [{{"gpu":"h100"}}]', "my_runs[0].model is missing"),
        (f"{ESTIMATE} spare", "spare"),
        ("estimat", "unknown command 'estimat'; did you mean estimate"),
        ("serve --port 8001", "--port needs --http"),
        ("serve --http --port 99999", "port"),
        ("serve --http --host 0.0.0.0", "allowed"),
    ],
)
def test_bad_arguments_are_told_in_one_line_and_exit_with_2(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(line.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.startswith("traintime: ")
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err


def test_a_configuration_is_read_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "tie_word_embeddings": False,
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    line = ESTIMATE.replace("llama-3.1-8b", "mine")
    assert exit_code([*line.split(), "--hf-config", str(path), "--json"]) == 0
    from_file = capsys.readouterr().out
    assert exit_code([*line.split(), "--hf-config", json.dumps(config), "--json"]) == 0
    assert capsys.readouterr().out == from_file


def test_ones_own_runs_are_read_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [{"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 8, "tokens_per_second": "60k"}]
    path = tmp_path / "runs.json"
    path.write_text(json.dumps(runs), encoding="utf-8")
    line = ESTIMATE.replace(" --utilization 0.4", "").split()
    answers: list[dict[str, Any]] = []
    for flags in (["--my-runs", str(path)], ["--my-runs", json.dumps(runs)], []):
        assert exit_code([*line, *flags, "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0] == answers[1]
    assert "corrected by your 1 run" in answers[0]["evidence"]["note"]
    assert answers[0]["training_days"] != answers[2]["training_days"]


def test_the_version_names_program_and_data() -> None:
    done = _started("--version")
    assert done.returncode == 0
    assert VERSION in done.stdout
    assert data_version() in done.stdout


def test_a_fault_of_ours_exits_with_1_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = TOOLS.tool("list_gpus")
    assert tool is not None

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(tool, "answer", broken)
    assert exit_code(["gpus"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[-1].startswith("traintime: failed on an internal fault")


def test_a_reader_who_has_seen_enough_is_no_fault() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "traintime", "gpus", "--limit", "200"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=120) == 0
        assert said == b""


def test_serving_over_stdio_imports_nothing_that_only_a_terminal_needs() -> None:
    """A host starts `traintime serve`; what people see at a terminal must not delay it."""
    script = (
        "import gc, sys; sys.argv = ['traintime', 'serve']; import server.protocol.app; before = set(sys.modules); "
        "server.protocol.app.build = lambda: type('Quiet', (), {'run': lambda self: None})(); "
        "from server.command_line.cli import main; main(); "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["server.command_line", "server.command_line.cli"]


def test_validate_prints_the_figures_that_the_resource_has(capsys: pytest.CaptureFixture[str]) -> None:
    """Authority: traintime://accuracy, the same data for hosts."""
    assert exit_code(["validate", "--json"]) == 0
    assert capsys.readouterr().out == document("traintime://accuracy").text + "\n"


@pytest.mark.parametrize("columns", [80, 140])
def test_a_person_reads_every_regime_and_its_figures(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Authority: traintime://accuracy; in a narrow terminal names may be broken at words, figures never."""
    monkeypatch.setenv("COLUMNS", str(columns))
    assert exit_code(["validate"]) == 0
    words = capsys.readouterr().out.split()
    for regime, figures in json.loads(document("traintime://accuracy").text)["regimes"].items():
        assert set(regime.split()) <= set(words)
        assert {f"{figures[name]:.1%}" for name in ("median", "p90", "labs_alike")} <= set(words)
