"""fairseq: its Hydra YAML, and the command line of fairseq-train."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from math import floor, log
from typing import Any

from olm.foreign.configs._config import (
    REQUIRED,
    Config,
    Keys,
    Refusal,
    Translation,
    names,
    one_of,
)
from olm.foreign.configs._documents import Document, at_least, ramp, sequence
from olm.foreign.configs._flat_keys import unrelated
from olm.foreign.configs._formats import Format
from olm.foreign.configs._interpolation import resolved
from olm.foreign.configs._renaming import rename_keys, underscored
from olm.foreign.configs._source import Source
from olm.problem import Path, listed


def translate(config: Config) -> Translation:
    """The schedule of an `lr_scheduler`, whose rate at a step is its `step_update` of that step.

    Source: fairseq 0.12.3, ``optim/lr_scheduler`` and ``trainer.py``, which calls ``step_update``
    with 0 before the first update.
    """
    if config.source.form == "shell":
        rename_keys(config, underscored)
    else:
        config.source = replace(config.source, value=resolved(config.source.value))
    if config.peek("lr_scheduler") == "pass_through":
        raise _of_groups(config)
    keys = _Keys(config)
    name = one_of(config, SCHEDULES, *keys.name, default="fixed")
    lr = config.option("learning_rate") or keys.lr(name)
    schedule = SCHEDULES[name](keys, lr)
    keys.check()
    total = keys.max_update
    return Translation(schedule, lr, keys.optimizer(), {"total_steps": total} if total else {})


def _of_groups(config: Config) -> Refusal:
    """The refusal of an optimizer whose groups have a schedule each."""
    groups = config.peek("optimizer", "groups", default={})
    text = f"each group of the optimizer has a schedule: {listed(groups, 'and')}"
    hint = f"choose one with --at, such as --at optimizer.groups.{next(iter(groups), 'NAME')}"
    return config.refusal("not-one-schedule", text, ("lr_scheduler",), hint=hint)


class _Keys:
    """Where the keys are: in sections of the YAML, or all in one command line."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.flat = config.source.form == "shell"
        self.name: Path = ("lr_scheduler",) if self.flat else ("lr_scheduler", "_name")
        self.max_update = config.option("total_steps") or self._max_update()

    def path(self, section: str, key: str) -> Path:
        return (key,) if self.flat else (section, key)

    def number(self, key: str, default: Any) -> Any:
        return self.config.number(*self.path("lr_scheduler", key), default=default)

    def whole(self, key: str, default: Any) -> Any:
        return self.config.whole(*self.path("lr_scheduler", key), default=default)

    def _max_update(self) -> int:
        for section in ("lr_scheduler", "optimization"):
            if self.config.has(*self.path(section, "max_update")):
                return int(self.config.whole(*self.path(section, "max_update")))
        return 0

    def length(self) -> int:
        """The number of updates of the run.

        Raises:
            Refusal: it is not known.
        """
        path = self.path("optimization", "max_update")
        why = "the number of updates, max_update"
        return self.max_update or int(self.config.need("total_steps", why, *path))

    def lr(self, name: str) -> float:
        """The base rate.

        Raises:
            Refusal: there is one for each epoch.
        """
        if self.config.has("lr_float"):
            # A group of a composite optimizer.
            return float(self.config.number("lr_float"))
        inside = self.path("lr_scheduler", "lr")
        path = inside if self.config.has(*inside) else self.path("optimization", "lr")
        rates = numbers(self.config, *path, default=[0.25])
        if len(rates) == 1:
            return rates[0]
        text = f"{name} takes one of these rates for each epoch, and the spec has no epochs"
        raise self.config.refusal("interval", text, path)

    def optimizer(self) -> dict[str, float]:
        """Weight decay, momentum and the first beta, as far as the file has them."""
        found = {}
        for key in ("weight_decay", "momentum"):
            if self.config.has(*self.path("optimizer", key)):
                found[key] = self.config.number(*self.path("optimizer", key))
        if self.config.has(*self.path("optimizer", "adam_betas")):
            betas = self.path("optimizer", "adam_betas")
            found["betas[0]"] = numbers(self.config, *betas)[0]
        return found

    def check(self) -> None:
        """Refuse the keys of the schedule that are not translated."""
        if self.flat:
            allowed = unrelated(self.config.peek(), COMMAND_KEYS)
            self.config.check_keys(COMMAND_KEYS, allowed=allowed)
            return
        self.config.check_keys(KEYS, "lr_scheduler")
        self.config.check_keys(OPTIMIZATION_KEYS, "optimization")


