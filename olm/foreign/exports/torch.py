"""Plain torch code: torch's own class for a kind that it has, else a formula in a LambdaLR."""

from __future__ import annotations

from typing import Any

from olm.fields.types import MAX_STEPS
from olm.foreign.exports._formula import Functions
from olm.foreign.exports._targets import KEEP, TOLERANCE, Run, Target, refused
from olm.foreign.exports._torch_classes import torch_class
from olm.problem import quantity
from olm.spec.memory import forgotten

MOST_CHECKED = 20_000
"""The most steps at which a formula is compared with the spec."""

HEAD = '''\
"""The learning rate of {name}, for torch. Written by `olm export`; it needs no olm.

Pass the optimizer to `scheduler`, and call the scheduler's step() after each optimizer step.
"""

'''

CLASS = '''\
from torch.optim.lr_scheduler import {class_}


def scheduler(optimizer):
    """The scheduler of an optimizer."""
    return {class_}(optimizer, {arguments})
'''

LAMBDAS = '''

def scheduler(optimizer):
    """The scheduler of an optimizer, each of whose param groups has a base rate of its own."""
    bases = [group.get("initial_lr", group["lr"]) for group in optimizer.param_groups]
    factors = [lambda step, base=base: rate(step, base) / base if base else 0.0 for base in bases]
    return LambdaLR(optimizer, factors)
'''


def write(run: Run) -> str:
    """A module with a function `scheduler` of an optimizer."""
    if forgotten(run.schedule) != run.schedule:
        raise refused("the schedule has observed metrics, and torch's begins without any", KEEP)
    name = run.name.replace("\\", "/").replace('"', "'")
    head = HEAD.format(name=name)
    steps = run.steps if run.length_is_known else MAX_STEPS
    if (found := torch_class(run.schedule, steps)) is not None:
        class_, fields = found
        arguments = ", ".join(f"{key}={value!r}" for key, value in fields.items())
        return head + CLASS.format(class_=class_, arguments=arguments)
    functions = Functions()
    try:
        functions.define(run.schedule, "rate")
    except KeyError as error:
        raise refused(f"{error.args[0]} has no closed formula of the step", KEEP) from None
    code = functions.text()
    _check(run, code)
    math = "import math\n\n" if "math." in code else ""
    return f"{head}{math}from torch.optim.lr_scheduler import LambdaLR\n\n{code}{LAMBDAS}"


def _check(run: Run, code: str) -> None:
    """Compare the formula with the spec, at every step of a run that is not long."""
    import math

    import numpy as np

    names: dict[str, Any] = {"math": math}
    # The code was written above, from numbers alone.
    exec(code, names)
    near = [mark + by for mark in run.marks() for by in (-1, 0, 1)]
    steps = np.linspace(0, run.steps - 1, min(run.steps, MOST_CHECKED)).astype(int)
    steps = np.unique([*steps, *(step for step in near if 0 <= step < run.steps)])
    rates = run.schedule.lr(steps, run.base)
    written = np.array([names["rate"](step, run.base) for step in steps.tolist()])
    differs = np.abs(written - rates)
    if (largest := float(differs.max())) > TOLERANCE * float(np.abs(rates).max()):
        at = quantity(int(steps[differs.argmax()]), "step")
        text = f"the nearest formula in float64 differs by up to {largest:.3g} (after {at})"
        raise refused(text, KEEP)


TARGET = Target(title="torch code", write=write, observes=True, many_bases=True)
