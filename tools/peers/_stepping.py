"""Curves of peers whose schedulers step a torch optimizer."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from peers import Curves, Row


def stepped(row: Row, names: Mapping[str, Any]) -> Curves:
    """The rates of an optimizer with one param group for each base rate.

    Args:
        row: its `peer` evaluates to a scheduler, with `names` and the `optimizer` as variables.
        names: the classes and functions of the peer.
    """
    import torch

    # SequentialLR of torch causes the warning of torch about the order of steps.
    warnings.simplefilter("ignore")
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in row.base_lrs]
    optimizer = torch.optim.SGD(groups)
    scheduler = eval(row.peer, {**names, "optimizer": optimizer})
    curves: Curves = [[] for _ in groups]
    for step in range(row.steps[-1] + 1):
        if step in row.steps:
            for curve, group in zip(curves, optimizer.param_groups, strict=True):
                curve.append(float(group["lr"]))
        optimizer.step()
        try:
            scheduler.step(*row.metrics[step : step + 1])
        except (ArithmeticError, NotImplementedError, ValueError):
            break
    return [curve + [None] * (len(row.steps) - len(curve)) for curve in curves]
