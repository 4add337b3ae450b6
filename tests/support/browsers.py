"""A real browser for tests of pages."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, sync_playwright
from programs import needed


@contextmanager
def chromium(playwright: Playwright | None = None) -> Iterator[Browser]:
    """A browser of its own, closed with the block.

    Args:
        playwright: one that runs already; else it is started and ended, too.
    """
    if playwright is None:
        with sync_playwright() as started, chromium(started) as browser:
            yield browser
        return
    browser = playwright.chromium.launch(
        executable_path=needed("chromium", "chromium-browser"),
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    )
    try:
        yield browser
    finally:
        browser.close()
