"""The numbers and the parts that `param_groups` takes, checked before the model is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from olm.problem import OlmError, clipped, found, listed, nearest
from olm.spec.rates import as_float, is_number
from olm.train.parameter_rules import Patterns, Rule, rules_of

_NAME = re.compile(r"\w[\w.-]*")
_RESERVED = re.compile(r"wd|no_wd|rest|all|layer_\d+")


def check_numbers(lr: Any, weight_decay: Any, layer_decay: Any) -> None:
    """Check the numbers; all but the rate may be missing.

    Raises:
        OlmError: a number is out of its range, or is not one.
    """
    if _number(lr) is None:
        raise OlmError(f"lr must be a finite number, at least 0, found {found(lr)}")
    if weight_decay is not None and _number(weight_decay) is None:
        raise OlmError(
            f"weight_decay must be a finite number, at least 0, found {found(weight_decay)}"
        )
    if layer_decay is not None and not 0 < (_number(layer_decay) or 0) <= 1:
        raise OlmError(f"layer_decay must be above 0 and at most 1, found {found(layer_decay)}")


def _number(value: Any) -> float | None:
    """A finite number that is not negative; None if the value is none."""
    if not is_number(value):
        return None
    number = as_float(value)
    return number if isfinite(number) and number >= 0 else None


def part_rules(
    named: Mapping[str, Patterns], lr_factors: Mapping[str, float]
) -> dict[str, tuple[Rule, ...]]:
    r"""The rules of every part.

    >>> list(part_rules({"head": r"^head\."}, {"head": 10.0}))
    ['head']

    Raises:
        OlmError: a part has a name that no group can have or no pattern, or a factor is invalid or
            of no part.
    """
    for argument, value in {"named": named, "lr_factors": lr_factors}.items():
        if not isinstance(value, Mapping):
            raise OlmError(f"{argument} must map names of parts, found {found(value)}")
    for part, factor in lr_factors.items():
        if part not in named:
            near = nearest(str(part), named)
            hint = f" (did you mean `{near}`?)" if near else ""
            known = f"; the parts are {listed(named)}" if named else "; named has no parts"
            raise OlmError(f"lr_factors: there is no part {clipped(str(part))}{known}{hint}")
        if _number(factor) is None:
            raise OlmError(
                f"lr_factors[{part!r}] must be a finite number, at least 0, found {found(factor)}"
            )
    return {part: _rules_of_part(part, patterns) for part, patterns in named.items()}


def _rules_of_part(part: str, patterns: Patterns) -> tuple[Rule, ...]:
    if not isinstance(part, str) or not _NAME.fullmatch(part) or _RESERVED.fullmatch(part):
        raise OlmError(
            f"named: a part must have a name of letters, digits, `_`, `-` and `.`, other than wd, "
            f"no_wd, rest, all and layer_00, found {found(part)}"
        )
    if not (rules := rules_of(f"named[{part!r}]", patterns)):
        raise OlmError(f"named[{part!r}] has no patterns")
    return rules
