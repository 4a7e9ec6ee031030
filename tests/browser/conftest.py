"""Pages of the report, opened in Debian's chromium without a network."""

import contextlib
import json
import shutil

import pytest

from pytest_leakpro.cli.main import main
from tests.browser.pages import FOLDER, documents

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="needs playwright", exc_type=ImportError
)
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


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The page of real records in English and in Swedish, and with hostile names.

    One lies in a folder whose name must not show anywhere.
    """
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name in ("english", "swedish", "hostile", "private folder"):
        home = folder / (FOLDER if name == "private folder" else name)
        home.mkdir()
        runs = []
        for number, document in enumerate(documents(name)):
            runs.append(home / f"{number}.json")
            runs[-1].write_text(json.dumps(document), encoding="utf-8")
        made[name] = home / "page.html"
        language = "sv" if name == "swedish" else "en"
        arguments = ["report", *map(str, runs), "-o", str(made[name]), "--language", language]
        assert main(arguments) == 0
    return made
