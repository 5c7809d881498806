"""The curve of a spec as a picture in a file, drawn with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from olm.spec import Spec

POINTS = 4000
"""How many steps are drawn, at most, besides those at which the shape changes."""


def draw(spec: Spec, base: float, steps: int, path: str | TextIO, form: str) -> None:
    """Write a picture of the rates from step 0 to `steps`.

    Args:
        spec: what to draw; of a state, the step where it stands is marked.
        base: the base rate.
        steps: the last step.
        path: the file to write, or one that is open.
        form: ``png`` or ``svg``.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "pictures need matplotlib: pip install 'olm-schedules[plot]'"
        raise ImportError(message) from error
    import numpy as np

    marks = [mark + near for mark in spec.schedule.marks() for near in (-1, 0, 1)]
    even = np.linspace(0, steps, min(steps, POINTS) + 1).round().astype(np.int64)
    at = np.unique([*even, *(mark for mark in marks if 0 <= mark <= steps)])
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(at, spec.lr(at, base), linewidth=1.8)
    if spec.last_epoch is not None and spec.last_epoch <= steps:
        axes.plot(spec.last_epoch, spec.lr(spec.last_epoch, base), "o", label="here it stands")
        axes.legend()
    axes.set(xlabel="optimizer step", ylabel="learning rate", title=spec.schedule.kind)
    axes.set_xlim(0, steps)
    axes.set_ylim(bottom=0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    # Without the date, one curve is one file.
    undated = {"Date": None} if form == "svg" else None
    figure.savefig(path, format=form, dpi=150, metadata=undated)
