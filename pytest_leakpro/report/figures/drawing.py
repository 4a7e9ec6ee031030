"""From a panel to an SVG that can stand in a page, or to axes of a figure.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

from pytest_leakpro.gate.errors import LeakproError
from pytest_leakpro.report.figures.chart import HALO, Chart
from pytest_leakpro.report.figures.palette import ON_PAGE, variable_of
from pytest_leakpro.report.figures.panel import WIDTH, Panel

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["INCH", "as_svg", "axes_of", "drawing_style", "svg_element"]

INCH = 72
"""So many units of a view box, which are points."""

# What a user's own settings could change about a figure.
_STYLE = {
    "axes.unicode_minus": True,
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "font.family": ["DejaVu Sans"],
    "lines.antialiased": True,
    "patch.antialiased": True,
    "path.effects": [],
    "path.simplify": False,
    "path.sketch": None,
    "path.snap": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "leakpro",
    "svg.id": None,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "text.usetex": False,
}
_BEHIND = f"paint-order: stroke; stroke: {ON_PAGE.paper}; stroke-width: 3px; "
_ONE_AT_A_TIME = threading.Lock()  # matplotlib's settings are of the whole process

_PIECE = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
_HEAD = re.compile(r"^.*?<svg\b[^>]*>|<metadata>.*?</metadata>|<defs>.*?</defs>", re.DOTALL)
_BETWEEN = re.compile(r">\s+<")
_HALOED = re.compile(rf'<g id="{HALO}[_\d]*">\s*(?:<!--.*?-->\s*)?<text style="', re.DOTALL)
_PATH = re.compile(r'\bd="([^"]*)"')
_STYLED = re.compile(r'\bstyle="([^"]*)"')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LEFT_OUT = re.compile(r'\s(?:clip-path="[^"]*"|transform="rotate\(-?0 [^"]*\)"|id="[^"]*")')


@contextmanager
def drawing_style() -> Iterator[None]:
    """Draw the same whatever a user's settings are, and leave these as they were.

    Raises
    ------
    LeakproError
        Where matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise LeakproError(
            "figures are drawn by matplotlib, which is not installed: "
            "pip install 'pytest-leakpro[report]'"
        ) from None

    with _ONE_AT_A_TIME, mpl.rc_context(_STYLE), warnings.catch_warnings():
        # That the font which texts are measured in lacks a character does not matter on a page.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def axes_of(figure: Any, panel: Panel, x: float, y: float, size: tuple[float, float]) -> Any:
    """Add the axes of a panel to a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Which.
    panel : Panel
        What is to be drawn on them.
    x, y : float
        Left and lower edge of the panel, in points.
    size : pair of float
        Of the figure, in points.
    """
    left, right, top, bottom = panel.margins
    width, height = WIDTH - left - right, panel.height - top - bottom
    return figure.add_axes(
        ((x + left) / size[0], (y + bottom) / size[1], width / size[0], height / size[1])
    )


def as_svg(panel: Panel | None) -> str:
    """Draw a panel as an inline SVG.

    Parameters
    ----------
    panel : Panel or None
        None where there is nothing to draw.

    Returns
    -------
    str
        Empty for None. Equal panels give equal texts. Nothing in it has an id, so that several
        can stand on a page; colours are variables of the page, and texts in its font.

    Raises
    ------
    LeakproError
        As `drawing_style`.
    """
    if panel is None:
        return ""
    with drawing_style():
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        size = (WIDTH, panel.height)
        figure = Figure(figsize=(size[0] / INCH, size[1] / INCH))
        figure.patch.set_visible(False)
        axes = axes_of(figure, panel, 0, 0, size)
        panel.draw(Chart(axes, ON_PAGE, panel.margins.left))
        file = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(file, metadata=nothing)
    return svg_element(panel, _tidied(file.getvalue()))


def svg_element(panel: Panel, content: str) -> str:
    """Put content into the element of a panel, with its title and description."""
    title, description = (escape(text, quote=False) for text in (panel.title, panel.description))
    return (
        f'<svg class="figure figure-{panel.kind}" viewBox="0 0 {WIDTH} {panel.height:g}" '
        f'role="img" style="stroke-linejoin:round">'
        f"<title>{title}</title><desc>{description}</desc>{content}</svg>"
    )


def _tidied(svg: str) -> str:
    """Take what stands between the tags of matplotlib's SVG, in far fewer characters."""
    content = _HALOED.sub(f'<text style="{_BEHIND}', _HEAD.sub("", svg))
    return _BETWEEN.sub("><", _PIECE.sub(lambda match: _tidied_tag(match.group()), content)).strip()


def _tidied_tag(tag: str) -> str:
    # Groups have nothing but ids, and comments repeat the texts.
    if tag.startswith(("<!--", "<g", "</g", "</svg")):
        return ""
    tag = _LEFT_OUT.sub("", tag)
    tag = _PATH.sub(lambda match: f'd="{_short_path(match.group(1))}"', tag)
    tag = _STYLED.sub(lambda match: f'style="{_short_style(match.group(1))}"', tag)
    if tag.startswith("<text"):
        tag = _NUMBER.sub(_rounded, tag)
    return tag


def _rounded(match: re.Match[str]) -> str:
    text = f"{float(match.group()):.1f}"
    text = text[:-2] if text.endswith(".0") else text
    return "0" if text == "-0" else text


def _short_path(path: str) -> str:
    words = _NUMBER.sub(_rounded, path).split()
    shorter, last = [], ""
    for word in words:
        if word.isalpha():
            # What follows a line is a line.
            if word != "L" or last not in ("L", "M"):
                shorter.append(word)
            last = word
        else:
            shorter.append(word)
    return re.sub(r" ?([A-Za-z]) ?", r"\1", " ".join(shorter))


def _short_style(style: str) -> str:
    parts = []
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":  # what some versions of matplotlib write, with the family behind
            weight, _, size = value.partition("px")[0].rpartition(" ")
            parts += [f"font-size:{size}px", *([f"font-weight:{weight}"] if weight else [])]
        elif name and name not in ("font-family", "stroke-linejoin"):
            value = _COLOUR.sub(lambda match: variable_of(match.group()), value)
            parts.append(f"{name}:{value}")
    return ";".join(parts)
