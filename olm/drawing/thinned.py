"""A curve as the path of an SVG file, without the points that nobody could see."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from olm.schedule.curves import Array

NEAR = 0.12
"""How far a curve may be from its path, in pixels."""


def thinned(x: Array, y: Array) -> str:
    """A path through points, to an eighth of a pixel.

    Args:
        x: the horizontal places, ascending.
        y: the vertical places.

    >>> import numpy as np
    >>> thinned(np.arange(5.0), np.array([0.0, 1.0, 2.0, 3.0, 3.0]))
    'M0 0L3 3L4 3'
    """
    import numpy as np

    fine = np.isfinite(y)
    points = _without_crowds(x[fine], y[fine])
    if not points:
        return ""
    kept = [points[0]]
    (x0, y0), before = points[0], points[0]
    # The slopes of lines from the last point kept that pass all points since near enough.
    least, most = -inf, inf
    for point in points[1:]:
        right, down = point
        along, rise = right - x0, down - y0
        if along <= 0 or not least <= rise / along <= most:
            kept.append(before)
            x0, y0 = before
            along, rise, least, most = right - x0, down - y0, -inf, inf
        if along > 0:
            # Comparisons, since `min` and `max` would take as long as the rest.
            low, high = (rise - NEAR) / along, (rise + NEAR) / along
            least, most = low if low > least else least, high if high < most else most
        before = point
    kept.append(points[-1])
    unique = [one for before, one in zip([None, *kept], kept, strict=False) if one != before]
    return "M" + "L".join(f"{round(x, 1):g} {round(y, 1):g}" for x, y in unique)


def _without_crowds(x: Array, y: Array) -> list[tuple[float, float]]:
    """The first, the lowest, the highest and the last point of each half pixel, in their order."""
    import numpy as np

    columns = (x * 2).astype(int)
    edges = np.append(np.flatnonzero(np.diff(columns, prepend=-1)), len(x))
    crowded = np.flatnonzero(np.diff(edges) > 4)
    kept = np.ones(len(x), bool)
    for start, end in zip(edges[crowded].tolist(), edges[crowded + 1].tolist(), strict=True):
        heights = y[start:end]
        kept[start + 1 : end - 1] = False
        kept[[start + int(heights.argmin()), start + int(heights.argmax())]] = True
    return list(zip(x[kept].tolist(), y[kept].tolist(), strict=True))
