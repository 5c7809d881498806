"""A headless Chromium, and pages in it that report every error and every request."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

PICTURES = Path(os.environ.get("OLM_SCREENSHOTS") or Path(__file__).parents[2] / ".screenshots")
"""Where the screenshots of a run are kept."""


@pytest.fixture(scope="session")
def chromium():
    assert CHROMIUM, "these tests need Chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def pages(chromium):
    """A function that opens a page, which must log no error and ask no other host."""
    opened, wrong = [], []

    def open_page(address, **options):
        context = chromium.new_context(**options)
        page = context.new_page()
        home = address.partition("://")[2].partition("/")[0]

        def check(request):
            is_home = request.url.startswith(f"http://{home}/") if home else False
            if not (is_home or request.url.startswith(("data:", "file:"))):
                wrong.append(request.url)

        page.on("request", check)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda told: told.type == "error" and wrong.append(told.text))
        page.goto(address)
        opened.append(context)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert wrong == []


@pytest.fixture
def keep(request):
    """A function that keeps a screenshot of a page for the reader."""

    def shoot(page, name=""):
        PICTURES.mkdir(parents=True, exist_ok=True)
        stem = request.node.name.removeprefix("test_")[:80]
        page.screenshot(path=PICTURES / f"{stem}{name and '-'}{name}.png", full_page=True)

    return shoot
