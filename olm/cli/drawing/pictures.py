"""What `olm show` shows as a picture, and as a page with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from olm.drawing.axis import STEPS, axes
from olm.drawing.html import ROWS, Hover, Page, Section, preformatted, table
from olm.drawing.picture import Panel, Picture
from olm.drawing.scale import text as number_text
from olm.problem import listed
from olm.schedule.showing.drawn import Drawn, line, picture_of, points
from olm.spec.target_curves import Curve

if TYPE_CHECKING:
    from olm.cli.drawing.page import View
    from olm.text.source import Text


def drawn_of(view: View) -> list[Drawn]:
    """What is drawn: of each target, the curve for its largest base."""
    from olm.cli.drawing.target_page import drawn

    if not view.columns:
        base = view.base if view.base_is_known else None
        return [Drawn("lr", Curve(view.spec.schedule), base)]
    return [
        Drawn(
            one.heading if one.is_known else one.label,
            one.curve,
            None if one.base is not None and not one.is_known else one.factor,
            one.number,
        )
        for one in drawn(view.columns)
    ]


def picture(view: View, words: Sequence[str], title: str) -> Picture:
    """The picture of a view."""
    run = view.clock.total_steps
    return picture_of(
        drawn_of(view),
        view.steps,
        title=title,
        axis=view.axis,
        run=run if isinstance(run, int) else None,
        state=view.spec.last_epoch,
        words=words,
        find=view.find_key_steps,
    )


def title_of(text: Text) -> str:
    r"""The title of a picture: the first comment of the file, or its name.

    >>> from olm.text.source import Text
    >>> title_of(Text("a.yaml", "# yaml-language-server: $schema=x\n# BERT.\nkind: HoldLR\n"))
    'BERT'
    >>> title_of(Text("specs/a.olm.yaml", "kind: HoldLR\n"))
    'a'
    """
    for comment in text.lines:
        if not comment.startswith("#"):
            break
        words = comment.lstrip("# ").removesuffix(".")
        if words and "$schema" not in words:
            return words
    return PurePath(text.file).name.partition(".")[0]


def html_page(view: View, words: Sequence[str], text: Text, *, has_text: bool = True) -> Page:
    """The page of a view: its words, its picture along each axis, its tables and its text."""
    title = title_of(text)
    first = picture(view, words, title)
    known = {"steps": STEPS, **axes(view.clock)}
    order = sorted(known, key=lambda name: name != view.axis.unit)
    sections = _tables(view)
    if has_text:
        sections.append(preformatted(text.content, PurePath(text.file).name))
    shown = {name: known[name] for name in order}
    return Page(title, words, first, shown, _hover(view), sections)


def together(views: Sequence[View], texts: Sequence[Text], words: Sequence[Sequence[str]]) -> Page:
    """The page of several specs: their curves in one picture, and the tables of each."""
    names = [PurePath(text.file).name for text in texts]
    last = max(view.steps for view in views)
    curves: dict[str, list[tuple[str, Drawn]]] = {}
    for name, view in zip(names, views, strict=True):
        for one in drawn_of(view):
            curves.setdefault(one.heading, []).append((name, one))
    axis = views[0].axis
    panels = [
        Panel(heading, [line(one, last, axis, name) for name, one in of], of[0][1].numbers)
        for heading, of in curves.items()
    ]
    title = listed(names, "and")
    drawn = Picture(title, f"The curves of {title} over {last:,} steps.", panels, last, axis)
    sections = [
        Section(f"{name}: {section.title}", section.html)
        for name, view in zip(names, views, strict=True)
        for section in _tables(view)
    ]
    lines = [
        f"{name}: {text.strip()}" for name, of in zip(names, words, strict=True) for text in of
    ]
    steps = panels[0].lines[0].steps
    values = [
        [number_text(float(value), panel.numbers, 3) for value in of.interpolated(steps)]
        for panel in panels
        for of in panel.lines
    ]
    rows = [[axis.text(int(step)), *of] for step, *of in zip(steps, *values, strict=True)]
    columns = [f"{of.name} {panel.label}" for panel in panels for of in panel.lines]
    hover = Hover([axis.name, *columns], rows, [int(step) for step in steps])
    return Page(title, lines, drawn, {axis.unit: axis}, hover, sections)


def _tables(view: View) -> list[Section]:
    from olm.cli.drawing.tables import counted_rows, key_rows
    from olm.cli.drawing.target_page import rows_of

    run = view.clock.total_steps
    if view.columns:
        rows = rows_of(view, view.columns)
    else:
        rows = key_rows(
            view.spec,
            view.base,
            view.steps,
            run,
            view.axis,
            base_is_known=view.base_is_known,
            clock=view.clock,
        )
    sections = [table(rows, "Key steps")]
    if view.counted:
        sections.append(table(counted_rows(view.counted, view.clock), "Durations"))
    return sections


def _hover(view: View) -> Hover:
    """The numbers under the pointer: the step on each axis, and each value."""
    import numpy as np

    shown, known = drawn_of(view), axes(view.clock)
    marks = sorted({mark for one in shown for mark in one.curve.marks()})
    steps = points(marks, view.steps, view.axis)
    if len(steps) > ROWS:
        even = steps[np.linspace(0, len(steps) - 1, ROWS).astype(int)]
        near = [mark for mark in marks[: ROWS // 3] if 0 <= mark <= view.steps]
        steps = np.unique(np.concatenate([even, np.array(near, float)]))
    whole = [int(step) for step in steps]
    numbers = [one.curve.lr(steps, one.factor) for one in shown]
    values = [
        [number_text(float(value), one.numbers, 3) for value in of]
        for one, of in zip(shown, numbers, strict=True)
    ]
    rows = [
        [*(axis.text(step) for axis in known.values()), *of]
        for step, *of in zip(whole, *values, strict=True)
    ]
    names = [axis.name for axis in known.values()]
    return Hover([*names, *(one.label for one in shown)], rows, whole)
