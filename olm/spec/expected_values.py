"""The numbers that a spec expects of its targets, compared with those that they give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from olm.problem import OlmError, Problem, RateError, nearest
from olm.spec.expectation import Expectation, ExpectedValue, is_near
from olm.spec.hyperparameters import LR
from olm.spec.own_numbers import own_numbers
from olm.spec.param_groups import names_in_words, suggestion
from olm.spec.spec import Spec
from olm.spec.target_curves import Curve, curve_of, target_of
from olm.spec.targets import Target

_ANY = (0.1, 1.0)
"""Own numbers that tell whether a curve depends on them."""


class _Error(NamedTuple):
    """Why a number cannot be compared."""

    key: str
    """The field that it is about."""
    message: str
    hint: str = ""


def unmet_values(spec: Spec, expect: Expectation) -> Iterator[Problem]:
    """Where the targets of a spec in steps differ from what is expected of them."""
    for index, item in enumerate(expect.values):
        error = _unmet(spec, expect, item)
        if error is not None:
            path = ("expect", "values", index, error.key)
            yield Problem("expectation", error.message, path, hint=error.hint)


def _unmet(spec: Spec, expect: Expectation, item: ExpectedValue) -> _Error | None:
    names = spec.group_names
    if item.group is not None and names and item.group not in names:
        text = f"no param group is called `{item.group}`; they are {names_in_words(names)}"
        return _Error("group", text, suggestion(item.group, names))
    try:
        target = target_of(spec, item.of, item.group)
    except OlmError as error:
        meant = nearest(item.of, [LR, *(target.number for target in spec.also)])
        return _Error("of", str(error), f"did you mean `{meant}`?" if meant else "")
    if target is not None and target.value is not None and item.group is not None:
        return _Error("group", f"{item.of} is a value, which no param group has")
    curve, start = curve_of(spec.schedule, spec.also, target), f"at step {item.step:,} "
    of = f"{item.of} of {item.group}" if item.group else item.of
    base = _base(spec, expect, item, target)
    try:
        if isinstance(base, str):
            if _depends_on_base(curve, item.step):
                hint = f"specify `base` here, or `optimizer: {{{_key(item.of)}: ...}}`"
                return _Error("of", base, hint)
            base = 1.0
        number = curve.at(item.step, base)
    except RateError as error:
        return _Error("is", f"{start}there is no {of}: {error}")
    if is_near(number, item.is_, expect, base):
        return None
    return _Error("is", f"{start}{of} is {number!r}, expected {item.is_!r}")


def _base(
    spec: Spec, expect: Expectation, item: ExpectedValue, target: Target | None
) -> float | str:
    """The number that factors multiply, or why it is not known."""
    if item.base is not None:
        return item.base
    if item.of == LR and expect.base_lr is not None and item.group is None:
        return expect.base_lr
    known = own_numbers(spec, item.of, target, item.group)
    if len(known) == 1:
        return known[0]
    if item.of == LR and expect.base_lr is not None:
        return expect.base_lr
    if known:
        return f"the param groups have different numbers of their own for {item.of}"
    return f"the number that the factors of {item.of} multiply is unknown"


def _depends_on_base(curve: Curve, step: int) -> bool:
    low, high = curve.evaluate(np.array([float(step)] * 2), np.array(_ANY)).tolist()
    return bool(low != high)


def _key(number: str) -> str:
    return f"'{number}'" if "[" in number else number
