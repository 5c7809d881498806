"""A picture as SVG: light and dark, readable by screen readers, without any other file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from olm.drawing.picture import Line, Mark, Panel, Picture
from olm.drawing.scale import Scale, needs_log, scale, text
from olm.drawing.thinned import thinned
from olm.drawing.windows import Window, windows

if TYPE_CHECKING:
    from olm.schedule.curves import Array

WIDTH = 720
LEFT, RIGHT, TOP, BELOW = 74, 16, 34, 44
ALONE, AMONG = 230, 120
"""The height of the only panel, and of one among several."""

BETWEEN = 30
"""The space above a panel for its label."""

CHARACTER = 6.4
"""The width of a character of a label, about."""

STYLE = """\
.olm-p{--ink:#1f2328;--soft:#59636e;--rule:#d1d9e0;--band:#0072b2;--paper:#fff;\
--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#aa4499;--c4:#b8860b;--old:#9aa4ae}
@media (prefers-color-scheme:dark){.olm-p{--ink:#e6edf3;--soft:#9198a1;--rule:#3d444d;\
--band:#56b4e9;--paper:#0d1117;--c0:#56b4e9;--c1:#ff8c42;--c2:#2ec4a0;--c3:#e08cc8;--c4:#f0c000;\
--old:#6e7681}}
.olm-p text{font:11px system-ui,sans-serif;fill:var(--soft)}
.olm-p .h{font-size:14px;font-weight:600;fill:var(--ink)}
.olm-p .l{fill:var(--ink)}
.olm-p path{fill:none;stroke-width:1.8;stroke-linejoin:round}
.olm-p .g{stroke:var(--rule);stroke-width:1}
.olm-p .e{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}
.olm-p .b{fill:var(--band);fill-opacity:.07}
.olm-p .b.x{fill-opacity:.15}
.olm-p .o{fill:var(--paper);stroke-width:1.6}
"""
"""The colours are Okabe and Ito's, which the colour-blind can tell apart, lighter on dark pages."""

DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4")


def svg(picture: Picture, is_log: bool | None = None) -> str:
    """A picture as the text of an SVG file, which an HTML page can contain.

    Args:
        picture: what to draw.
        is_log: whether the vertical axes are logarithmic; by default where the values need it.
    """
    return "\n".join([*Drawing(picture, is_log).lines(), ""])


class Drawing:
    """The elements of a picture, one after another."""

    def __init__(self, picture: Picture, is_log: bool | None) -> None:
        self.picture, self.is_log = picture, is_log
        self.windows = windows(
            picture.axis, picture.last, picture.phases, LEFT, WIDTH - LEFT - RIGHT
        )
        tall = ALONE if len(picture.panels) == 1 else AMONG
        self.tops = [TOP + BETWEEN + index * (tall + BETWEEN) for index in range(self.count)]
        self.scales = [
            self._scale(panel, top, top + tall)
            for panel, top in zip(picture.panels, self.tops, strict=True)
        ]
        self.foot = self.tops[-1] + tall

    @property
    def count(self) -> int:
        return len(self.picture.panels)

    @cached_property
    def name(self) -> str:
        """The start of the ids, so that several pictures can be in one page."""
        about = f"{self.picture.title}{self.picture.words}{self.picture.last}{self.is_log}"
        return f"olm-{sha256(about.encode()).hexdigest()[:8]}"

    def _scale(self, panel: Panel, top: float, bottom: float) -> Scale:
        import numpy as np

        values = np.concatenate([line.values for line in panel.lines])
        finite = values[np.isfinite(values)]
        is_log = self.is_log
        if is_log is None:
            is_log = any(needs_log(self._evenly(line.steps, line.values)) for line in panel.lines)
        return scale(finite if len(finite) else np.zeros(1), top, bottom, is_log)

    def _evenly(self, steps: Array, values: Array) -> Array:
        import numpy as np

        even: Array = np.interp(np.linspace(0, self.picture.last, 400), steps, values)
        return even

    @property
    def has_log(self) -> bool:
        """Whether the first panel has a logarithmic axis."""
        return self.scales[0].is_log

    def lines(self, style: str = STYLE) -> Iterator[str]:
        """The lines of the file; `style` is empty if the page has the style sheet."""
        picture, height = self.picture, self.foot + BELOW
        yield (
            f'<svg class="olm-p" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" role="img" aria-labelledby="{self.name}-t {self.name}-d" '
            f'style="max-width:100%;height:auto">'
        )
        yield f'<title id="{self.name}-t">{escape(picture.title)}</title>'
        yield f'<desc id="{self.name}-d">{escape(picture.words)}</desc>'
        if style:
            yield f"<style>{style}</style>"
        yield f'<text class="h" x="{LEFT}" y="20">{escape(_short(picture.title, 70))}</text>'
        for window, inside in zip(self.windows, self.inside, strict=True):
            yield from inside
            yield from self._below(window)
        yield "</svg>"

    @cached_property
    def inside(self) -> list[list[str]]:
        """The elements of each window above its axis."""
        return [[*self._inside(window)] for window in self.windows]

    @cached_property
    def places(self) -> list[bytes]:
        """The horizontal place of each step that is drawn, by window."""
        import numpy as np

        picture = self.picture
        lines = [line.steps for panel in picture.panels for line in panel.lines]
        others = [mark.step for mark in picture.marks] + [step for step, _ in picture.ends]
        others += [step for one in picture.phases for step in (one.first, one.last)]
        steps = np.concatenate([*lines, others])
        return [window.at(steps).tobytes() for window in self.windows]

    def _inside(self, window: Window) -> Iterator[str]:
        yield from self._bands(window)
        for index in range(self.count):
            yield from self._panel(index, window)
        yield from self._ends(window)

    def _bands(self, window: Window) -> Iterator[str]:
        """The phases, shaded in turns, with their names where these fit."""
        right, free = window.left + window.width, window.left
        for number, phase in enumerate(self.picture.phases):
            first, last = max(phase.first, window.first), min(phase.last, window.last)
            if first >= last:
                continue
            left, end = self._places(window, first, last)
            shade = " x" if number % 2 else ""
            for one in self.scales:
                size = f'width="{end - left:.1f}" height="{one.bottom - one.top}"'
                yield f'<rect class="b{shade}" x="{left:.1f}" y="{one.top}" {size}/>'
            middle, wide = (left + end) / 2, len(phase.name) * CHARACTER
            begin = min(max(middle - wide / 2, window.left), right - wide)
            if wide < (end - left) * 1.6 and begin >= free:
                free = begin + wide + CHARACTER
                at = f'x="{begin + wide / 2:.1f}" y="{self.tops[0] - 4}" text-anchor="middle"'
                yield f"<text {at}>{escape(phase.name)}</text>"

    def _panel(self, index: int, window: Window) -> Iterator[str]:
        panel, vertical = self.picture.panels[index], self.scales[index]
        first = window is self.windows[0]
        for value in vertical.ticks(5 if self.count == 1 else 3):
            y = float(vertical.at(_array(value)))
            across = f'x1="{window.left:.1f}" x2="{window.left + window.width:.1f}"'
            yield f'<line class="g" {across} y1="{y:.1f}" y2="{y:.1f}"/>'
            if first:
                label = escape(text(value, panel.numbers))
                yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
        if first and (self.count > 1 or not self.picture.phases):
            yield from self._label(panel, LEFT, vertical.top - (16 if index == 0 else 8))
        elif first:
            yield from self._label(panel, LEFT, vertical.top - 18)
        yield from self._curves(index, panel, vertical, window)

    def _label(self, panel: Panel, x: float, y: float) -> Iterator[str]:
        """What the panel shows, and the names of its curves."""
        yield f'<text class="l" x="{x}" y="{y}">{escape(panel.label)}</text>'
        if len(panel.lines) < 2:
            return
        x += len(panel.label) * CHARACTER + 18
        for number, line in enumerate(panel.lines):
            dash, colour = _look(number, line.is_old)
            yield f'<path d="M{x:.0f} {y - 4}h22" {dash} stroke="{colour}"/>'
            name = _short(line.name, 34)
            yield f'<text x="{x + 27:.0f}" y="{y}">{escape(name)}</text>'
            x += 44 + len(name) * CHARACTER

    def _curves(self, index: int, panel: Panel, vertical: Scale, window: Window) -> Iterator[str]:
        for number, line in enumerate(panel.lines):
            steps, values = _cut(line, window)
            dash, colour = _look(number if len(panel.lines) > 1 else index, line.is_old)
            points = thinned(window.at(steps), vertical.at(values))
            yield f'<path d="{points}" {dash} stroke="{colour}"/>'
        for mark in self.picture.marks:
            if mark.panel == index and window.shows(mark.step):
                yield self._mark(mark, panel, vertical, window)

    def _mark(self, mark: Mark, panel: Panel, vertical: Scale, window: Window) -> str:
        x, y = window.at(_array(mark.step)), vertical.at(_array(mark.value))
        value = text(mark.value, panel.numbers, 3)
        words = f"step {mark.step:,}: {value}, {mark.why}"
        colour = _look(mark.panel, is_old=False)[1]
        at = f'cx="{float(x):.1f}" cy="{float(y):.1f}" r="3.2" stroke="{colour}"'
        return f'<circle class="o" {at}><title>{escape(words)}</title></circle>'

    def _ends(self, window: Window) -> Iterator[str]:
        """Vertical lines at the end of the run and the like."""
        for step, why in self.picture.ends:
            if window.shows(step):
                (x,) = self._places(window, step)
                yield (
                    f'<line class="e" x1="{x:.1f}" x2="{x:.1f}" y1="{self.tops[0]}" '
                    f'y2="{self.foot}"><title>{escape(why)}</title></line>'
                )

    def _below(self, window: Window) -> Iterator[str]:
        """The ticks of a window, and what they count."""
        axis, most = self.picture.axis, max(int(window.width / 95), 1)
        begin, end = axis.at(window.first), axis.at(window.last)
        line = f'y1="{self.foot}" y2="{self.foot}"'
        yield (
            f'<line class="g" x1="{window.left:.1f}" x2="{window.left + window.width:.1f}" {line}/>'
        )
        for place in axis.ticks(window.last, max(round(most * end / (end - begin)), 1)):
            if float(place) < begin:
                continue
            x = window.left + (float(place) - begin) / (end - begin) * window.width
            label = axis.tick(float(place))
            x = min(x, window.left + window.width - len(label) * CHARACTER / 2 + 12)
            yield f'<text x="{x:.1f}" y="{self.foot + 16}" text-anchor="middle">{label}</text>'
        name = axis.label if window.is_whole else "enlarged"
        middle = window.left + window.width / 2
        yield f'<text x="{middle:.1f}" y="{self.foot + 34}" text-anchor="middle">{name}</text>'

    def _places(self, window: Window, *steps: int) -> list[float]:
        return [float(place) for place in window.at(_array(*steps)).reshape(-1)]


def _array(*numbers: float) -> Array:
    import numpy as np

    found: Array = np.array(numbers, float) if len(numbers) > 1 else np.array(numbers[0], float)
    return found


def _cut(line: Line, window: Window) -> tuple[Array, Array]:
    """The steps and the values of a curve in a window, up to its edges."""
    import numpy as np

    inside = (line.steps > window.first) & (line.steps < window.last)
    ends = np.array([window.first, window.last], float)
    first, last = np.interp(ends, line.steps, line.values)
    steps = np.concatenate([ends[:1], line.steps[inside], ends[1:]])
    return steps, np.concatenate([[first], line.values[inside], [last]])


def _look(number: int, is_old: bool) -> tuple[str, str]:
    """The dashes and the colour of a curve."""
    if is_old:
        return "", "var(--old)"
    dash = DASHES[number % len(DASHES)]
    return (f'stroke-dasharray="{dash}"' if dash else ""), f"var(--c{number % 5})"


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"
