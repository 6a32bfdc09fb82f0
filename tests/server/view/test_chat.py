"""What the page does in a chat, in a real browser.

Authority: MCP Apps, revision 2026-01-26 (messages, capabilities, the default policy); WCAG 2.2 AA (contrast, keyboard);
500 pixels is what a conversation can spare. The host is `host.html`, which knows no more than the specification.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from estimator.base.version import VERSION
from tests.server.view.hosted import EVERYTHING, QUESTIONS, Shown, answer, shown

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEGIBILITY = Path(__file__).with_name("legibility.js").read_text(encoding="utf-8")
TALLEST = 500
NO_METHOD = -32601
HOSTILE = '<img src=x onerror="window.struck = true">'
LIGHT, DARK = {"theme": "light", "locale": "en-US"}, {"theme": "dark", "locale": "zh-CN"}
ASKED = ("rank_by", "solve_for")
CHANGED = "ui/notifications/host-context-changed"


async def _headline(view: Shown) -> str:
    return await view.view.locator("h1").inner_text()


@pytest.mark.parametrize(("width", "state"), [(350, LIGHT), (820, DARK)])
@pytest.mark.parametrize("asked", QUESTIONS)
async def test_every_answer_is_low_and_legible_in_both_themes_and_languages(
    browser: Browser, asked: str, width: int, state: dict[str, str]
) -> None:
    """The narrow one in English, whose words are longer."""
    async with shown(browser, asked, width=width) as view:
        await view.notify(CHANGED, state)
        for tab in await view.view.locator("[role=tab]").all():
            await tab.press("Enter")
            await view.settled()
            where = f"{await tab.inner_text()}, {state}"
            assert await view.height() <= TALLEST, where
            assert await view.view.evaluate(LEGIBILITY) == [], where
            assert await view.view.evaluate("() => document.documentElement.scrollWidth") <= width, where
        assert view.faults == []


async def test_what_is_faint_is_found(browser: Browser) -> None:
    """The measure of the test above."""
    async with shown(browser, "pretraining") as view:
        await view.notify(CHANGED, {"styles": {"variables": {"--color-text-secondary": "#8a8a8a"}}})
        assert any("GPU-hours" in found for found in await view.view.evaluate(LEGIBILITY))
        await view.view.evaluate("() => document.documentElement.style.setProperty('--c1', '#a0c8ff')")
        assert any("weights" in found for found in await view.view.evaluate(LEGIBILITY))


async def test_the_view_shakes_hands(browser: Browser) -> None:
    async with shown(browser, "pretraining") as view:
        assert (await view.said("heard"))[:2] == ["ui/initialize", "ui/notifications/initialized"]
        assert await view.said("offer") == {
            "appInfo": {"name": "traintime", "version": VERSION},
            "appCapabilities": {"availableDisplayModes": ["inline", "fullscreen"]},
            "protocolVersion": "2026-01-26",
        }


async def test_a_request_of_the_host_is_answered_even_one_that_is_not_known(browser: Browser) -> None:
    for method in ("ping", "ui/resource-teardown"):
        async with shown(browser, "pretraining") as view:
            assert (await view.reply(method))["result"] == {}
    async with shown(browser, "pretraining") as view:
        assert (await view.reply("ui/no-such"))["error"]["code"] == NO_METHOD


async def test_the_view_waits_for_the_answer_and_says_so(browser: Browser) -> None:
    async with shown(browser, arguments={"model": "llama-3.1-8b", "tokens": "1T"}) as view:
        assert await _headline(view) == "Estimating…"
        assert "llama-3.1-8b" in await view.view.locator(".subject").inner_text()
        await view.notify("ui/notifications/tool-cancelled", {"reason": "user action"})
        await expect(view.view.get_by_role("alert")).to_contain_text("Cancelled")


async def test_the_theme_follows_the_host(browser: Browser) -> None:
    colour = "() => getComputedStyle(document.querySelector('main')).backgroundColor"
    async with shown(browser, "pretraining", theme="light") as view:
        light = await view.view.evaluate(colour)
        await view.notify(CHANGED, {"theme": "dark"})
        assert await view.view.evaluate(colour) != light
        await view.notify(CHANGED, {"styles": {"variables": {"--color-background-primary": "rgb(1, 2, 3)"}}})
        assert await view.view.evaluate(colour) == "rgb(1, 2, 3)"


@pytest.mark.parametrize(
    ("locale", "language", "headline"),
    [
        ("en-US", "en", "12.3 days"),
        ("de-DE", "en", "12,3 days"),
        ("zh-CN", "zh", "12.3 天"),
        ("no such", "en", "12.3 days"),
    ],
)
async def test_words_and_numbers_follow_the_hosts_locale(
    browser: Browser, locale: str, language: str, headline: str
) -> None:
    days = answer("pretraining") | {"training_days": 12.3}
    async with shown(browser, result={"content": [], "structuredContent": days}, locale=locale) as view:
        assert await _headline(view) == headline
        assert await view.view.get_attribute("html", "lang") == language


@pytest.mark.parametrize("as_text", [False, True])
async def test_the_answer_is_read_from_either_part_of_a_result(browser: Browser, as_text: bool) -> None:
    """Some hosts pass on only the one, some only the other."""
    days = answer("pretraining")
    parts: dict[str, object] = (
        {"content": [{"type": "text", "text": "Here it is:"}, {"type": "text", "text": json.dumps(days)}]}
        if as_text
        else {"content": [], "structuredContent": days}
    )
    async with shown(browser, result=parts) as view:
        assert (await _headline(view)).endswith("days")


async def test_what_the_tool_refuses_is_told_in_its_words(browser: Browser) -> None:
    refusal = {"isError": True, "content": [{"type": "text", "text": f"unknown gpu {HOSTILE!r}; did you mean h100?"}]}
    async with shown(browser, result=refusal) as view:
        assert "did you mean h100?" in await view.view.get_by_role("alert").inner_text()
        assert await view.view.locator("img, h1").count() == 0


async def test_an_answer_that_cannot_be_drawn_is_told_in_its_own_words(browser: Browser) -> None:
    odd = {name: value for name, value in answer("pretraining").items() if name != "rule_of_thumb"}
    async with shown(browser, result={"content": [], "structuredContent": odd}) as view:
        assert await view.view.locator("main").inner_text() == odd["summary"]
        assert view.faults


async def test_a_run_that_does_not_fit_says_so_before_all_else(browser: Browser) -> None:
    async with shown(browser, "does not fit") as view:
        assert await _headline(view) == "Does not fit"
        assert "needed on each GPU" in await view.view.locator(".said").first.inner_text()
        await expect(view.view.locator(".banner")).to_contain_text("what would do")


async def test_an_option_that_cannot_be_run_is_listed_with_its_reason(browser: Browser) -> None:
    reason = next(row["reason"] for row in answer("a comparison")["rows"] if row["rank"] is None)
    async with shown(browser, "a comparison") as view:
        await view.open("Table")
        await expect(view.view.get_by_role("tabpanel", name="Table")).to_contain_text(reason)


def _hostile(answered: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer whose every text is markup, but for the words that say what was asked."""
    texts = re.compile(r'"(?:[^"\\]|\\.)*"(:)?')
    marked = texts.sub(lambda text: text[0] if text[1] else json.dumps(HOSTILE), json.dumps(answered))
    hostile: dict[str, Any] = json.loads(marked)
    return hostile | {name: answered[name] for name in ASKED if name in answered}


