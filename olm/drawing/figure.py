"""The curve of a spec, or of two, drawn to a file with matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from olm.drawing.axis import STEPS, Axis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TextIO

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy import int64
    from numpy.typing import NDArray

    from olm.spec.spec import Spec

POINTS = 4000
"""The most steps that are drawn, besides those at which the shape changes."""


def draw(
    spec: Spec,
    base: float,
    steps: int,
    path: str | TextIO,
    form: str,
    *,
    axis: Axis = STEPS,
    run: int | None = None,
) -> None:
    """Write a picture of the rates from step 0 to `steps`.

    Args:
        spec: what to draw; the step of a state is marked.
        base: the base rate.
        steps: the last step.
        path: the file to write, or one that is open.
        form: ``png`` or ``svg``.
        axis: the unit of the horizontal axis.
        run: the run length in steps; its end is marked if the picture goes beyond it.

    Raises:
        ImportError: matplotlib is not installed.
    """
    figure = _figure(height=3.2)
    axes = figure.add_subplot()
    at = _points(steps, spec.schedule.marks())
    axes.plot(axis.along(at), spec.lr(at, base), linewidth=1.8)
    if (step := spec.last_epoch) is not None and step <= steps:
        axes.plot(axis.at(step), spec.lr(step, base), "o", label="state")
    if run is not None and run < steps:
        axes.axvline(axis.at(run), color="0.3", linestyle=":", label="end of the run")
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    axes.set(xlabel=axis.label, ylabel="learning rate", title=spec.schedule.kind)
    axes.set_ylim(bottom=0)
    _finish(axes, steps, axis)
    _save(figure, path, form)


@dataclass(frozen=True)
class Panel:
    """A part of a picture, with one curve or more."""

    label: str
    """What it shows."""
    curves: Sequence[tuple[str, Callable[[Any], Any]]]
    """The name of each curve in the legend, and its numbers at steps."""
    marks: Sequence[int]
    """The steps at which its shape changes."""


def draw_panels(
    panels: Sequence[Panel],
    steps: int,
    path: str | TextIO,
    form: str,
    *,
    axis: Axis = STEPS,
    run: int | None = None,
    state: int | None = None,
) -> None:
    """Write a picture of panels, one above the other, with one axis of steps.

    Args:
        panels: the panels.
        steps: the last step.
        path: the file to write, or one that is open.
        form: ``png`` or ``svg``.
        axis: the unit of the horizontal axis.
        run: the run length in steps; its end is marked if the picture goes beyond it.
        state: the step of a state, which is marked.

    Raises:
        ImportError: matplotlib is not installed.
    """
    figure = _figure(height=1.0 + 1.8 * len(panels))
    for axes, panel in zip(
        figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0], panels, strict=True
    ):
        at = _points(steps, panel.marks)
        # Where curves coincide, the dashes let the first one show.
        for style, (name, curve) in zip(("-", "--"), panel.curves, strict=False):
            axes.plot(axis.along(at), curve(at), style, linewidth=1.8, label=_plain(name))
            if state is not None and 0 <= state <= steps:
                axes.plot(axis.at(state), curve(state), "o")
        if len(panel.curves) > 1:
            axes.legend(loc="best")
        if run is not None and run < steps:
            axes.axvline(axis.at(run), color="0.3", linestyle=":")
        axes.set_title(_plain(panel.label), fontsize="medium", loc="left")
        _finish(axes, steps, axis)
    axes.set(xlabel=axis.label)
    _save(figure, path, form)


def draw_both(curves: Sequence[tuple[str, Spec, float]], steps: int, path: str, form: str) -> None:
    """Write a picture of two curves, with their difference below.

    Args:
        curves: the name of each in the legend, its spec and its base rate.
        steps: the last step.
        path: the file to write.
        form: ``png`` or ``svg``.

    Raises:
        ImportError: matplotlib is not installed.
    """
    figure = _figure(height=4.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    at = _points(steps, *(spec.schedule.marks() for _, spec, _ in curves))
    rates = [spec.lr(at, base) for _, spec, base in curves]
    # Where the curves coincide, the dashes let the first one show.
    lines = [above.plot(at, rates[side], "-" if side == 0 else "--")[0] for side in (0, 1)]
    above.legend(lines, [_plain(name) for name, _, _ in curves])
    below.plot(at, rates[1] - rates[0], color="0.3", linewidth=1.2)
    above.set(ylabel="learning rate")
    above.set_ylim(bottom=0)
    below.set(xlabel="optimizer step", ylabel="difference")
    for axes in (above, below):
        _finish(axes, steps)
    _save(figure, path, form)


def _plain(text: str) -> str:
    """A text without formulas: matplotlib typesets what is between two dollars."""
    return text.replace("$", r"\$")


def _figure(height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "pictures need matplotlib: pip install 'olm-schedules[plot]'"
        raise ImportError(message) from error
    return Figure(figsize=(7, height), layout="constrained")


def _points(steps: int, *curves: Sequence[int]) -> NDArray[int64]:
    """The steps to draw, including those next to each change of shape."""
    import numpy as np

    marks = [mark + near for marks in curves for mark in marks for near in (-1, 0, 1)]
    even = np.linspace(0, steps, min(steps, POINTS) + 1).round().astype(np.int64)
    return np.unique([*even, *(mark for mark in marks if 0 <= mark <= steps)])


def _finish(axes: Axes, steps: int, axis: Axis = STEPS) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(0, axis.at(steps))
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    round_numbers = MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=axis.is_whole)
    axes.xaxis.set_major_locator(round_numbers)
    axes.xaxis.set_major_formatter(lambda place, _: axis.tick(place))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)


def _save(figure: Figure, path: str | TextIO, form: str) -> None:
    # Without the date, the same curve gives the same file.
    undated: dict[str, Any] | None = {"Date": None} if form == "svg" else None
    figure.savefig(path, format=form, dpi=150, metadata=undated)
