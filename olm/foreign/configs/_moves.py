"""When a scheduler of torch moves: every step, or after a number of epochs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from olm.fields.durations import EPOCH
from olm.foreign.configs._config import Config
from olm.foreign.configs._torch_call import Call, Tick
from olm.problem import Path


def timed(
    config: Config, call: Call, site: Path, default: str | None
) -> tuple[Call, dict[str, Any]]:
    """A call that knows when its scheduler moves, and the clock of the run."""
    tick = _tick(config, site, default)
    per_epoch, total = config.option("steps_per_epoch"), config.option("total_steps")
    place = ("trainer",) if config.has("trainer") else (*site[:1], "trainer")
    epochs = _positive(config, *place, "max_epochs")
    steps = _positive(config, *place, "max_steps")
    lengths = [total or steps, epochs and per_epoch and round(epochs * per_epoch)]
    total = min((length for length in lengths if length), default=None)
    moves = epochs if tick.unit else total
    clock = {"steps_per_epoch": per_epoch, "total_steps": total}
    used = {key: value for key, value in clock.items() if value is not None}
    moves = None if moves is None else -(-moves // tick.count)
    return replace(call, tick=tick, moves=moves), used


def _positive(config: Config, *path: str | int) -> int | None:
    """A length that Lightning counts; -1 is none."""
    value = config.whole(*path, default=None)
    return value if value is not None and value > 0 else None


def _tick(config: Config, site: Path, default: str | None) -> Tick:
    """When a scheduler moves: by an option, a key beside it, or the framework's default.

    Raises:
        Refusal: none of them says it.
    """
    beside = site[:-1]
    interval = config.option("interval") or config.text(*beside, "interval", default=None)
    count = config.whole(*beside, "frequency", default=None) or 1
    if interval is None and default is not None:
        interval = config.defaults["interval"] = default
    if interval is None and config.given.steps_per_epoch is not None:
        interval = "epoch"
    if interval not in ("step", "epoch") or (interval == "step" and count != 1):
        text = "the file does not specify whether the scheduler moves every step or every epoch"
        if interval is not None:
            text = f"a scheduler that moves every {count} of `{interval}` is not translated"
        hint = "give --interval epoch or --interval step"
        raise config.refusal("interval", text, site, hint=hint)
    return Tick(count, EPOCH.suffix if interval == "epoch" else "")