@pytest.mark.parametrize("asked", ["pretraining", "in detail", "a comparison", "a count", "a slow run"])
async def test_markup_in_names_is_text(browser: Browser, asked: str) -> None:
    result: dict[str, object] = {"content": [], "structuredContent": _hostile(answer(asked))}
    async with shown(browser, result=result, arguments={"model": HOSTILE, "gpu": HOSTILE, "n_gpus": 8}) as view:
        for tab in await view.view.locator("[role=tab]").all():
            await tab.click()
        assert HOSTILE in await view.view.locator("main").inner_text()
        assert await view.view.locator("img").count() == 0
        assert await view.view.evaluate("() => window.struck") is None
        assert view.faults == []


async def test_no_colour_stands_twice_in_one_bar(browser: Browser) -> None:
    colours = "(bar) => [...bar.querySelectorAll(':scope > i')].map((part) => getComputedStyle(part).backgroundColor)"
    async with shown(browser, "images") as view:
        for bar in await view.view.locator(".division .bar").all():
            parts = await bar.evaluate(colours)
            assert len(parts) > 3
            assert len(set(parts)) == len(parts)


async def test_tabs_are_walked_by_keyboard(browser: Browser) -> None:
    async with shown(browser, "pretraining") as view:
        tabs = view.view.get_by_role("tab")
        await tabs.first.focus()
        for pressed, chosen in (("ArrowRight", 1), ("End", -1), ("ArrowRight", 0), ("ArrowLeft", -1), ("Home", 0)):
            await view.host.keyboard.press(pressed)
            tab = tabs.nth(chosen)
            await expect(tab).to_be_focused()
            await expect(tab).to_have_attribute("aria-selected", "true")
            await expect(view.view.get_by_role("tabpanel")).to_have_count(1)
            named = await view.view.get_by_role("tabpanel").get_attribute("aria-label")
            assert named == await tab.inner_text()


