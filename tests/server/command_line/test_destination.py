"""An answer goes to the file that was named, as a whole or not at all, in the format that was asked for.

Authority: the program's contract (`--format`, `--output`, exit codes); POSIX for files.
"""

import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from server.command_line.commands import exit_code
from tests.places import ROOT

ESTIMATE = ["estimate", "--model", "7B", "--gpu", "h100", "--n-gpus", "8", "--tokens", "1T", "--utilization", "0.4"]
_STARTS = {
    "md": b"# Estimate training time\n",
    "csv": b"summary,",
    "html": b"<!doctype html>",
    "json": b'{"summary"',
}


@pytest.mark.parametrize(
    ("name", "form"),
    [
        *(("answer.md", "md"), ("answer.markdown", "md"), ("answer.csv", "csv"), ("ANSWER.CSV", "csv")),
        *(("answer.html", "html"), ("answer.htm", "html"), ("answer.json", "json")),
    ],
)
def test_a_files_ending_says_what_is_written(name: str, form: str, tmp_path: Path) -> None:
    assert exit_code([*ESTIMATE, "--output", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(_STARTS[form])


@pytest.mark.parametrize("form", ["md", "csv", "html", "json"])
@pytest.mark.parametrize("output", [[], ["--output", "-"]])
def test_what_is_printed_is_what_a_file_holds(
    form: str, output: list[str], tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = tmp_path / f"answer.{form}"
    assert exit_code([*ESTIMATE, "--output", str(file)]) == 0
    assert exit_code([*ESTIMATE, "--format", form, *output]) == 0
    printed = capsysbinary.readouterr()
    assert printed.out == file.read_bytes()
    assert printed.err == b""


def test_a_file_of_any_name_holds_what_the_format_says(tmp_path: Path) -> None:
    for flags, form in ((["--format", "markdown"], "md"), (["--format", "CSV"], "csv"), (["--json"], "json")):
        assert exit_code([*ESTIMATE, *flags, "--output", str(tmp_path / "answer")]) == 0
        assert (tmp_path / "answer").read_bytes().startswith(_STARTS[form])


def test_json_in_a_file_is_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "answer.json"
    assert exit_code([*ESTIMATE, "--json", "--output", str(file)]) == 0
    assert exit_code([*ESTIMATE, "--json"]) == 0
    assert file.read_text(encoding="utf-8") == capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--format", "xls"], "unknown format 'xls'; did you mean text, md, csv, html, json?"),
        (["--format", "markdwon"], "did you mean markdown?"),
        (["--format", "csv", "--json"], "give one of the two"),
        (["--output", "answer.md", "--format", "csv"], "end it in .csv, or ask for md"),
        (["--output", "answer.md", "--json"], "end it in .json, or ask for md"),
        (["--output", "answer.xlsx"], "end it in .txt, .md, .csv, .html, .json, or give --format"),
        (["--output", "answer"], "or give --format"),
        (["--output", ""], "is a folder"),
        (["--output", "."], "is a folder"),
        (["--output", "folder.md"], "is a folder"),
        (["--output", "none/answer.md"], "its folder is not there"),
        (["--output", "file.md/answer.md"], "its folder is not there"),
        (["--output", "a" * 300 + ".md"], "cannot be written"),
        (["--output", "a\0.md"], "cannot be written"),
        pytest.param(
            ["--output", os.devnull, "--format", "md"],
            "device or pipe",
            marks=pytest.mark.skipif(os.name != "posix", reason="a file on POSIX"),
        ),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_worked_out(
    flags: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "file.md").touch()
    # The model is nobody's: had the question been asked, that would be told.
    assert exit_code([*ESTIMATE, "--model", "no-such-model", *flags]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("traintime: ")
    assert printed.err.count("\n") == 1
    assert said in printed.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.md", "folder.md"]


def test_a_refused_question_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "answer.md"
    file.write_bytes(b"of yesterday")
    assert exit_code([*ESTIMATE, "--gpu", "no-such-gpu", "--output", str(file)]) == 2
    assert file.read_bytes() == b"of yesterday"


def _full(_descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "answer.md"
    file.write_bytes(b"of yesterday")
    monkeypatch.setattr(os, "fsync", _full)
    assert exit_code([*ESTIMATE, "--output", str(file)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert file.read_bytes() == b"of yesterday"
    assert list(tmp_path.iterdir()) == [file]


def test_who_reads_the_file_meanwhile_reads_all_of_the_old_one(tmp_path: Path) -> None:
    """The new one takes its name: what has the old one open, or another name for it, keeps it."""
    file, other = tmp_path / "answer.md", tmp_path / "other.md"
    file.write_bytes(b"of yesterday")
    os.link(file, other)
    assert exit_code([*ESTIMATE, "--output", str(file)]) == 0
    assert file.read_bytes().startswith(_STARTS["md"])
    assert other.read_bytes() == b"of yesterday"


@pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")
def test_a_file_keeps_its_mode_and_its_place_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    file, link = tmp_path / "elsewhere" / "answer.md", tmp_path / "link.md"
    file.write_bytes(b"of yesterday")
    file.chmod(0o600)
    link.symlink_to(file)
    assert exit_code([*ESTIMATE, "--output", str(link)]) == 0
    assert link.is_symlink()
    assert file.read_bytes().startswith(_STARTS["md"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_report_is_utf_8_whatever_the_terminal_has(encoding: str) -> None:
    """A page says that it is; the other formats are read as such."""
    command = [sys.executable, "-m", "traintime", *ESTIMATE, "--format"]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([*command, "md"], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert "×" in done.stdout.decode("utf-8")


@pytest.mark.parametrize("command", ["gpus", "explain"])
def test_only_what_is_sent_on_has_formats(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code([command, "--help"]) == 0
    assert "--json" in (printed := capsys.readouterr().out)
    assert "--output" not in printed


@pytest.mark.parametrize(
    "question",
    [
        "plan --solve-for n_gpus --model llama-3.1-8b --gpu h100 --tokens 1T --deadline 60days",
        "compare --models llama-3.1-8b --gpus h100 --n-gpus 8,16 --tokens 1T",
        "check --model llama-3.1-8b --gpu h100 --n-gpus 8 --observed-tokens-per-second 20000",
    ],
)
def test_the_other_questions_are_reported_too(question: str, tmp_path: Path) -> None:
    files: dict[str, Callable[[bytes], object]] = {
        "answer.md": lambda data: data.startswith(b"# "),
        "answer.csv": lambda data: b"," in data,
        "answer.html": lambda data: data.startswith(b"<!doctype html>"),
        "answer.json": json.loads,
    }
    for name, is_sound in files.items():
        assert exit_code([*question.split(), "--output", str(tmp_path / name)]) == 0
        assert is_sound((tmp_path / name).read_bytes())
