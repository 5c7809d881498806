"""A page with pictures, tables and text, in one file that needs no network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from olm.drawing.svg import STYLE, Drawing

if TYPE_CHECKING:
    from olm.drawing.axis import Axis
    from olm.drawing.picture import Picture

ROWS = 300
"""For how many steps, about, the page has the numbers that it shows under the pointer."""


@dataclass(frozen=True)
class Hover:
    """The numbers that a page shows under the pointer."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    """A row for each step."""
    steps: Sequence[int]
    """The steps, ascending."""


@dataclass(frozen=True)
class Section:
    """A part of a page below the picture."""

    title: str
    html: str


@dataclass(frozen=True)
class Page:
    """What a page shows."""

    title: str
    words: Sequence[str]
    """Sentences below the title."""
    picture: Picture
    axes: Mapping[str, Axis]
    """The axes along which it is drawn, by name; the first is shown."""
    hover: Hover
    sections: Sequence[Section] = ()
    is_old: bool = False
    """Whether the picture is not that of the file as it is now."""


def page(content: Page) -> str:
    """The text of a page that is complete in itself."""
    script = f"<script>\n{asset('page.js')}</script>\n"
    return _document(content.title, f'<main id="main">\n{body(content)}</main>\n{script}')


def live_page(title: str, html: str, controls: str, texts: str, version: str) -> str:
    """The text of a page that asks its server for each picture.

    Args:
        title: its title.
        html: what it shows first, by `body`.
        controls: the elements of its sliders.
        texts: what its reader can paste, escaped.
        version: the version of the files that it shows.
    """
    about = f'id="main" data-version="{escape(version)}"'
    return _document(
        title,
        f"""\
<main {about} aria-live="polite">
{html}</main>
<p id="status" class="bar" role="status" hidden>olm preview has ended</p>
<h2>Try other numbers</h2>
<div id="controls">
{controls}</div>
<div class="bar"><button id="show-yaml">show YAML</button>
<button id="reset">numbers of the file</button></div>
<div id="paste" hidden><pre>{texts}</pre></div>
<script src="page.js"></script>
<script src="preview.js"></script>
""",
    )


def _document(title: str, elements: str) -> str:
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>
{asset("page.css")}{STYLE}</style>
</head>
<body>
{elements}</body>
</html>
"""


def body(content: Page) -> str:
    """The elements of a page, with the numbers for its script."""
    return "\n".join([*_body(content), ""])


def table(rows: Sequence[Sequence[str]], title: str) -> Section:
    """A table as a section; its first row is the heading."""
    head, *others = rows
    lines = ["<table>", _row("th", head), *(_row("td", row) for row in others), "</table>"]
    return Section(title, "\n".join(lines))


def preformatted(text: str, title: str) -> Section:
    """Text as it is, as a section."""
    return Section(title, f"<pre>{escape(text)}</pre>")


@cache
def asset(name: str) -> str:
    """A file beside this one."""
    return (files("olm.drawing") / "page" / name).read_text(encoding="utf-8")


def _body(content: Page) -> Iterator[str]:
    yield f"<h1>{escape(content.title)}</h1>"
    for line in content.words:
        indent = (len(line) - len(line.lstrip())) / 2
        style = f' style="margin-left:{indent:g}em"' if indent else ""
        yield f"<p{style}>{escape(line.strip())}</p>"
    picture, axes = content.picture, content.axes
    yield from _switches(axes)
    numbers: dict[str, Any] = {"axes": [*axes], "windows": {}, "places": {}}
    drawings: dict[Any, Drawing] = {}
    for name, axis in axes.items():
        for is_log in (False, True):
            drawn = Drawing(replace(picture, axis=axis), is_log)
            # Along most axes each step has the same place.
            drawn.inside = drawings.setdefault((is_log, *drawn.places), drawn).inside
            text = "\n".join(drawn.lines(style=""))
            is_shown = name == next(iter(axes)) and not is_log
            about = f'data-axis="{escape(name)}" data-log="{is_log:d}"'
            old, hidden = " old" * content.is_old, " hidden" * (not is_shown)
            tip = '<div class="tip" hidden></div>'
            yield f'<div class="picture{old}" {about}{hidden}>{text}{tip}</div>'
        numbers["windows"][name] = [
            [one.left, one.width, one.axis.at(one.first), one.axis.at(one.last)]
            for one in drawn.windows
        ]
        numbers["places"][name] = [axis.at(step) for step in content.hover.steps]
    numbers |= {"top": drawn.tops[0], "foot": drawn.foot}
    numbers["log"] = Drawing(picture, None).has_log
    numbers |= {"columns": [*content.hover.columns], "rows": [*map(list, content.hover.rows)]}
    for section in content.sections:
        yield f"<h2>{escape(section.title)}</h2>"
        yield section.html
    # A script ends at "</": JSON may write the slash as "\/".
    text = json.dumps(numbers, separators=(",", ":")).replace("</", "<\\/")
    yield f'<script type="application/json" id="data">{text}</script>'


def _switches(axes: Mapping[str, Axis]) -> Iterator[str]:
    options = "".join(
        f'<option value="{escape(name)}">{escape(axis.label)}</option>'
        for name, axis in axes.items()
    )
    yield (
        f'<div class="bar"><label>along <select id="axis">{options}</select></label>'
        '<label><input type="checkbox" id="log"> logarithmic</label></div>'
    )


def _row(cell: str, texts: Sequence[str]) -> str:
    cells = "".join(f"<{cell}{_number(text)}>{escape(text)}</{cell}>" for text in texts)
    return f"<tr>{cells}</tr>"


def _number(text: str) -> str:
    return ' class="n"' if text[:1].isdigit() else ""
