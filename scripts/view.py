"""Show every kind of answer in a browser, take its picture, and report what a reader or a host would trip over."""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, cast

from playwright.async_api import Browser, Frame, async_playwright

from server.view.page import page
from tests.server.view.hosted import EVERYTHING, QUESTIONS, answer, called, chromium, listened, shown

__all__: list[str] = []

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("@modelcontextprotocol/ext-apps@2.0.4", "axe-core@4.14.1", "esbuild@0.28.2")
README = ROOT / "docs" / "view.png"
TALLEST = 500
ROOM = ["inline", "fullscreen"]
AXE = "async () => (await axe.run()).violations.map((found) => `${found.id}: ${found.nodes[0].html.slice(0, 120)}`)"


class Picture(NamedTuple):
    """One picture of one answer."""

    asked: str
    width: int
    theme: str
    locale: str

    @property
    def name(self) -> str:
        """`does-not-fit-350-dark-zh`."""
        return f"{self.asked.replace(' ', '-')}-{self.width}-{self.theme}-{self.locale[:2]}"


PICTURES = [Picture(*each) for each in product(QUESTIONS, (820, 350), ("light", "dark"), ("en-US", "zh-CN"))]


def main() -> None:
    """Take the pictures and report; exits with 1 where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "view")
    parser.add_argument("--only", choices=QUESTIONS, help="one kind of answer")
    parser.add_argument("--readme", action="store_true", help=f"take only the README's picture, {README.name}")
    asked = parser.parse_args()
    path = chromium()
    if path is None:
        sys.exit("no Chromium on the path: install one, for example with apt install chromium")
    if asked.readme:
        asyncio.run(_for_the_readme(path))
        return
    folder: Path = asked.folder
    folder.mkdir(parents=True, exist_ok=True)
    tools = _fetched(folder / "node")
    if tools is None:
        print("no npm: the bridge and axe are left out", file=sys.stderr)
    pictures = [picture for picture in PICTURES if asked.only in {None, picture.asked}]
    faults = asyncio.run(_looked_at(path, pictures, folder, tools))
    print(f"{len(pictures)} pictures in {folder}")
    sys.exit("\n".join(faults) or 0)


async def _for_the_readme(path: str) -> None:
    """Take the picture that the README shows, sharp on fine screens too."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path)
        async with shown(browser, "pretraining", scale=1.5) as view:
            await view.host.locator("iframe").screenshot(path=README)
        await browser.close()


async def _looked_at(path: str, pictures: Sequence[Picture], folder: Path, tools: Path | None) -> list[str]:
    """Return what is wrong with any of the pictures, or with the page in the reference host."""
    faults: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path)
        for picture in pictures:
            faults += await _pictured(browser, picture, folder, tools)
        if tools is not None:
            faults += await _bridged(browser, tools)
        await browser.close()
    return faults


def _fetched(folder: Path) -> Path | None:
    """Return the folder of the packages that only this script needs; None without npm."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    folder.mkdir(exist_ok=True)
    subprocess.run([npm, "install", "--silent", "--no-save", "--prefix", folder, *PACKAGES], check=True)
    modules, bridge = folder / "node_modules", ROOT / "scripts" / "bridge.js"
    bundle = [str(modules / ".bin" / "esbuild"), str(bridge), "--bundle", f"--outfile={folder / 'bridge.js'}"]
    subprocess.run([*bundle, "--log-level=error"], env={**os.environ, "NODE_PATH": str(modules)}, check=True)
    return folder


async def _pictured(browser: Browser, picture: Picture, folder: Path, tools: Path | None) -> list[str]:
    """Return what is wrong with one answer, every sheet of it looked at."""
    asked, width, theme, locale = picture
    async with shown(browser, asked, width=width, theme=theme, locale=locale, availableDisplayModes=ROOM) as view:
        await view.host.screenshot(path=folder / f"{picture.name}.png")
        found = list(view.faults)
        if tools is not None:
            await view.view.evaluate((tools / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8"))
        for tab in await view.view.locator("[role=tab]").all():
            await tab.click()
            await view.settled()
            height = await view.height()
            if height > TALLEST:
                found.append(f"{height} pixels high")
            if tools is not None:
                found += cast("list[str]", await view.view.evaluate(AXE))
        print(f"{picture.name}: {await view.height()} pixels high")
    return [f"{picture.name}: {fault}" for fault in dict.fromkeys(found)]


async def _bridged(browser: Browser, tools: Path) -> list[str]:
    """Return what goes wrong where the reference host shows an answer."""
    asked = "pretraining"
    tool, arguments = QUESTIONS[asked]
    host = await browser.new_page(viewport={"width": 860, "height": 600})
    faults = listened(host)
    await cast("Any", host).expose_function("callTool", called)
    await host.set_content("<!doctype html><meta charset=utf-8><body>")
    await host.add_script_tag(path=tools / "bridge.js")
    context = {
        "theme": "light",
        "locale": "en-US",
        "toolInfo": {"tool": {"name": tool, "inputSchema": {"type": "object"}}},
    }
    result: dict[str, object] = {"content": [], "structuredContent": answer(asked)}
    started = {"page": page(), "capabilities": EVERYTHING, "context": context, "asked": arguments}
    await host.evaluate("(started) => bridged(started)", {**started, "result": result})
    view: Frame = host.frames[1]
    headline = view.locator("h1")
    await view.locator("h1", has_text="days").wait_for()
    before = await headline.inner_text()
    await view.get_by_role("tab", name="What if").click()
    await view.get_by_role("slider", name="GPUs").focus()
    await host.keyboard.press("ArrowRight")
    await view.locator(".outcome", has_text=before).wait_for()
    await host.evaluate("() => bridge.setHostContext({ ...bridge.hostContext, theme: 'dark' })")
    await view.wait_for_function("() => document.documentElement.style.colorScheme === 'dark'")
    await host.evaluate("() => bridge.teardownResource({})")
    print(f"bridge: {before}, then {await headline.inner_text()} with the slider moved; dark; torn down")
    await host.close()
    return [f"bridge: {fault}" for fault in faults]


if __name__ == "__main__":
    main()
