"""What a notebook shows of a schedule, of a plan and of a clock."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from olm.problem import OlmError, dotted
from olm.schedule.showing.drawn import Drawn, last_step, picture_of
from olm.schedule.showing.sentence import in_words

if TYPE_CHECKING:
    from olm.drawing.picture import Picture
    from olm.schedule.clock_fields import ClockFields
    from olm.schedule.counting import Plan
    from olm.schedule.schedule import Schedule


def of_schedule(schedule: Schedule) -> str:
    """The picture of a schedule in shares of the base rate, and its key steps."""
    from olm.drawing.svg import svg

    words = [*in_words(schedule)]
    try:
        counted = schedule.in_steps()
        drawn = [Drawn("lr", counted, None)]
        picture = picture_of(drawn, last_step(drawn, None), words=words)
    except OlmError as error:
        return block(paragraphs([*words, str(error)]))
    return block(f"{paragraphs(words)}{svg(picture)}{key_table(picture)}")


def of_plan(plan: Plan[Any]) -> str:
    """The durations of a plan in steps."""
    if not plan.counted:
        return block(paragraphs([f"{plan.schedule!r}, which has no durations"]))
    rows = [("field", "as written", "steps", "")]
    rows += [
        (dotted(one.path), one.written.text, f"{one.steps:,}", one.rounding) for one in plan.counted
    ]
    return block(table(rows))


def of_clock(clock: ClockFields) -> str:
    """The fields of a clock that are known."""
    rows = [("field", "value"), *((name, str(value)) for name, value in clock.known.items())]
    return block(table(rows) if len(rows) > 1 else paragraphs(["a clock that knows nothing"]))


def key_table(picture: Picture) -> str:
    """The key steps of a picture."""
    from olm.drawing.scale import text

    several = len(picture.panels) > 1
    rows = [("step", *(("number",) if several else ()), "value", "")]
    for mark in sorted(picture.marks, key=lambda mark: (mark.step, mark.panel)):
        panel = picture.panels[mark.panel]
        names = (panel.label,) if several else ()
        rows.append((f"{mark.step:,}", *names, text(mark.value, panel.numbers, 3), mark.why))
    return table(rows)


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows as an HTML table, the heading first."""
    head, *others = rows
    lines = [_row("th", head), *(_row("td", row) for row in others)]
    return f"<table>{''.join(lines)}</table>"


def paragraphs(lines: Iterable[str]) -> str:
    """Lines of text as HTML."""
    return f"<p>{'<br>'.join(escape(line) for line in lines)}</p>"


def block(html: str) -> str:
    """What a notebook shows, which may be wide."""
    return f'<div style="max-width:100%;overflow-x:auto">{html}</div>'


def _row(cell: str, texts: Iterable[str]) -> str:
    cells = "".join(f'<{cell} style="text-align:left">{escape(text)}</{cell}>' for text in texts)
    return f"<tr>{cells}</tr>"
