"""Pages of the report, opened in Debian's chromium without a network."""

import contextlib
import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright", exc_type=ImportError)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

# Nothing that the browser does by itself may look like a request of the page.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield running
        running.close()


class Watched:
    """A page, and what went wrong on it.

    Attributes
    ----------
    page : playwright.sync_api.Page
        Loaded.
    wrong : list of str
        Messages on the console, errors of scripts, and requests for anything but the file itself.
    """

    def __init__(self, page, file):
        self.page = page
        self.wrong = []
        page.on("console", lambda message: self.wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("dialog", self._dismiss)
        page.on("request", self._note)
        self._own = file.as_uri()
        page.goto(self._own, wait_until="load")

    def _dismiss(self, dialog):
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note(self, request):
        # Favicons are asked for by the browser, not by the page; a data: address asks nobody.
        if request.url.partition("#")[0] != self._own and not request.url.startswith("data:"):
            self.wrong.append(f"request: {request.url}")


@pytest.fixture
def open_page(browser):
    """Give a function that opens a file, with the options of a browser context."""
    with contextlib.ExitStack() as stack:

        def opened(file, **options):
            context = browser.new_context(offline=True, **options)
            stack.callback(context.close)
            return Watched(context.new_page(), file)

        yield opened