def numbers(config: Config, *path: str | int, default: Any = REQUIRED) -> list[float]:
    """The numbers of a list, or of text such as ``(0.9, 0.98)``.

    Raises:
        Refusal: they are none.
    """
    value = config.get(*path, default=default)
    items = re.split(r"[\s,]+", value.strip("[]() ")) if isinstance(value, str) else value
    items = items if isinstance(items, list | tuple) else [items]
    try:
        return [float(item) for item in items]
    except (TypeError, ValueError):
        text = f"`{path[-1]}` must be a list of numbers"
        raise config.refusal("type", text, path) from None


def _fixed(keys: _Keys, lr: float) -> Document:
    """A warm-up that is one step ahead; then the base rate holds."""
    _refuse_annealing(keys)
    warmup = keys.whole("warmup_updates", 0)
    return {"kind": "WarmupLR", "warmup_steps": warmup} if warmup else {"kind": "HoldLR"}


def _polynomial(keys: _Keys, lr: float) -> Document:
    _refuse_annealing(keys)
    warmup = keys.whole("warmup_updates", 0)
    total = keys.whole("total_num_update", None) or keys.length()
    end, power = keys.number("end_learning_rate", 0.0), keys.number("power", 1.0)
    if warmup >= total:
        text = "the warm-up is as long as the decay"
        raise keys.config.refusal(
            "unsupported-key", text, keys.path("lr_scheduler", "warmup_updates")
        )
    shape = {"decay": "linear"} if power == 1 else {"decay": "polynomial", "power": power}
    floor_ = {"end_factor": end / lr} if end else {}
    return {
        "kind": "WarmupDecayLR",
        "warmup_steps": warmup,
        "total_steps": total,
        **shape,
        **floor_,
    }


def _refuse_annealing(keys: _Keys) -> None:
    if keys.config.has(*(path := keys.path("lr_scheduler", "force_anneal"))):
        text = "`force_anneal` multiplies the rate once an epoch, and the spec has no epochs"
        raise keys.config.refusal("interval", text, path)


def _inverse_sqrt(keys: _Keys, lr: float) -> Document:
    warmup, start = keys.whole("warmup_updates", 4000), keys.number("warmup_init_lr", -1)
    if warmup < 1:
        text = "inverse_sqrt divides by its warm-up, which must be at least 1"
        raise keys.config.refusal("type", text, keys.path("lr_scheduler", "warmup_updates"))
    begin = {"start_factor": start / lr} if start > 0 else {}
    return {"kind": "InverseSqrtLR", "warmup_steps": warmup, **begin}


def _tri_stage(keys: _Keys, lr: float) -> Document:
    path = keys.path("lr_scheduler", "phase_ratio")
    if keys.config.has(*path):
        ratios, total = numbers(keys.config, *path), keys.length()
        if len(ratios) != 3 or sum(ratios) != 1:
            raise keys.config.refusal("type", "phase_ratio must have 3 shares, in sum 1", path)
        lengths = [int(total * ratio) for ratio in ratios]
    else:
        lengths = [keys.whole(key, 0) for key in ("warmup_steps", "hold_steps", "decay_steps")]
    if lengths[2] < 1:
        text = "tri_stage needs a decay of at least 1 step"
        raise keys.config.refusal("needs-key", text, path)
    fields = zip(("warmup_steps", "hold_steps", "decay_steps"), lengths, strict=True)
    ends = {"start_factor": "init_lr_scale", "end_factor": "final_lr_scale"}
    factors = {field: keys.number(key, 0.01) for field, key in ends.items()}
    return {"kind": "TriStageLR", **dict(fields), **factors}


def _cosine(keys: _Keys, lr: float) -> Document:
    """Half cosine waves, each longer and lower than the one before."""
    if keys.config.has(*(former := keys.path("lr_scheduler", "max_lr"))):
        text = "with `max_lr`, this is the cosine of fairseq 0.9, whose lr is the lowest rate"
        raise keys.config.refusal("other-version", text, former)
    warmup, lowest = keys.whole("warmup_updates", 0), min(keys.number("min_lr", 0.0), lr)
    start = keys.number("warmup_init_lr", -1)
    period = keys.whole("lr_period_updates", -1)
    growth = keys.number("t_mult", 1.0)
    period = period if period > 0 else keys.length() - warmup
    up = ramp(warmup or 1, start_factor=(lowest if start < 0 else start) / lr, end_factor=1.0)
    down = ramp(period, ease="cosine", **({"end_factor": lowest / lr} if lowest else {}))
    if warmup + period >= (keys.max_update or keys.length()):
        return sequence((up, warmup), last=down)
    _check_cycles(keys, warmup, period, growth)
    shrink = keys.number("lr_shrink", 0.1)
    waves = {"kind": "RepeatLR", "scheduler": down, "period": period, "shrink": shrink}
    return sequence((up, warmup), last={**waves, **({} if growth == 1 else {"growth": growth})})


