"""A browser, where one is installed."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.server.view.hosted import chromium


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's own Chromium, or another that is on the path."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium is installed, so that what the page does in a browser is not tested")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path)
        yield opened
        await opened.close()
