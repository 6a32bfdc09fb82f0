"""The page as a report: opened from a file, on its own, with every part open.

Authority: the promise that a report makes no request and prints; tried in a real browser.
"""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from server.view.page import page
from tests.server.view.hosted import QUESTIONS, answer, listened

pytestmark = pytest.mark.asyncio(loop_scope="module")

A4_PIXELS = {"width": 718, "height": 1000}


def _report(asked: str, locale: str) -> str:
    tool, arguments = QUESTIONS[asked]
    return page({"tool": tool, "arguments": arguments, "answer": answer(asked), "locale": locale})


@pytest.mark.parametrize("asked", QUESTIONS)
async def test_a_report_opens_from_a_file_without_a_request_or_a_fault(
    browser: Browser, tmp_path: Path, asked: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text(_report(asked, "en"), encoding="utf-8")
    opened = await browser.new_page()
    faults = listened(opened)
    requests: list[str] = []
    opened.on("request", lambda request: requests.append(request.url))
    await opened.goto(path.as_uri())
    await expect(opened.locator("h1")).to_be_visible()
    assert requests == [path.as_uri()]
    assert faults == []
    await expect(opened.locator(".summary")).to_have_text(answer(asked)["summary"])
    await opened.close()


@pytest.mark.parametrize("locale", ["en", "zh"])
async def test_a_report_prints_with_every_part_open_and_drawn(browser: Browser, tmp_path: Path, locale: str) -> None:
    path = tmp_path / "report.html"
    path.write_text(_report("a comparison", locale), encoding="utf-8")
    opened = await browser.new_page(viewport=A4_PIXELS, color_scheme="dark")  # type: ignore[arg-type]
    await opened.goto(path.as_uri())
    await opened.emulate_media(media="print")
    assert await opened.get_attribute("html", "lang") == locale
    sheets = await opened.locator(".sheet").all()
    assert len(sheets) == 5
    for sheet in sheets:
        await expect(sheet).to_be_visible()
        assert await sheet.evaluate("(sheet) => sheet.scrollHeight <= sheet.clientHeight + 1")
    assert await opened.locator(".plot svg .dot").count() > 4
    await expect(opened.locator("[role=tablist], button")).to_have_count(0)
    # Ink on paper, whatever the screen's theme is.
    assert (
        await opened.locator("main").evaluate("(main) => getComputedStyle(main).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    assert await opened.evaluate("() => document.documentElement.scrollWidth") <= A4_PIXELS["width"]
    await opened.close()
