"""fairseq's schedules, by their names."""

from __future__ import annotations

from collections.abc import Callable

from olm.foreign.configs._documents import Document, at_least, rise, sequence
from olm.foreign.configs._fairseq_cycles import cosine, triangular, warmed
from olm.foreign.configs._fairseq_keys import SchedulerKeys, numbers


def _fixed(keys: SchedulerKeys, lr: float) -> Document:
    """A warm-up that is one step ahead; then the base rate holds."""
    _refuse_annealing(keys)
    warmup = keys.whole("warmup_updates", 0)
    return {"kind": "WarmupLR", "warmup_steps": warmup} if warmup else {"kind": "HoldLR"}


def _polynomial(keys: SchedulerKeys, lr: float) -> Document:
    _refuse_annealing(keys)
    warmup = keys.whole("warmup_updates", 0)
    total = keys.whole("total_num_update", None) or keys.length()
    end, power = keys.number("end_learning_rate", 0.0), keys.number("power", 1.0)
    if warmup >= total:
        return sequence((rise(warmup), warmup + 1), last={"kind": "HoldLR", "fixed_lr": end})
    shape = {"decay": "linear"} if power == 1 else {"decay": "polynomial", "power": power}
    floor_ = {"end_factor": end / lr} if end else {}
    return {
        "kind": "WarmupDecayLR",
        "warmup_steps": warmup,
        "total_steps": total,
        **shape,
        **floor_,
    }


def _refuse_annealing(keys: SchedulerKeys) -> None:
    if keys.config.has(*(path := keys.path("lr_scheduler", "force_anneal"))):
        text = "`force_anneal` multiplies the rate once an epoch, and the spec has no epochs"
        raise keys.config.refusal("interval", text, path)


def _inverse_sqrt(keys: SchedulerKeys, lr: float) -> Document:
    warmup, start = keys.whole("warmup_updates", 4000), keys.number("warmup_init_lr", -1)
    if warmup < 1:
        text = "inverse_sqrt divides by its warm-up, which must be at least 1"
        raise keys.config.refusal("type", text, keys.path("lr_scheduler", "warmup_updates"))
    begin = {"start_factor": start / lr} if start > 0 else {}
    return {"kind": "InverseSqrtLR", "warmup_steps": warmup, **begin}


def _tri_stage(keys: SchedulerKeys, lr: float) -> Document:
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
    if factors["end_factor"] <= 0:
        text = "final_lr_scale must be above 0, since fairseq takes its logarithm"
        raise keys.config.refusal("type", text, keys.path("lr_scheduler", "final_lr_scale"))
    return {"kind": "TriStageLR", **dict(fields), **factors}


def _step(keys: SchedulerKeys, lr: float) -> Document:
    warmup, up = warmed(keys, lr)
    period, gamma = keys.whole("lr_deacy_period", 25_000), keys.number("lr_decay", 0.5)
    stairs = {"kind": "StepLR", "step_size": period, "gamma": gamma}
    return sequence((up, warmup), last=at_least(stairs, keys.number("min_lr", 0.0)))


def _refused(code: str, reason: str) -> Callable[[SchedulerKeys, float], Document]:
    def refuse(keys: SchedulerKeys, lr: float) -> Document:
        raise keys.config.refusal(code, reason, keys.name)

    return refuse


SCHEDULES: dict[str, Callable[[SchedulerKeys, float], Document]] = {
    "fixed": _fixed,
    "polynomial_decay": _polynomial,
    "inverse_sqrt": _inverse_sqrt,
    "tri_stage": _tri_stage,
    "cosine": cosine,
    "step": _step,
    "triangular": triangular,
    "manual": _refused("needs-code", "manual has Python expressions, which would have to be run"),
    "pass_through": _refused("not-one-schedule", "pass_through has a schedule in each optimizer"),
    "reduce_lr_on_plateau": _refused("metric-rule", "the rate follows a metric and epochs"),
}
"""The schedules of fairseq."""
