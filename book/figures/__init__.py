"""The book's figures: matplotlib drawings that become inline SVG and follow the page's colours.

A figure is drawn with the named colours below. :func:`show` replaces each of them by a variable of
the book's style sheet, so one drawing is legible in light and in dark mode, on paper (the fallback
colours) and in a notebook outside the book.
"""

import html
import io
import itertools
import re

import matplotlib.pyplot as plt
from IPython.display import HTML

# name: (the colour as drawn, the variable, the colour where no variable is set)
_COLOURS = {
    "INK": ("#010101", "--fig-ink", "#1f2328"),
    "FAINT": ("#020202", "--fig-faint", "#6b7480"),
    "LINE": ("#030303", "--fig-line", "#c5ccd6"),
    "BLUE": ("#040404", "--fig-blue", "#bcd9f5"),
    "ORANGE": ("#050505", "--fig-orange", "#fbd5a5"),
    "RED": ("#060606", "--fig-red", "#f5b5a8"),
    "PAPER": ("#070707", "--fig-paper", "#ffffff"),
}
INK, FAINT, LINE, BLUE, ORANGE, RED, PAPER = (drawn for drawn, *_ in _COLOURS.values())

_SETTINGS = {
    "svg.fonttype": "none",
    "font.family": ["sans-serif"],
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
    "hatch.linewidth": 1.2,
}
plt.rcParams.update(_SETTINGS)
_serial = itertools.count(1)


def show(figure, *, alt: str, caption: str = "", paper: bool = False) -> HTML:
    """Turn a matplotlib figure into inline SVG with a text alternative and a caption.

    With `paper` the figure keeps its own background, for drawings with colours of their own.
    """
    buffer = io.StringIO()
    # Clip paths and markers get ids: they must differ between the figures of one page.
    with plt.rc_context({"svg.hashsalt": f"{alt}{next(_serial)}"}):
        figure.savefig(
            buffer,
            format="svg",
            transparent=not paper,
            bbox_inches="tight",
            metadata={"Date": None},
        )
    plt.close(figure)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # A style sheet in the page's middle has the browser style the whole page anew; inherited, it costs nothing.
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    used = set(re.findall(r'#([\w-]+)[)"]', svg))
    svg = re.sub(r' id="([^"]+)"', lambda name: name[0] if name[1] in used else "", svg)
    for drawn, variable, fallback in _COLOURS.values():
        svg = svg.replace(drawn, f"var({variable}, {fallback})")
    label = html.escape(alt, quote=True)
    # On a phone a wide figure scrolls instead of shrinking until its numbers cannot be read.
    width = float(re.search(r'width="([\d.]+)pt"', svg)[1])
    style = f"min-width: min({width:.0f}px, 640px)"
    svg = svg.replace(
        "<svg ", f'<svg role="img" aria-label="{label}" stroke-linejoin="round" style="{style}" ', 1
    )
    text = f"<figcaption>{caption}</figcaption>" if caption else ""
    return HTML(
        f'<figure class="course-figure"><div class="course-figure-scroll" tabindex="0" role="group" aria-label="figure">{svg}</div>{text}</figure>'
    )
