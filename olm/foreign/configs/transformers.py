"""transformers' TrainingArguments: YAML, JSON, command lines, lines of a model card."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

from olm.fields.durations import exact
from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source

PLATEAU = ("mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps")
"""The arguments of torch's plateau."""

SCHEDULES = names(
    "linear cosine cosine_with_restarts polynomial constant constant_with_warmup inverse_sqrt",
    "reduce_lr_on_plateau cosine_with_min_lr cosine_warmup_with_min_lr warmup_stable_decay",
)


def translate(config: Config) -> Translation:
    """The schedule that `Trainer.create_scheduler` makes of the arguments.

    Source: transformers 5.14, ``optimization.py`` and ``training_args.py``.
    """
    name = one_of(config, SCHEDULES, "lr_scheduler_type", default="linear")
    lr = config.option("learning_rate") or config.number("learning_rate", default=5e-5)
    decay = config.number("weight_decay", default=None)
    options = dict(config.get("lr_scheduler_kwargs", default=None) or {})
    if name == "reduce_lr_on_plateau":
        config.note("the plateau observes metric_for_best_model after each evaluation")
        known = {key: options.pop(key) for key in PLATEAU if key in options}
        _check_options(config, options)
        return Translation({"kind": "ReduceLROnPlateau", **known}, lr)
    total = _total(config)
    warmup, rounding = _warmup(config, total)
    schedule = _schedule(config, name, warmup, total, options, lr)
    _check_options(config, options)
    clock = {"total_steps": total} if isinstance(total, int) else {}
    optimizer = {} if decay is None else {"weight_decay": decay}
    return Translation(schedule, lr, optimizer, clock, rounding)


def _total(config: Config) -> int | str:
    """The number of steps, or the whole run where the file and the user do not say it."""
    if (total := config.option("total_steps")) is not None:
        return int(total)
    steps = config.whole("max_steps", default=-1)
    if steps > 0:
        return int(steps)
    epochs = config.number("num_train_epochs", default=3.0)
    per_epoch = config.option("steps_per_epoch") or _steps_per_epoch(config)
    return "100%" if per_epoch is None else ceil(exact(epochs) * exact(per_epoch))


def _steps_per_epoch(config: Config) -> int | None:
    """The steps of an epoch, if the size of the data set is given."""
    size = config.option("dataset_size")
    if size is None:
        return None
    world = config.need("world_size", "the number of processes")
    batch = config.whole("per_device_train_batch_size", default=8)
    accumulate = config.whole("gradient_accumulation_steps", default=1)
    batches = ceil(Fraction(ceil(Fraction(size, world)), batch))
    return max(1, ceil(Fraction(batches, accumulate)))


def _warmup(config: Config, total: int | str) -> tuple[int | str, str]:
    """The length of the warm-up, and how it is rounded if it is a share of the run."""
    if (given := config.option("warmup_steps")) is not None:
        return int(given), "nearest"
    steps = config.number("warmup_steps", default=0)
    ratio = config.number("warmup_ratio", default=None)
    share = steps if 0 < steps < 1 else ratio if not steps else None
    if not share:
        return int(steps), "nearest"
    if isinstance(total, int):
        # The library multiplies floats, so 7 % of 100 steps are 8.
        return ceil(total * share), "nearest"
    return f"{float(exact(share) * 100):.12g}%", "up"


