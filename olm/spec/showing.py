"""A spec as a picture, on a page of a notebook, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from olm.drawing.axis import STEPS, axes
from olm.problem import OlmError, listed
from olm.schedule.showing.drawn import Drawn, last_step, picture_of
from olm.schedule.showing.sentence import in_words
from olm.spec.hyperparameters import LR
from olm.spec.own_numbers import covered
from olm.spec.target_curves import curve_of

if TYPE_CHECKING:
    from olm.drawing.axis import Axis
    from olm.drawing.picture import Picture
    from olm.spec.spec import Spec


def drawn_of(spec: Spec, base: float | None = None, targets: Sequence[str] = ()) -> list[Drawn]:
    """The numbers of a spec in steps, each for the largest base that the spec has for it.

    Args:
        spec: the spec.
        base: the base rate, in place of that of the spec.
        targets: the names of those that are wanted; all by default. The rate is ``lr``.

    Raises:
        OlmError: the spec does not schedule one of the targets.
    """
    found = {}
    for target in (None, *spec.also):
        number, label = (LR, LR) if target is None else (target.number, target.label)
        curve = curve_of(spec.schedule, spec.also, target)
        _, numbers = covered(spec, number, target)
        known = [one for one in numbers if one is not None]
        if target is None and base is not None:
            known = [base]
        elif target is None and spec.base_lrs:
            known = [*spec.base_lrs]
        factor = max(known, default=None) if curve.follows_base() else 1.0
        found[label] = Drawn(label, curve, factor, number)
    if unknown := [name for name in targets if name not in found]:
        raise OlmError(f"the spec does not schedule {unknown[0]}, only {listed(found, 'and')}")
    return [one for label, one in found.items() if not targets or label in targets]


def picture(
    spec: Spec,
    steps: int | None = None,
    base: float | None = None,
    targets: Sequence[str] = (),
    title: str = "",
    axis: Axis = STEPS,
) -> Picture:
    """The picture of a spec.

    Args:
        spec: the spec; durations are counted by its own clock.
        steps: the last step; by default the end of the run, or of the schedule.
        base: the base rate; by default that of the spec, else shares are drawn.
        targets: the names of the numbers that are drawn; all by default.
        title: the title; by default the kind.
        axis: the unit of the horizontal axis.

    Raises:
        SpecError: it has durations that its clock cannot count.
        OlmError: it does not schedule one of the targets.
    """
    counted = spec.resolve()
    drawn = drawn_of(counted, base, targets)
    run = counted.clock.total_steps if counted.clock else None
    run = run if isinstance(run, int) else None
    return picture_of(
        drawn,
        steps or last_step(drawn, run),
        title=title,
        axis=axis,
        run=run,
        state=spec.last_epoch,
        words=[*in_words(spec.schedule)],
    )


def html(spec: Spec) -> str:
    """The picture of a spec and its key steps, for a notebook; its words where it has no steps."""
    from olm.drawing.svg import svg
    from olm.schedule.showing.notebook import block, key_table, paragraphs

    words = paragraphs(in_words(spec.schedule))
    try:
        drawn = picture(spec)
    except OlmError as error:
        return block(f"{words}{paragraphs([str(error)])}")
    return block(f"{words}{svg(drawn)}{key_table(drawn)}")


def plot(
    spec: Spec,
    ax: Any = None,
    steps: int | None = None,
    base: float | None = None,
    targets: Sequence[str] | None = None,
) -> Any:
    """Draw a spec on axes of matplotlib's, and return these: see `Spec.plot`."""
    from olm.drawing.figure import axes_for, plot

    if targets is None:
        targets = (LR,) if hasattr(ax, "plot") else ()
    drawn = picture(spec, steps, base, targets)
    rows = axes_for(len(drawn.panels), ax)
    plot(drawn, rows)
    return rows[0] if len(rows) == 1 else rows


def table(spec: Spec, steps: int | None = None, base: float | None = None) -> Any:
    """Every step with its numbers as a DataFrame of pandas: see `Spec.table`."""
    try:
        import pandas  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise ImportError("Spec.table needs pandas: pip install pandas") from error
    import numpy as np

    counted = spec.resolve()
    drawn = drawn_of(counted, base)
    run = counted.clock.total_steps if counted.clock else None
    last = steps or last_step(drawn, run if isinstance(run, int) else None)
    at = np.arange(last + 1)
    known = axes(counted.clock) if counted.clock else {}
    columns: dict[str, Any] = {"step": at}
    columns |= {name: axis.along(at) for name, axis in known.items() if name != STEPS.unit}
    columns |= {one.label: one.curve.lr(at, one.factor) for one in drawn}
    return pandas.DataFrame(columns).set_index("step")
