"""Rates as optimizers and states have them: floats or tensors, which only `olm.train` imports."""

from __future__ import annotations

from typing import Any


def is_tensor(value: Any) -> bool:
    """Whether a value is one of torch's tensors.

    >>> import numpy as np
    >>> is_tensor(0.1), is_tensor(np.float32(0.1))
    (False, False)
    """
    # numpy's numbers have an `item`, too; what is filled in place is torch's alone.
    return hasattr(value, "item") and hasattr(value, "fill_")


def is_number(value: Any) -> bool:
    """Whether a value is a number or a tensor; a bool is neither.

    >>> is_number(1), is_number(True), is_number("1")
    (True, False, False)
    """
    return (isinstance(value, int | float) and not isinstance(value, bool)) or is_tensor(value)


def as_float(rate: Any) -> float:
    """A rate, which may be a tensor, as a float."""
    # Most rates are floats, which takes least to find out.
    return rate if type(rate) is float else float(rate.item() if is_tensor(rate) else rate)
