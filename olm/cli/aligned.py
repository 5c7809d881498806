"""Rows of cells in aligned columns, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

SHORTEST = 12
"""The least width of a last column that is broken."""


def aligned(rows: Sequence[Sequence[str]], width: int = 0) -> Iterator[str]:
    """Rows of cells as lines with aligned columns.

    Args:
        rows: the rows.
        width: the longest line, for which the last column is broken; 0 for any.

    >>> print(*aligned([("step", "rate"), ("1,000", "0")]), sep="|")
    step   rate|1,000  0
    >>> print(*aligned([("999", "last training step")], width=20), sep="|")
    999  last training|     step
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width and sum(widths[:-1]) + 2 * len(widths) + SHORTEST > width < sum(widths):
        yield from _stacked(rows, width)
        return
    for *cells, last in rows:
        before = "".join(f"{text:{wide}}  " for text, wide in zip(cells, widths, strict=False))
        parts = wrap(last, max(width - len(before), SHORTEST)) if width else [last]
        yield (before + "".join(parts[:1])).rstrip()
        yield from (" " * len(before) + part for part in parts[1:])


def _stacked(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Rows one below the other, a line for each cell: for a screen that is too narrow for them."""
    heads, *others = rows
    for row in others:
        first, *cells = zip(heads, row, strict=True)
        yield from wrap(" ".join(first), width)
        for head, cell in cells:
            if cell:
                text = f"{head}: {cell}" if head else cell
                yield from wrap(text, width, initial_indent="  ", subsequent_indent="    ")
