"""Scales of param groups, such as timm's layer decay, which multiply what a schedule gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isclose
from numbers import Real
from typing import Any

from olm.spec.rates import as_float, is_tensor

KEYS = ("lr_scale", "lr_mult")
"""The keys of a param group's scale: that of timm, BEiT and fairseq, and that of Megatron."""


def scales(groups: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    """The scale of each param group's rate; empty if no rate is scaled.

    mmengine and mmpretrain multiply the rates by the scales and keep the scales beside them. So a
    scale does not count if the base rate is that of another group times the scale.

    >>> scales([{"lr": 1.0}, {"lr": 1.0, "lr_scale": 0.5}])
    (1.0, 0.5)
    >>> scales([{"lr": 1.0, "lr_scale": 1.0}, {"lr": 0.5, "lr_scale": 0.5}])
    ()
    """
    found = [1.0] * len(groups)
    for key in KEYS:
        if not any(key in group for group in groups):
            continue
        own = [_number(group, key) for group in groups]
        if not _in_the_rates(groups, own):
            found = [
                scale * (1.0 if factor is None else factor)
                for scale, factor in zip(found, own, strict=True)
            ]
    return () if all(scale == 1 for scale in found) else tuple(found)


def _in_the_rates(groups: Sequence[Mapping[str, Any]], scales: Sequence[float | None]) -> bool:
    """Whether the base rates of the scaled groups are those of other groups times the scales."""
    if 0 in scales or len({1 if scale is None else scale for scale in scales}) < 2:
        return False
    bases = [_number(group, "initial_lr", _number(group, "lr", 0.0)) or 0.0 for group in groups]
    pairs = [*zip(bases, scales, strict=True)]
    scaled = [base / scale for base, scale in pairs if scale not in (None, 1) if scale]
    # Where all groups are scaled, their rates must at least agree on one rate for all.
    whole = [base for base, scale in pairs if scale in (None, 1)] or scaled[:1]
    return all(any(isclose(base, rate, rel_tol=1e-6) for rate in {*whole}) for base in scaled)


def _number(group: Mapping[str, Any], key: str, default: float | None = None) -> float | None:
    value = group.get(key)
    return as_float(value) if isinstance(value, Real) or is_tensor(value) else default