def _schedule(
    config: Config,
    name: str,
    warmup: int | str,
    total: int | str,
    options: dict[str, Any],
    lr: float,
) -> dict[str, Any]:
    """The schedule of a name. The options that it uses are removed."""
    decay: dict[str, Any] = {"kind": "WarmupDecayLR", "warmup_steps": warmup, "total_steps": total}
    match name:
        case "constant":
            return {"kind": "HoldLR"}
        case "constant_with_warmup":
            return _ramp(warmup, start_factor=0.0, end_factor=1.0)
        case "linear":
            return {**decay, "decay": "linear"}
        case "cosine":
            _half_wave(config, options)
            return decay
        case "cosine_with_min_lr":
            _half_wave(config, options)
            return {**decay, "end_factor": _floor(config, options, lr)}
        case "polynomial":
            end, power = options.pop("lr_end", 1e-7), options.pop("power", 1.0)
            return {**decay, "decay": "polynomial", "power": power, "end_factor": end / lr}
        case "inverse_sqrt":
            timescale = options.pop("timescale", None)
            rest = {} if timescale is None else {"timescale": timescale}
            return {"kind": "InverseSqrtLR", "warmup_steps": warmup, **rest}
        case "warmup_stable_decay":
            return _stable(config, warmup, total, options)
    text = f"{name} is not translated: write it as a sequence by hand"
    raise config.refusal("unsupported-key", text, ("lr_scheduler_type",))


def _ramp(steps: int | str, **fields: float) -> dict[str, Any]:
    return {"kind": "RampLR", "total_steps": steps, **fields}


def _half_wave(config: Config, options: dict[str, Any]) -> None:
    if options.pop("num_cycles", 0.5) != 0.5:
        text = "num_cycles other than 0.5 rises again, and is not translated"
        raise config.refusal("unsupported-key", text, ("lr_scheduler_kwargs", "num_cycles"))


def _floor(config: Config, options: dict[str, Any], lr: float) -> float:
    """The floor of a cosine, as a share of the base rate."""
    share, floor = options.pop("min_lr_rate", None), options.pop("min_lr", None)
    if (share is None) == (floor is None):
        text = "lr_scheduler_kwargs must have either min_lr or min_lr_rate"
        raise config.refusal("needs-key", text, ("lr_scheduler_type",))
    value: float = floor / lr if share is None else share
    return value


def _stable(
    config: Config, warmup: int | str, total: int | str, options: dict[str, Any]
) -> dict[str, Any]:
    """A warm-up, a plateau and a decay."""
    shapes = {"linear": "linear", "cosine": "cosine", "1-sqrt": "sqrt"}
    decay = options.pop("num_decay_steps", None)
    if decay is None:
        text = "lr_scheduler_kwargs must have num_decay_steps"
        raise config.refusal("needs-key", text, ("lr_scheduler_type",))
    stable, floor = options.pop("num_stable_steps", None), options.pop("min_lr_ratio", 0)
    if options.pop("warmup_type", "linear") != "linear" or (floor and warmup == 0):
        text = "a warm-up of this shape is not translated"
        raise config.refusal("unsupported-key", text, ("lr_scheduler_kwargs",))
    _half_wave(config, options)
    shape = shapes[options.pop("decay_type", "cosine")]
    end = total if stable is None else int(warmup) + stable + decay
    fields = {"start_factor": floor, "end_factor": floor}
    return {"kind": "WarmupStableDecayLR", "warmup_steps": warmup, "total_steps": end,
            "decay_steps": decay, "decay": shape, **fields}  # fmt: skip


def _check_options(config: Config, left: dict[str, Any]) -> None:
    """Refuse the arguments of the schedule that it does not use."""
    for key in left:
        text = f"`{key}` is no argument of this schedule"
        raise config.refusal("unknown-key", text, ("lr_scheduler_kwargs", key))


def is_it(source: Source) -> bool:
    """Whether a file has TrainingArguments and no key of a framework that builds on them."""
    value = source.value
    if not isinstance(value, dict) or "base_model" in value:
        return False
    return "lr_scheduler_type" in value or "per_device_train_batch_size" in value


FORMAT = Format(
    title="transformers' TrainingArguments",
    version="transformers 5.14",
    marks="lr_scheduler_type or per_device_train_batch_size",
    is_it=is_it,
    keys=Keys(
        of="transformers' TrainingArguments",
        translated=names(
            "lr_scheduler_type lr_scheduler_kwargs learning_rate weight_decay max_steps",
            "num_train_epochs warmup_steps warmup_ratio per_device_train_batch_size",
            "gradient_accumulation_steps",
        ),
    ),
    translate=translate,
)
