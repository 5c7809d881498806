"""fairseq's schedules of cycles, each longer or lower than the one before, and their warm-up."""

from __future__ import annotations

from math import floor, log

from olm.foreign.configs._config import REQUIRED
from olm.foreign.configs._documents import Document, ramp, sequence
from olm.foreign.configs._fairseq_keys import SchedulerKeys


def cosine(keys: SchedulerKeys, lr: float) -> Document:
    """Half cosine waves, each longer and lower than the one before."""
    if keys.config.has(*(former := keys.path("lr_scheduler", "max_lr"))):
        text = "with `max_lr`, this is the cosine of fairseq 0.9, whose lr is the lowest rate"
        raise keys.config.refusal("other-version", text, former)
    warmup, up = warmed(keys, lr)
    growth, shrink = keys.number("t_mult", 1.0), keys.number("lr_shrink", 0.1)
    period = _period(keys, warmup)
    if period < 0:
        return up
    lowest = keys.number("min_lr", 0.0)
    down = ramp(period, ease="cosine", **({"end_factor": lowest / lr} if lowest else {}))
    if 0 < keys.max_update <= warmup + period:
        return sequence((up, warmup), last=down)
    _check_cycles(keys, warmup, period, growth)
    waves = {"kind": "RepeatLR", "scheduler": down, "period": period, "shrink": shrink}
    return sequence((up, warmup), last={**waves, **({} if growth == 1 else {"growth": growth})})


def _check_cycles(keys: SchedulerKeys, warmup: int, period: int, growth: float) -> None:
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


def _period(keys: SchedulerKeys, warmup: int) -> int:
    """The steps of the first cosine, by default those of the run after the warm-up, if any."""
    path = keys.path("lr_scheduler", "lr_period_updates")
    given = keys.number("lr_period_updates", -1)
    if given <= 0:
        if (left := keys.length() - warmup) == 0:
            text = "fairseq divides by the updates after the warm-up, and there is none"
            raise keys.config.refusal("unsupported-key", text, path[:-1])
        return left
    if given != int(given):
        raise keys.config.refusal("between-steps", f"a cosine has {given} updates", path)
    return int(given)


def triangular(keys: SchedulerKeys, lr: float) -> Document:
    """Triangles from the base rate to a higher one and back, each lower than the one before."""
    side = int(keys.number("lr_period_updates", 5_000) // 2)
    shrink, top = keys.number("lr_shrink", 0.1), keys.number("max_lr", REQUIRED)
    if side < 1 or top <= lr:
        text = "triangular needs a period of 2 updates, and a max_lr above lr"
        raise keys.config.refusal("type", text, keys.path("lr_scheduler", "max_lr"))
    if shrink != 1 and not keys.config.flag(*keys.path("lr_scheduler", "shrink_min")):
        text = "without shrink_min, triangles shrink to a rate that holds, which is not translated"
        raise keys.config.refusal("unsupported-key", text, keys.path("lr_scheduler", "lr_shrink"))
    rising = ramp(side, start_factor=1.0, end_factor=top / lr)
    falling = ramp(side, start_factor=top / lr, end_factor=1.0)
    triangle = sequence((rising, side), last=falling)
    return {"kind": "RepeatLR", "scheduler": triangle, "period": 2 * side, "shrink": shrink}


def warmed(keys: SchedulerKeys, lr: float) -> tuple[int, Document]:
    """A warm-up from the lowest rate or another one."""
    warmup, lowest = keys.whole("warmup_updates", 0), keys.number("min_lr", 0.0)
    if lowest >= lr:
        text = f"min_lr must be below lr, which is {lr}"
        raise keys.config.refusal("type", text, keys.path("lr_scheduler", "min_lr"))
    start = keys.number("warmup_init_lr", -1)
    first = (lowest if start < 0 else start) / lr
    return warmup, ramp(warmup or 1, start_factor=first, end_factor=1.0)
