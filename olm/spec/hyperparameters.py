"""The names of the numbers that a target sets: keys of an optimizer's param groups."""

from __future__ import annotations

import re
from typing import Any

from olm.fields.errors import invalid
from olm.problem import clipped, found

LR = "lr"
"""The hyperparameter that the root of a document schedules, for all groups without a target."""

SUGGESTED = ("lr", "weight_decay", "momentum", "betas[0]", "betas[1]", "eps")
"""What editors offer; other optimizers have other hyperparameters."""

KNOWN = frozenset({*SUGGESTED, "alpha", "dampening", "lambd", "lr_decay", "rho", "t0", "betas"})
"""The hyperparameters of torch's optimizers, which cannot be names of values."""

PAIRS = frozenset({"betas", "etas", "step_sizes"})
"""Hyperparameters that are several numbers."""

BOOLEANS = frozenset({"amsgrad", "capturable", "centered", "decoupled_weight_decay"}) | frozenset(
    {"differentiable", "foreach", "fused", "maximize", "nesterov"}
)
"""Options of torch's optimizers that are true or false."""

COUNTS = frozenset({"history_size", "max_eval", "max_iter", "ns_steps"})
"""Options that count passes of a loop."""

BELOW_ONE = frozenset({"betas"})
"""Hyperparameters that torch's optimizers require to be below 1."""

OTHER_MOMENTUM = {
    "momentum": ("betas", "write `betas[0]`, which is Adam's"),
    "betas": ("momentum", "write `momentum`"),
}
"""A key → the key that other optimizers have in its place, and what to write for that."""

_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_INDEX = r"\[[0-9]{1,3}\]"
_SET = re.compile(rf"({_NAME})(?:\[([0-9]{{1,3}})\])?")
_NOT_PARAMETERS = ("params", "param_names", "name")
_PAIRS = "|".join(sorted(PAIRS))
_REFUSED = "|".join([*_NOT_PARAMETERS, r"initial_[^\[]*", *sorted(BOOLEANS | COUNTS)])
_END = r"$(?!\n)"

PAIR_PATTERN = f"^({_PAIRS}){_END}"
"""The names of hyperparameters that are several numbers, for JSON Schemas."""

ELEMENT_PATTERN = rf"^(?!({_REFUSED})\[){_NAME}{_INDEX}{_END}"
"""The names of elements of hyperparameters, for JSON Schemas."""

SINGLE_PATTERN = f"^(?!({_REFUSED}|{_PAIRS})$){_NAME}{_END}"
"""The names of the other hyperparameters, for JSON Schemas."""

SET_PATTERN = rf"^(?!({_REFUSED})(\[|$)|({_PAIRS})$){_NAME}({_INDEX})?{_END}"
"""The names that `hyperparameter` accepts, for JSON Schemas."""

NUMBER_SCHEMA: dict[str, Any] = {
    "pattern": r"^[A-Za-z_][A-Za-z0-9_]*(\[[0-9]{1,3}\])?$(?!\n)",
    "maxLength": 200,
}
"""The names of hyperparameters and values, for JSON Schemas."""

VALUE_PATTERN = (
    rf"^(?!(batch_size|{'|'.join(sorted(name for name in KNOWN if name.isidentifier()))})$)"
    rf"{_NAME}{_END}"
)
"""The names that `value_name` accepts, for JSON Schemas."""


def split(key: str) -> tuple[str, int | None]:
    """The key of the param groups, and the index in its tuple if it is one element.

    >>> split("betas[0]"), split("eps")
    (('betas', 0), ('eps', None))
    """
    match = _SET.fullmatch(key)
    assert match is not None
    return match[1], None if match[2] is None else int(match[2])


def hyperparameter(value: Any) -> str:
    """The name of a hyperparameter.

    >>> hyperparameter("betas[0]")
    'betas[0]'

    Raises:
        PydanticCustomError: it is none that a schedule can set.
    """
    if not isinstance(value, str) or not _SET.fullmatch(value):
        raise invalid(
            "type",
            "must be a key of the param groups, such as weight_decay or betas[0], "
            f"found {found(value)}",
        )
    name, index = split(value)
    if why := _why_not(name, index):
        raise invalid("not-a-number", f"{value} {why}")
    return value


def _why_not(name: str, index: int | None) -> str:
    if name in _NOT_PARAMETERS or name.startswith("initial_"):
        return "is not a hyperparameter"
    if name in PAIRS and index is None:
        return f"has several numbers: set {name}[0] or {name}[1]"
    if name in BOOLEANS:
        return "is true or false, and a schedule gives numbers"
    if name in COUNTS:
        return "is a count, which a schedule cannot set"
    return ""


def value_name(value: Any) -> str:
    """The name of a number that no optimizer has.

    Raises:
        PydanticCustomError: it is not an identifier, or has another meaning.
    """
    if not isinstance(value, str) or not (value.isidentifier() and value.isascii()):
        raise invalid("type", f"must be a name such as ema_decay, found {found(value)}")
    if value == "batch_size":
        raise invalid("type", "must not be batch_size, which the clock gives")
    if value in KNOWN:
        text = f"must not be {clipped(value)}, which the optimizer has"
        raise invalid("type", text, hint=f"to schedule it, write `set: {value}`")
    return value


def number_name(value: Any) -> str:
    """The name of a hyperparameter or of a value.

    Raises:
        PydanticCustomError: it can be neither.
    """
    if not isinstance(value, str) or len(value) > 200 or not _SET.fullmatch(value):
        wanted = "must be a hyperparameter or a value of `also`, such as weight_decay"
        raise invalid("type", f"{wanted}, found {found(value)}")
    return value


def check_range(key: str, number: float) -> str:
    """Why torch's optimizers refuse a number of at least 0; empty if they accept it.

    >>> check_range("betas[1]", 1.0)
    'must be below 1'
    """
    return "must be below 1" if split(key)[0] in BELOW_ONE and number >= 1 else ""
