"""llm-foundry's YAML: Composer's ``scheduler`` beside ``max_duration``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from olm.foreign.configs._composer_times import Times
from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import (
    Document,
    base_rate,
    betas_and_decay,
    only_path,
    paths_to,
    ramp,
    rise,
    sequence,
    shifted,
)
from olm.foreign.configs._formats import Format
from olm.foreign.configs._groups import REST, Group, check_scaled, own_rate
from olm.foreign.configs._source import Source
from olm.problem import Path, found

ARGUMENTS = {
    "cosine_with_warmup": "t_warmup t_max alpha_f",
    "linear_decay_with_warmup": "t_warmup t_max alpha_i alpha_f",
    "constant_with_warmup": "t_warmup t_max alpha",
    "inv_sqrt_with_warmup": "t_warmup t_max t_scale t_cooldown alpha_f_decay alpha_f_cooldown",
}
"""The schedules → their arguments."""


def translate(config: Config) -> Translation:
    """The schedule that Composer calls before each batch.

    Source: mosaicml 0.32.1, ``optim/scheduler.py``; llm-foundry 0.22.0, ``optim/scheduler.py``.
    """
    where = only_path(config, "scheduler", "t_warmup")
    place = (*where, "scheduler")
    for key in ("scale_schedule_ratio", "schedulers"):
        if config.has(*where, key) and config.peek(*where, key) not in (1, 1.0):
            text = f"`{key}` changes the schedule and is not translated"
            raise config.refusal("unsupported-key", text, (*where, key))
    name = one_of(config, ARGUMENTS, *place, "name")
    lr = base_rate(config, *where, "optimizer", "lr")
    times = Times.of(config, where)
    schedule = shifted(_schedule(config, name, place, times), 0, times.axis)
    keys = Keys(
        of=f"Composer's {name}",
        translated=names(f"name {ARGUMENTS[name]}"),
        harmless=frozenset({"scale_warmup"}),
    )
    config.check_keys(keys, *place)
    groups = _groups(config, (*where, "optimizer", "param_groups"))
    check_scaled(config, schedule, groups, lr)
    numbers = betas_and_decay(config, *where, "optimizer")
    rounding = "nearest" if times.axis or isinstance(times.run, int) else "down"
    return Translation(schedule, lr, numbers, times.clock, rounding, groups=groups)


def _groups(config: Config, at: Path) -> list[Group]:
    """The param groups that llm-foundry makes of parameters whose names match; the rest is first.

    Source: llm-foundry 0.22.0, ``utils/builders.py``, ``_extract_param_groups``.
    """
    parts = config.peek(*at) or []
    if not isinstance(parts, list):
        raise config.refusal("type", f"`param_groups` must be a list, found {found(parts)}", at)
    groups = [Group(REST, "the other parameters")] if parts else []
    for index, _ in enumerate(parts):
        path = (*at, index)
        config.check_keys(GROUP, *path)
        pattern = config.text(*path, "param_str_match")
        lr = own_rate(config, *path, "lr") if config.has(*path, "lr") else None
        decay = config.number(*path, "weight_decay", default=None)
        which = f"those whose name matches {pattern}"
        groups.append(Group(pattern.lstrip("#"), which, path, lr, decay))
    return groups


GROUP = Keys("an item of param_groups", names("param_str_match lr weight_decay"))


def _schedule(config: Config, name: str, place: tuple[str | int, ...], times: Times) -> Document:
    """The schedule in steps, or in what the run is counted in."""

    def alpha(key: str, default: float) -> float:
        value: float = config.number(*place, key, default=default)
        return value

    warmup = times.converted(*place, "t_warmup")
    if name == "inv_sqrt_with_warmup":
        return _inverse_sqrt(config, place, times, alpha)
    end = times.converted(*place, "t_max", default="1dur")
    times.check_end(end, *place, "t_max")
    if name == "constant_with_warmup":
        level = alpha("alpha", 1.0)
        hold: Document = {"kind": "HoldLR", "factor": level}
        return ramp(warmup, start_factor=0.0, end_factor=level) if warmup else hold
    start = alpha("alpha_i", 1.0) if name == "linear_decay_with_warmup" else 1.0
    floor = alpha("alpha_f", 0.0)
    if start != 1.0:
        first, last = times.counted(warmup), times.counted(end)
        up = ramp(first, start_factor=0.0, end_factor=start)
        fall = ramp(max(1, last - first), start_factor=start, end_factor=floor)
        return sequence((up, first), last=fall)
    if isinstance(warmup, int) and isinstance(end, int) and warmup >= end:
        return rise(warmup)
    lengths = {"warmup_steps": warmup, "total_steps": end}
    shape = {} if name == "cosine_with_warmup" else {"decay": "linear"}
    return {"kind": "WarmupDecayLR", **lengths, **shape, **({"end_factor": floor} if floor else {})}


def _inverse_sqrt(
    config: Config, place: tuple[str | int, ...], times: Times, alpha: Any
) -> Document:
    """A decay with the inverse square root, then a straight cooldown from where it is."""
    warmup, scale, cooldown = (
        times.counted(times.converted(*place, key, like_run=True))
        for key in ("t_warmup", "t_scale", "t_cooldown")
    )
    end = times.counted(times.converted(*place, "t_max", default="1dur"))
    floor, last = alpha("alpha_f_decay", 0.0), alpha("alpha_f_cooldown", 0.0)
    if scale < 1:
        raise config.refusal("type", "`t_scale` must be at least 1 step", (*place, "t_scale"))
    if floor < last:
        text = "llm-foundry rejects an `alpha_f_cooldown` above `alpha_f_decay`"
        raise config.refusal("type", text, (*place, "alpha_f_cooldown"))
    start = max(warmup, end - cooldown)
    reached = floor + (1 - floor) * (scale / (start - warmup + scale)) ** 0.5
    fall: Document = {"kind": "InverseSqrtLR", "warmup_steps": warmup, "timescale": scale}
    fall |= {"end_factor": floor} if floor else {}
    if not cooldown:
        return sequence((fall, start), last={"kind": "HoldLR", "factor": reached})
    return sequence((fall, start), last=ramp(cooldown, start_factor=reached, end_factor=last))


def is_it(source: Source) -> bool:
    """Whether a schedule has a warm-up with a unit, and the run a duration beside it."""
    for path in paths_to(source.value, "scheduler", "t_warmup"):
        around: Any = source.value
        for part in path:
            around = around[part]
        schedule = around["scheduler"]
        if isinstance(around, Mapping) and "max_duration" in around and "units" not in schedule:
            return isinstance(schedule["t_warmup"], str) and schedule["t_warmup"][-1:].isalpha()
    return False


FORMAT = Format(
    title="llm-foundry's YAML",
    version="mosaicml 0.32.1 and llm-foundry 0.22.0",
    marks="scheduler.t_warmup in ba, ep, sp, tok or dur, with max_duration",
    is_it=is_it,
    keys=Keys(of="Composer's schedulers", translated=names("name", *ARGUMENTS.values())),
    translate=translate,
)