async def test_a_host_with_room_gets_all_at_once(browser: Browser) -> None:
    async with shown(browser, "pretraining", availableDisplayModes=["inline", "fullscreen"]) as view:
        sheets = await view.view.locator(".sheet").count()
        await view.view.get_by_role("button", name="Show all at once").click()
        await expect(view.view.get_by_role("region")).to_have_count(sheets)
        await expect(view.view.get_by_role("tablist")).to_be_hidden()
        await view.view.get_by_role("button", name="Back into the conversation").click()
        await expect(view.view.get_by_role("tabpanel")).to_have_count(1)


async def test_what_would_narrow_the_range_is_asked_for_in_the_chat(browser: Browser) -> None:
    async with shown(browser, "pretraining") as view:
        await view.open("Evidence")
        await view.view.get_by_role("button", name="Ask me").first.click()
        await view.settled()
        (said,) = await view.said("said")
        assert answer("pretraining")["narrow_by"][0]["argument"] in said["content"][0]["text"]


@pytest.mark.parametrize("without", ["serverTools", "message"])
async def test_nothing_is_offered_that_the_host_cannot_do(browser: Browser, without: str) -> None:
    able = {name: offer for name, offer in EVERYTHING.items() if name != without}
    async with shown(browser, "pretraining", capabilities=able) as view:
        assert await view.view.get_by_role("tab", name="What if").count() == (without != "serverTools")
        await view.open("Evidence")
        assert await view.view.get_by_role("button", name="Ask me").count() == (without != "message")


async def test_a_slider_moved_by_keyboard_changes_the_headline_and_keeps_its_focus(browser: Browser) -> None:
    async with shown(browser, "pretraining") as view:
        before = await _headline(view)
        await view.open("What if")
        slider = view.view.get_by_role("slider", name="GPUs")
        await slider.focus()
        for _ in range(2):
            await view.host.keyboard.press("ArrowRight")
        await expect(slider).to_have_attribute("aria-valuetext", "2,048")
        await expect(view.view.locator("h1")).not_to_have_text(before)
        await expect(slider).to_be_focused()
        await expect(view.view.locator(".outcome")).to_contain_text(before)
        await expect(view.view.locator("#said")).to_contain_text(await _headline(view))
        # Both steps are one question, and the model is told what the person sees.
        assert [call["n_gpus"] for call in view.calls] == [2048]
        assert "2,048" in (await view.said("told"))[-1]["content"][0]["text"]

        await view.view.get_by_role("button", name="Reset").click()
        await expect(view.view.locator("h1")).to_have_text(before)
        await expect(slider).to_have_attribute("aria-valuetext", "512")
        assert len(view.calls) == 1
        assert view.faults == []


async def test_the_time_by_number_of_gpus_is_drawn_from_the_tools_own_answers(browser: Browser) -> None:
    async with shown(browser, "fine-tuning") as view:
        await view.open("Time by GPUs")
        await view.view.get_by_role("button", name="Estimate other").click()
        plot = view.view.get_by_role("img", name="Time by GPUs")
        await expect(plot.locator(".dot")).to_have_count(4)
        assert [call["n_gpus"] for call in view.calls] == [1, 2, 4, 8]
        days = answer("fine-tuning")["training_days"]
        assert f"1 × 4090: {24 * days:.3g} hours" in (await plot.get_attribute("aria-label") or "")
        assert view.faults == []


async def test_data_and_precision_can_be_changed_too(browser: Browser) -> None:
    async with shown(browser, "images") as view:
        await view.open("What if")
        await view.view.get_by_role("slider", name="Samples").focus()
        await view.host.keyboard.press("End")
        await view.view.get_by_role("combobox", name="Precision").select_option("fp16")
        await expect(view.view.locator(".outcome p")).not_to_be_empty()
        assert view.calls == [{**QUESTIONS["images"][1], "samples": "400000", "precision": "fp16"}]


async def test_a_refused_what_if_is_told_beside_the_controls(browser: Browser) -> None:
    async with shown(browser, "fine-tuning") as view:
        before = await _headline(view)
        await view.open("What if")
        # The amount is the name of a data set, so that there is nothing to slide.
        assert await view.view.get_by_role("slider").count() == 1
        await view.view.get_by_role("combobox", name="Precision").select_option("mxfp8")
        await expect(view.view.locator(".outcome p")).to_contain_text("precision")
        assert await _headline(view) == before
