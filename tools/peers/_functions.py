"""Curves of peers whose schedules are functions, of the step or of how far the training is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from peers import Curves, Row


def called(
    row: Row, names: Mapping[str, Any], at: Callable[[int], float] = int, ends: tuple[Any, ...] = ()
) -> Curves:
    """The rates that a function gives, made once for each base rate.

    Args:
        row: its `peer` is evaluated, with `names` and the base rate `lr` at hand, to a function.
        names: the peer's own classes and functions.
        at: what the function is called with at a step.
        ends: the errors that the function raises where its curve ends.
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