def _check_cycles(keys: _Keys, warmup: int, period: int, growth: float) -> None:
    """Refuse cycles that fairseq, which takes a logarithm, counts one too late."""
    if growth == 1:
        return
    start, number = period, 1
    while growth > 1 and warmup + start < keys.max_update:
        if floor(log(1 - start / period * (1 - growth), growth)) != number:
            text = f"by rounding, fairseq is in the wrong cycle at step {warmup + start:,}"
            raise keys.config.refusal("unsupported-key", text, keys.path("lr_scheduler", "t_mult"))
        number += 1
        keys.config.check_few(number, *keys.path("lr_scheduler", "t_mult"))
        start = int(period * (1 - growth**number) / (1 - growth))
    if growth < 1 or growth != int(growth):
        text = "t_mult must be a whole number, so that cycles begin at steps"
        raise keys.config.refusal("between-steps", text, keys.path("lr_scheduler", "t_mult"))


def _step(keys: _Keys, lr: float) -> Document:
    warmup, lowest = keys.whole("warmup_updates", 0), keys.number("min_lr", 0.0)
    start = keys.number("warmup_init_lr", -1)
    up = ramp(warmup or 1, start_factor=(lowest if start < 0 else start) / lr, end_factor=1.0)
    period, gamma = keys.whole("lr_deacy_period", 25_000), keys.number("lr_decay", 0.5)
    stairs = {"kind": "StepLR", "step_size": period, "gamma": gamma}
    return sequence((up, warmup), last=at_least(stairs, lowest))


def _refused(code: str, reason: str) -> Callable[[_Keys, float], Document]:
    def refuse(keys: _Keys, lr: float) -> Document:
        raise keys.config.refusal(code, reason, keys.name)

    return refuse


SCHEDULES: dict[str, Callable[[_Keys, float], Document]] = {
    "fixed": _fixed,
    "polynomial_decay": _polynomial,
    "inverse_sqrt": _inverse_sqrt,
    "tri_stage": _tri_stage,
    "cosine": _cosine,
    "step": _step,
    "triangular": _refused("unsupported-key", "triangular is not translated"),
    "manual": _refused("needs-code", "manual has Python expressions, which would have to be run"),
    "pass_through": _refused("not-one-schedule", "pass_through has a schedule in each optimizer"),
    "reduce_lr_on_plateau": _refused("metric-rule", "the rate follows a metric and epochs"),
}
"""The schedules of fairseq."""

_TRANSLATED = names(
    "_name lr max_update warmup_updates total_num_update end_learning_rate power force_anneal",
    "warmup_init_lr warmup_steps hold_steps decay_steps phase_ratio init_lr_scale final_lr_scale",
    "min_lr t_mult lr_period_updates lr_shrink lr_deacy_period lr_decay max_lr",
)

KEYS = Keys(of="fairseq's schedules", translated=_TRANSLATED)
OPTIMIZATION_KEYS = Keys(
    of="fairseq's optimization",
    translated=names("lr max_update"),
    harmless=names(
        "max_epoch stop_time_hours clip_norm sentence_avg update_freq stop_min_lr use_bmuf _name",
        "skip_remainder_batch debug_param_names",
    ),
)
COMMAND_KEYS = Keys(
    of="fairseq-train",
    translated=_TRANSLATED | names("lr_scheduler weight_decay momentum adam_betas"),
    harmless=names(
        "command max_epoch batch_size max_sentences required_batch_size_multiple update_freq",
        "batch_size_valid max_sentences_valid stop_min_lr reset_lr_scheduler save_interval_updates",
        "fixed_validation_seed no_epoch_checkpoints keep_last_epochs sample_break_mode optimizer",
    ),
)


def is_it(source: Source) -> bool:
    """Whether a file has a schedule of fairseq, or a command its options."""
    if source.form == "shell":
        options = {"warmup-updates", "max-update", "total-num-update", "phase-ratio"}
        found = options & set(source.value)
        return "total-num-update" in found or bool(found and "lr-scheduler" in source.value)
    grouped = source.has("optimizer", "groups") and source.has("lr_scheduler")
    return grouped or source.has("lr_scheduler", "_name")


FORMAT = Format(
    title="fairseq",
    version="fairseq 0.12.3",
    marks="lr_scheduler._name, or --total-num-update",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
