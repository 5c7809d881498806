"""Curves of peers whose schedules are functions of the step or of the progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from peers import Curves, Row


def called(
    row: Row, names: Mapping[str, Any], at: Callable[[int], float] = int, ends: tuple[Any, ...] = ()
) -> Curves:
    """The rates that a function returns; it is created once for each base rate.

    Args:
        row: its `peer` evaluates to a function, with `names` and the base rate `lr` as variables.
        names: the classes and functions of the peer.
        at: the argument of the function at a step.
        ends: the errors that the function raises after the end of its curve.
    """
    curves: Curves = []
    for lr in row.base_lrs:
        function = eval(row.peer, {**names, "lr": lr})
        curve: list[float | None] = []
        for step in row.steps:
            try:
                curve.append(float(function(at(step))))
            except ends:
                break
        curves.append(curve + [None] * (len(row.steps) - len(curve)))
    return curves
