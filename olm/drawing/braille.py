"""A curve drawn with braille characters, each of which is two dots wide and four dots high."""

from __future__ import annotations

from typing import TYPE_CHECKING

from olm.drawing.axis import STEPS, Axis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from olm.schedule.curves import Array

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a braille character, row by row."""

BLANK = "\u2800 "
"""Characters without a dot."""

LOWEST = 1e-9
"""The lowest value of a logarithmic axis, as a share of the highest."""

PER_DOT = 8
"""How many values of the curve a column of dots covers."""


def columns(width: int) -> int:
    """How many values `drawn` takes for a picture of `width` characters."""
    return width * 2 * PER_DOT


def drawn(values: Array, low: float, high: float, height: int) -> list[str]:
    """The curve as `height` lines of text, the highest first.

    Args:
        values: the curve at equal distances, as many as `columns` says.
        low: the value at the bottom.
        high: the value at the top, above `low`.
        height: the lines.

    >>> import numpy as np
    >>> for row in drawn(np.linspace(0.0, 1.0, columns(8)), 0.0, 1.0, 2):
    ...     print(row)
    ⠀⠀⠀⠀⣀⡤⠖⠋
    ⣠⠴⠚⠉⠀⠀⠀⠀
    """
    import numpy as np

    dots = np.rint((values - low) / (high - low) * (4 * height - 1)).astype(int)
    dots = dots.reshape(-1, PER_DOT)
    lowest, highest = dots.min(axis=1), dots.max(axis=1)
    # A column reaches to the one before it, so that a steep curve stays connected.
    lowest[1:] = np.minimum(lowest[1:], highest[:-1] + 1)
    highest[1:] = np.maximum(highest[1:], lowest[:-1] - 1)
    cells = np.zeros((height, len(dots) // 2), int)
    for column, (bottom, top) in enumerate(zip(lowest, highest, strict=True)):
        for dot in range(bottom, top + 1):
            row = 4 * height - 1 - dot
            cells[row // 4, column // 2] |= _DOTS[row % 4][column % 2]
    return ["".join(chr(0x2800 + cell) for cell in row) for row in cells]


def ascii_rows(rows: Sequence[str]) -> list[str]:
    r"""Rows of braille in ASCII: a character for the highest dots of each cell.

    >>> for row in ascii_rows(["⠀⠀⠀⠀⣀⡤⠖⠋", "⣠⠴⠚⠉"]):
    ...     print(row)
        .-'"
    -'""
    """
    return ["".join(map(_ascii, row)) for row in rows]


def _ascii(character: str) -> str:
    bits = ord(character) - 0x2800
    if not 0 <= bits <= 0xFF:
        return character
    levels = [sum(row) & bits for row in _DOTS]
    if sum(map(bool, levels)) > 2:
        return "|"
    return next((sign for sign, level in zip("\"'-.", levels, strict=True) if level), " ")


def chart(
    values: Array,
    last_step: int,
    height: int = 11,
    beside: Array | None = None,
    axis: Axis = STEPS,
    *,
    margin: int = 0,
    text: Callable[[float], str] | None = None,
    has_ticks: bool = True,
    is_log: bool = False,
    paint: Callable[[int, str], str] | None = None,
) -> list[str]:
    """The curve with its axes: rates on the left, steps or the unit of `axis` below.

    Args:
        values: the curve at equal distances, as many as `columns` says.
        last_step: the step of the last of them.
        height: the lines of the curve.
        beside: a second curve, drawn dotted.
        axis: the unit of the horizontal axis.
        margin: the least width of the labels on the left, in characters.
        text: how a number is written on the left; by default as a rate.
        has_ticks: whether the horizontal axis is drawn.
        is_log: whether the vertical axis is logarithmic.
        paint: the colours of a text that begins in a column of the curve.
    """
    width = len(values) // columns(1)
    both = [values] if beside is None else [values, beside]
    text = text or rate_text
    number: Callable[[float], float] = float
    if is_log and (positive := _exponents(both)) is not None:
        both, number = positive, _power
        values, beside = both[0], (None if beside is None else both[1])
    low = min(float(curve.min()) for curve in both)
    low, high = _limits(low, max(float(curve.max()) for curve in both), is_log)
    rows = drawn(values, low, high, height)
    if beside is not None:
        rows = list(map(_over, rows, drawn(beside, low, high, height)))
    labels = {0: high, height - 1: low} | ({height // 2: _at(height // 2, low, high, height)})
    texts = [text(number(labels[row])) if row in labels else "" for row in range(height)]
    margin = max(margin, *map(len, texts))
    rows = [row.rstrip(BLANK) for row in rows]
    if paint is not None:
        rows = [paint(0, row) for row in rows]
    lines = [f"{text:>{margin}} ┤{row}".rstrip() for text, row in zip(texts, rows, strict=True)]
    return [*lines, *(_below(width, last_step, axis, margin + 1) if has_ticks else ())]


def rate_text(rate: float, digits: int = 2) -> str:
    """A rate in short scientific notation.

    Args:
        rate: the rate.
        digits: the digits after the point, of which a last 0 is left out.

    >>> rate_text(3e-4), rate_text(0.000165), rate_text(0.0), rate_text(0.1)
    ('3.0e-04', '1.65e-04', '0', '1.0e-01')
    """
    if rate == 0:
        return "0"
    mantissa, exponent = f"{rate:.{digits}e}".split("e")
    return f"{mantissa.removesuffix('0')}e{exponent}"


def _over(row: str, other: str) -> str:
    """A row of a picture over a row of another one, which keeps every other dot."""
    return "".join(
        chr(ord(mine) | sum(left for left, right in _DOTS if ord(theirs) & (left | right)))
        for mine, theirs in zip(row, other, strict=True)
    )


def _exponents(curves: Sequence[Array]) -> list[Array] | None:
    """The decimal logarithms of curves, those of 0 at the foot; None if nothing is above 0."""
    import numpy as np

    positive = np.concatenate([curve[curve > 0] for curve in curves])
    if not len(positive):
        return None
    least = max(positive.min(), positive.max() * LOWEST)
    return [np.log10(np.maximum(curve, least)) for curve in curves]


def _power(exponent: float) -> float:
    return float(10.0**exponent)


def _limits(lowest: float, highest: float, is_log: bool = False) -> tuple[float, float]:
    """The limits of the axis, which begins at zero if the curve comes close to it."""
    if is_log:
        return lowest, highest if highest > lowest else lowest + 1
    if highest == lowest:
        return (0.0, highest or 1.0)
    return (0.0 if lowest < highest / 4 else lowest, highest)


def _at(row: int, low: float, high: float, height: int) -> float:
    """The value in the middle of a row of the picture."""
    return high - (high - low) * ((4 * row + 1.5) / (4 * height - 1))


def _below(width: int, last_step: int, axis: Axis, margin: int) -> list[str]:
    """The line below the curve with its ticks, and their labels."""
    ticks, unit = _ticks(width, last_step, axis)
    line = "".join("┬" if column in ticks else "─" for column in range(width))
    text = [" "] * (width + 12)
    for column, label in ticks.items():
        start = min(max(column - len(label) // 2, 0), width - len(label))
        text[start : start + len(label)] = label
    labels = "".join(text).rstrip() + unit
    return [" " * margin + "└" + line, " " * (margin + 1) + labels]


def _ticks(width: int, last_step: int, axis: Axis) -> tuple[dict[int, str], str]:
    """The labels by column, and the unit; for steps, the first, middle and last step."""
    if axis == STEPS:
        steps = {0: 0, width // 2: last_step // 2, width - 1: last_step}
        if last_step < 2:
            del steps[width // 2]
        return {column: axis.tick(step) for column, step in steps.items()}, ""
    places, end = axis.ticks(last_step), axis.at(last_step)
    labels = {round(float(place) / end * (width - 1)): axis.tick(float(place)) for place in places}
    return labels, f" {axis.name}"
