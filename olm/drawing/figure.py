"""A picture drawn with matplotlib: to a PNG file, or on axes of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from olm.drawing.scale import needs_log, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from olm.drawing.picture import Panel, Picture

STYLES = ("-", "--", ":", "-.")
"""Where curves coincide, the dashes let the first one show."""


def save(picture: Picture, path: str, is_log: bool | None = None) -> None:
    """Write a picture as a PNG file.

    Args:
        picture: what to draw.
        path: the file.
        is_log: whether the vertical axes are logarithmic; by default where the values need it.

    Raises:
        ImportError: matplotlib is not installed.
    """
    count = len(picture.panels)
    rows = axes_for(count)
    plot(picture, rows, is_log)
    rows[0].figure.savefig(path, format="png", dpi=150)


def axes_for(count: int, ax: Any = None) -> list[Any]:
    """Axes for some panels: those given, or those of a new figure.

    Raises:
        ValueError: there are more panels than axes.
    """
    if ax is None:
        figure = new_figure(height=3.2 if count == 1 else 1.0 + 1.8 * count)
        return [*figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]]
    rows = [ax] if hasattr(ax, "plot") else [*ax]
    if len(rows) != count:
        raise ValueError(f"{count} numbers are drawn, and ax has {len(rows)} axes")
    return rows


def new_figure(height: float) -> Any:
    """A figure that belongs to no window.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "this picture needs matplotlib: pip install 'olm-schedules[plot]'"
        raise ImportError(message) from error
    return Figure(figsize=(7, height), layout="constrained")


def plot(picture: Picture, rows: Sequence[Any], is_log: bool | None = None) -> None:
    """Draw each panel of a picture on axes of matplotlib's.

    Args:
        picture: what to draw.
        rows: the axes, one for each panel.
        is_log: whether the vertical axes are logarithmic; by default where the values need it.
    """
    for index, (panel, axes) in enumerate(zip(picture.panels, rows, strict=True)):
        for style, line in zip(STYLES * len(panel.lines), panel.lines, strict=False):
            axes.plot(
                picture.axis.along(line.steps), line.values, style, lw=1.8, label=_plain(line.name)
            )
        marks = [mark for mark in picture.marks if mark.panel == index]
        places = [picture.axis.at(mark.step) for mark in marks]
        axes.plot(places, [mark.value for mark in marks], "o", ms=4, mfc="none", color="C0")
        for number, phase in enumerate(picture.phases):
            ends = picture.axis.at(phase.first), picture.axis.at(phase.last)
            axes.axvspan(*ends, color="C0", alpha=0.04 + 0.05 * (number % 2), lw=0)
        for step, _ in picture.ends:
            axes.axvline(picture.axis.at(step), color="0.3", linestyle=":")
        _finish(axes, picture, panel, is_log)
    rows[0].set_title(_plain(picture.title), loc="left", fontweight="bold")
    rows[-1].set_xlabel(picture.axis.label)


def _finish(axes: Any, picture: Picture, panel: Panel, is_log: bool | None) -> None:
    from matplotlib.ticker import MaxNLocator

    log = any(needs_log(line.values) for line in panel.lines) if is_log is None else is_log
    if log and any((line.values > 0).any() for line in panel.lines):
        axes.set_yscale("log", nonpositive="clip")
    elif all((line.values >= 0).all() for line in panel.lines):
        axes.set_ylim(bottom=0)
    axis = picture.axis
    axes.set_xlim(0, axis.at(picture.last))
    axes.set_ylabel(_plain(panel.label))
    round_numbers = MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=axis.is_whole)
    axes.xaxis.set_major_locator(round_numbers)
    axes.xaxis.set_major_formatter(lambda place, _: axis.tick(place))
    axes.yaxis.set_major_formatter(lambda value, _: text(value, panel.numbers))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    if len(panel.lines) > 1:
        axes.legend(loc="best")


def _plain(words: str) -> str:
    """A text without formulas: matplotlib typesets what is between two dollars."""
    return words.replace("$", r"\$")
