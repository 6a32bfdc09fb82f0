"""A report holds the answer, opens without a request, and is the same however often and wherever it is made.

Authority: the JSON answer of the same question; the HTML standard for what a page loads.
"""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from server.reports.report import report
from tests.places import ROOT
from tests.server.reports.reported import REPORTED, answered, tool_of

_LOADING = frozenset({"action", "background", "cite", "data", "formaction", "href", "ping", "poster", "src", "srcset"})
"""Attributes that make a browser fetch what they name, or lead there."""
HOSTILE = "</script><img src=x onerror=alert(1)><!--"


class _Page(HTMLParser):
    """What a page would load, and the data in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.data = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element loads."""
        self.tags.append(tag)
        self.loaded += [f"{name}={value}" for name, value in attrs if name in _LOADING]

    def handle_data(self, data: str) -> None:
        """Note the data that the page shows."""
        if self.tags and self.tags[-1] == "script" and not self.data:
            self.data = data


def _page(written: str) -> _Page:
    page = _Page()
    page.feed(written)
    return page


def _report(kind: str, form: str) -> str:
    return report(tool_of(kind), REPORTED[kind][1], answered(kind), form, title="A title")


@pytest.mark.parametrize("kind", REPORTED)
def test_a_page_holds_the_answer_and_loads_nothing(kind: str) -> None:
    written = _report(kind, "html")
    page = _page(written)
    document = json.loads(page.data)
    assert document["answer"] == answered(kind).structured
    assert document["tool"] == REPORTED[kind][0]
    assert page.loaded == []
    assert not {"link", "iframe", "object", "embed", "base"} & set(page.tags)
    assert not re.search(r"@import|url\((?!['\"]?(data:|#))", written)
    assert "default-src 'none'" in written


def test_a_hostile_name_is_data_of_a_page_and_nothing_else() -> None:
    tool = tool_of("estimate")
    arguments = {"model": "7B", "gpu": HOSTILE, "n_gpus": 1, "tokens": "1B", "peak_tflops": 100}
    written = report(tool, arguments, tool.answer(arguments), "html", title="A title")
    page, plain = _page(written), _page(_report("estimate", "html"))
    assert page.tags == plain.tags
    document = json.loads(page.data)
    assert document["arguments"]["gpu"] == HOSTILE
    assert document["answer"] == tool.answer(arguments).structured


@pytest.mark.parametrize("form", ["html", "md"])
def test_a_long_argument_is_named_and_not_repeated(form: str) -> None:
    """A log is no part of a report on it, but the line that tells the speed is."""
    written = _report("check of a log", form)
    log = str(REPORTED["check of a log"][1]["observed_log"])
    assert f"({len(log):,} characters)" in written.replace("\\", "")
    assert log.splitlines()[0].strip() not in written
    assert "19/9000" in written


@pytest.mark.parametrize("kind", REPORTED)
def test_json_and_text_say_what_the_commands_print(kind: str) -> None:
    assert json.loads(_report(kind, "json")) == answered(kind).structured
    text = " ".join(_report(kind, "text").split())
    assert " ".join(answered(kind).structured["summary"].split()) in text


def test_markdown_says_what_was_asked_and_what_came_of_it() -> None:
    written = _report("comparison", "md")
    assert written.startswith("# A title\n\n")
    assert "| gpus | h100 |" in written
    assert "| n_gpus | 8; 16; 32; 64; 128 |" in written


def test_the_same_question_gives_the_same_bytes(tmp_path: Path) -> None:
    """In another process, with flags in another order, hashing otherwise."""
    question = ["--models=llama-3.1-8b,7B", "--gpus=h100,a100", "--n-gpus=8,64", "--tokens=1T", "--rank-by=cost"]
    forms = ("md", "csv", "html", "json", "txt")
    script = (
        "import sys; from server.command_line.commands import exit_code; "
        "sys.exit(max(exit_code(['compare', *sys.argv[2:], f'--output={sys.argv[1]}.{form}']) "
        f"for form in {forms}))"
    )
    for seed, flags in (("1", question), ("2", question[::-1])):
        environment = os.environ | {"PYTHONHASHSEED": seed, "COLUMNS": str(50 * int(seed))}
        command = [sys.executable, "-c", script, str(tmp_path / seed), *flags]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
    for form in forms:
        first, second = ((tmp_path / f"{seed}.{form}").read_bytes() for seed in ("1", "2"))
        assert first == second
        assert len(first) > 1_000


def test_an_answer_in_a_terminal_waits_for_no_report() -> None:
    """What only reports need is not imported before one is asked for."""
    script = (
        "import sys; from server.command_line.commands import exit_code; "
        "exit_code(['estimate', '--model=7B', '--gpu=h100', '--n-gpus=8', '--tokens=1T', '--json']); "
        "print(*sorted(name for name in sys.modules if name.startswith(('server.reports', 'server.view', 'rich'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [""]
