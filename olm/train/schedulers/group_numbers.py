"""The hyperparameters of a param group: floats, ints, tensors, or elements of tuples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor, finfo

from olm.problem import RateError
from olm.spec.hyperparameters import split
from olm.spec.rates import is_number
from olm.train.schedulers.groups import Group

_NOT_NUMBERS = {"params", "name", "param_names", "foreach", "fused", "maximize", "capturable"}
"""Keys of a param group that a list of its hyperparameters leaves out."""


def number_of(group: Group, key: str) -> Any:
    """What a param group has under the name of a hyperparameter; None if it has nothing."""
    name, index = split(key)
    value = group.get(name)
    if index is None:
        return value
    there = isinstance(value, tuple | list) and index < len(value)
    return value[index] if there and value is not None else None


def numbers_of(group: Group) -> list[str]:
    """The hyperparameters of a param group that are numbers."""
    names: list[str] = []
    for key, value in group.items():
        if key in _NOT_NUMBERS or key.startswith("initial_"):
            continue
        if is_number(value):
            names.append(key)
        elif isinstance(value, tuple | list) and value and all(map(is_number, value)):
            names += (f"{key}[{index}]" for index in range(len(value)))
    return names


def write_number(group: Group, key: str, number: float) -> None:
    """Set a number that is not a float yet. A tensor is filled; an int stays one if it can."""
    old = group[key]
    if isinstance(old, Tensor):
        old.fill_(number)
    elif type(old) is int and number.is_integer():
        group[key] = int(number)
    else:
        group[key] = number


def write_items(groups: Iterable[Group], key: str, index: int, number: float) -> None:
    """Set an element of a tuple in some groups: a new tuple, or a tensor that is filled."""
    before, after = None, None
    for group in groups:
        old = group[key]
        # The groups of a column mostly have the same tuple, as they are given the same here.
        if old is not before:
            before, after = old, old
            # As for rates, isinstance alone would do.
            if old[index].__class__ is float or not isinstance(old[index], Tensor):
                items = list(old)
                items[index] = number
                after = tuple(items)
            else:
                old[index].fill_(number)
        group[key] = after


def check_fits_tensors(groups: Iterable[Group], key: str, index: int | None, number: float) -> None:
    """Check that every tensor can hold its number.

    Raises:
        RateError: a number is too large for the type of a tensor.
    """
    for group in groups:
        tensor = group[key] if index is None else group[key][index]
        if isinstance(tensor, Tensor) and number > finfo(tensor.dtype).max:
            most = finfo(tensor.dtype).max
            text = (
                f"{key} would be {number:g}, but a tensor of {tensor.dtype} holds at most {most:g}"
            )
            raise RateError(text)
