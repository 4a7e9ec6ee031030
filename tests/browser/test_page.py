"""The page as people meet it: light and dark, on a phone, by keyboard, on paper, or no scripts."""

import io
import re

import pytest

pytest.importorskip("playwright", reason="needs playwright")
pypdf = pytest.importorskip("pypdf", reason="needs pypdf")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe")

from tests.browser.pages import FOLDER, HOSTILE, targets_of  # noqa: E402

SCHEMES = ("light", "dark")
PHONE = {"width": 320, "height": 640}
# What axe calls minor is a matter of taste on a page without applications.
GRAVE = ("serious", "critical", "moderate")

SECTIONS = """() => [...document.querySelectorAll('main section')].map(section => {
  const box = section.getBoundingClientRect(), style = getComputedStyle(section);
  return [section.id, box.width > 0 && box.height > 20 && style.visibility === 'visible'];
})"""
# Content that scrolls in a region of its own is reached; what makes the page itself wide is not.
WIDTH = "() => [document.documentElement.scrollWidth, window.innerWidth]"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["english", "swedish", "hostile"])
def test_nothing_goes_wrong_and_nothing_leaves_the_file(open_page, files, name, scheme):
    watched = open_page(files[name], color_scheme=scheme)
    watched.page.mouse.wheel(0, 100_000)
    assert watched.wrong == []


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_section_is_visible(open_page, files, scheme, media):
    page = open_page(files["english"], color_scheme=scheme).page
    page.emulate_media(media=media, color_scheme=scheme)
    shown = dict(page.evaluate(SECTIONS))
    assert {"answer", "panel", "audits", "defences", "time", "appendix"} <= shown.keys()
    assert all(shown.values()), shown


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("english", "light"), ("english", "dark"), ("swedish", "light"), ("hostile", "dark")],
)
def test_axe_finds_nothing_grave(open_page, files, name, scheme):
    page = open_page(files[name], color_scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach(entry => { entry.open = true })")
    found = axe.Axe().run(page).response["violations"]
    grave = [
        f"{entry['id']} ({entry['impact']}): {entry['nodes'][0]['html'][:200]}"
        for entry in found
        if entry["impact"] in GRAVE
    ]
    assert grave == []


@pytest.mark.parametrize("name", ["english", "swedish", "hostile"])
def test_a_phone_scrolls_in_one_direction_only(open_page, files, name):
    page = open_page(files[name], viewport=PHONE).page
    page.evaluate("document.querySelectorAll('details').forEach(entry => { entry.open = true })")
    width, room = page.evaluate(WIDTH)
    assert width <= room == 320


def test_without_scripts_everything_is_there(open_page, files):
    text = {
        on: open_page(files["english"], java_script_enabled=on).page.locator("main").inner_text()
        for on in (True, False)
    }
    for target in targets_of("english"):
        assert target in text[False]
    # Scripts add controls, and take nothing away.
    assert set(re.findall(r"\w{5,}", text[False])) <= set(re.findall(r"\w{5,}", text[True]))


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(open_page, files):
    page = open_page(files["english"]).page
    controls = page.evaluate(
        """() => [...document.querySelectorAll(
          'a[href], button, input, select, summary, [tabindex="0"]')]
          .filter(entry => entry.checkVisibility()).length"""
    )
    reached, invisible = set(), []
    for _ in range(controls):
        page.keyboard.press("Tab")
        key, ringed = page.evaluate(
            """() => { const now = document.activeElement, style = getComputedStyle(now);
              const all = [...document.querySelectorAll('*')];
              return [all.indexOf(now), style.boxShadow !== 'none'
                || style.outlineStyle !== 'none' && style.outlineWidth !== '0px']; }"""
        )
        reached.add(key)
        if not ringed:
            invisible.append(key)
    assert len(reached) == controls
    assert invisible == []


def test_the_first_stop_of_the_keyboard_skips_to_the_content(open_page, files):
    page = open_page(files["english"]).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')").startswith("#")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_names_of_attackers_run_nothing(open_page, files):
    """What a hostile name would do: set a mark, open a dialog, or ask another host."""
    watched = open_page(files["hostile"])
    assert watched.page.evaluate("window.owned") is None
    assert watched.page.locator("main script, main iframe, main img, main object").count() == 0
    assert (
        watched.page.locator("body > *").count()
        == open_page(files["english"]).page.locator("body > *").count()
    )
    assert watched.wrong == []
    assert any(name in watched.page.locator("main").inner_text() for name in HOSTILE)


@pytest.fixture(scope="module")
def paper(browser, files):
    """The page as it is printed: its sheets, their texts, and what the file says of itself."""
    page = browser.new_context(offline=True, color_scheme="dark").new_page()
    page.goto(files["private folder"].as_uri())
    headings = page.locator("main h2").all_inner_texts()
    printed = page.pdf(format="A4", print_background=False)
    page.context.close()
    file = pypdf.PdfReader(io.BytesIO(printed))
    texts = [sheet.extract_text() for sheet in file.pages]
    return file, texts, headings


def test_the_paper_says_what_the_screen_says(paper):
    file, texts, headings = paper
    squeezed = re.sub(r"\s", "", "".join(texts))
    assert headings
    for said in [*headings, *targets_of("private folder")]:
        assert re.sub(r"\s", "", said) in squeezed
    assert all(sheet.mediabox.width == pytest.approx(595, abs=2) for sheet in file.pages)
    assert all(text.strip() for text in texts), "an empty sheet"


def test_neither_page_nor_paper_tell_where_they_were_made(paper, files):
    file, texts, _ = paper
    about = " ".join(f"{key}={value}" for key, value in (file.metadata or {}).items())
    source = files["private folder"].read_text("utf-8")
    for text in ("".join(texts), about, source):
        assert FOLDER not in text


def test_the_table_can_be_sorted_and_filtered(open_page, files):
    page = open_page(files["english"]).page
    rows = page.locator("#measurements tbody tr:visible")
    everything = rows.all_inner_texts()
    page.locator("#measurements thead button").first.click()
    assert sorted(rows.all_inner_texts()) == sorted(everything)
    assert page.locator("#measurements [aria-sort]").count() == 1
    page.locator("#filter-text").fill(targets_of("english")[0])
    assert 0 < rows.count() < len(everything)
