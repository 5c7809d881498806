"""Two specs as one picture, and as a page with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from olm.cli.terminal import Screen, visible
from olm.drawing.axis import STEPS
from olm.drawing.picture import NUMBER, RATE, Line, Panel, Picture
from olm.problem import listed
from olm.schedule.showing.drawn import points
from olm.spec.hyperparameters import LR

if TYPE_CHECKING:
    from olm.cli.comparing.comparison import Comparison
    from olm.drawing.html import Page
    from olm.spec.curve_differences import CurveDifference
    from olm.spec.target_curves import Curve

    Pair = tuple[str, tuple[Curve, Curve], CurveDifference]


def picture(found: Comparison) -> Picture:
    """Both curves of each schedule that differs, or of all if none does, and their difference.

    A comparison without curves has no picture.
    """
    names = (visible(found.a.name), visible(found.b.name))
    there = [*_pairs(found)]
    shown = [pair for pair in there if pair[2].first] or there
    last = max(curves.steps for _, _, curves in shown)
    panels = [panel for pair in shown for panel in _panels(pair, names, last)]
    words = f"The curves of {names[0]} and of {names[1]} over {last:,} steps."
    return Picture(listed(names, "and"), words, panels, last)


def html_page(found: Comparison) -> Page:
    """The page of a comparison: the picture and the differences in words."""
    from olm.cli.comparing.page import page
    from olm.drawing.html import Hover, Page, preformatted

    drawn = picture(found)
    steps = drawn.panels[0].lines[0].steps
    columns = [
        f"{line.name} {panel.label}".strip() for panel in drawn.panels for line in panel.lines
    ]
    values = [line.values for panel in drawn.panels for line in panel.lines]
    rows = [
        [f"{int(step):,}", *(f"{float(of[index]):.4g}" for of in values)]
        for index, step in enumerate(steps)
    ]
    text = "\n".join(page(found, Screen(), drawn=False))
    hover = Hover(["step", *columns], rows, [int(step) for step in steps])
    sections = [preformatted(text, "Differences")]
    return Page(drawn.title, [], drawn, {STEPS.unit: STEPS}, hover, sections)


def _pairs(found: Comparison) -> Iterator[Pair]:
    pairs = [(LR, found.pair, found.curves)]
    pairs += [(target.label, target.pair, target.curves) for target in found.targets]
    return ((label, pair, curves) for label, pair, curves in pairs if pair and curves)


def _panels(pair: Pair, names: tuple[str, str], last: int) -> Iterator[Panel]:
    """A panel with two curves, and one with what the second has more than the first."""
    label, both, curves = pair
    numbers = RATE if label == LR else NUMBER
    heading = "learning rate" if label == LR else label
    steps = points(sorted({mark for curve in both for mark in curve.marks()}), last, STEPS)
    first, second = (
        curve.forgotten().lr(steps, base)
        for curve, base in zip(both, (curves.base_a, curves.base_b), strict=True)
    )
    lines = [Line(steps, first, names[0]), Line(steps, second, names[1])]
    yield Panel(heading, lines, numbers)
    if curves.first:
        yield Panel(f"{heading}: difference", [Line(steps, second - first)], numbers)
