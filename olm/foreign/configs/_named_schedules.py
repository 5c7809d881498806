"""The schedules of transformers by their names, with the arguments that a file gives them."""

from __future__ import annotations

from functools import partial
from math import isfinite
from typing import Any

from olm.foreign.configs._code import Code, refuse
from olm.foreign.configs._config import Config, names
from olm.foreign.configs._documents import Document
from olm.foreign.configs._hugging_face import (
    DECAY_SHAPES,
    Run,
    constant_with_warmup,
    cosine,
    cosine_one_step_ahead,
    decayed,
    polynomial,
    restarts,
    warmup_stable_decay,
)
from olm.problem import found

KIND, OPTIONS = "lr_scheduler_type", "lr_scheduler_kwargs"

PLATEAU = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps")
"""The arguments of torch's plateau."""

SCHEDULES = names(
    "linear cosine cosine_with_restarts polynomial constant constant_with_warmup inverse_sqrt",
    "reduce_lr_on_plateau cosine_with_min_lr cosine_warmup_with_min_lr warmup_stable_decay greedy",
)


def named_schedule(run: Run, name: str, options: dict[str, Any]) -> Document:
    """The schedule of a name of `SCHEDULES`. The options that it uses are removed."""
    number = partial(_number, run.config, options)
    match name:
        case "constant":
            return {"kind": "HoldLR"}
        case "constant_with_warmup":
            return constant_with_warmup(run)
        case "linear":
            return decayed(run, "linear")
        case "cosine":
            return cosine(run, number("num_cycles", 0.5))
        case "cosine_with_min_lr":
            return cosine(run, number("num_cycles", 0.5), _floor(run, options))
        case "cosine_warmup_with_min_lr":
            floor, rate = _floor(run, options), number("warmup_lr_rate", None)
            return cosine_one_step_ahead(run, number("num_cycles", 0.5), floor, rate)
        case "cosine_with_restarts":
            return restarts(run, number("num_cycles", 1))
        case "polynomial":
            return polynomial(run, number("lr_end", 1e-7), number("power", 1.0))
        case "inverse_sqrt":
            timescale = number("timescale", None) or (10_000 if run.warmup == 0 else None)
            rest = {} if timescale is None else {"timescale": timescale}
            return {"kind": "InverseSqrtLR", "warmup_steps": run.warmup, **rest}
    return _stable(run, options)


def _number(config: Config, options: dict[str, Any], key: str, default: Any) -> Any:
    """A number of the schedule's arguments, of which it is removed."""
    value = options.pop(key, None)
    if value is None:
        return default
    if isinstance(value, Code):
        refuse(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        text = f"`{key}` must be a number, found {found(value)}"
        raise config.refusal("type", text, (OPTIONS, key))
    return value


def _floor(run: Run, options: dict[str, Any]) -> float:
    """The floor of a cosine, as a share of the base rate."""
    share = _number(run.config, options, "min_lr_rate", None)
    floor = _number(run.config, options, "min_lr", None)
    if (share is None) == (floor is None):
        text = f"{OPTIONS} must have either min_lr or min_lr_rate"
        raise run.config.refusal("needs-key", text, (KIND,))
    value: float = floor / run.lr if share is None else share
    return value


def _stable(run: Run, options: dict[str, Any]) -> Document:
    """A warm-up, a plateau and a decay."""
    number = partial(_number, run.config, options)
    decay, stable = number("num_decay_steps", None), number("num_stable_steps", None)
    if decay is None:
        text = f"{OPTIONS} must have num_decay_steps"
        raise run.config.refusal("needs-key", text, (KIND,))
    shapes = options.pop("warmup_type", "linear"), options.pop("decay_type", "cosine")
    for shape in map(str, shapes):
        if shape not in DECAY_SHAPES:
            text = f"{OPTIONS} has the unknown shape {found(shape)}"
            raise run.config.refusal("unknown-scheduler", text, (OPTIONS,))
    floor, cycles = number("min_lr_ratio", 0), number("num_cycles", 0.5)
    return warmup_stable_decay(run, decay, stable, shapes, floor, cycles)
