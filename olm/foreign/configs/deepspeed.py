"""DeepSpeed's JSON: the scheduler of its engine, whose warm-ups are one step late."""

from __future__ import annotations

from typing import Any

from olm.foreign.configs._config import MIDDLE, Config, Keys, Translation, names
from olm.foreign.configs._deepspeed_classes import CLASSES, Numbers
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source
from olm.foreign.configs._torch_call import Call
from olm.foreign.configs._torch_classes import CLASSES as TORCH_CLASSES
from olm.foreign.configs._torch_classes import schedule_of
from olm.problem import listed, nearest

PARAMS = ("scheduler", "params")

BETAS = names(
    "Adam AdamW Lamb Lion FusedAdam FusedLamb CPUAdam OneBitAdam OneBitLamb ZeroOneAdam MuAdam",
    "MuAdamW FusedLion CPULion",
)
"""The optimizers, by the lower case of their names, that have `betas`."""

WITH_BETAS = frozenset(name.lower() for name in BETAS)


def translate(config: Config) -> Translation:
    """The schedule that ``DeepSpeedEngine._scheduler_from_config`` builds.

    Source: deepspeed 0.19.8, ``runtime/lr_schedules.py`` and ``runtime/engine.py``.
    """
    _check_batch(config)
    if not config.has("scheduler", "type"):
        text = "there is no `scheduler`: the program or its trainer has the schedule"
        raise config.refusal("needs-key", text)
    name = config.text("scheduler", "type")
    config.check_keys(Keys("DeepSpeed's scheduler", names("type params")), "scheduler")
    optimizer, lr = _optimizer(config)
    numbers = Numbers(config, PARAMS, lr)
    if name in CLASSES:
        schedule, base, momentum = CLASSES[name](numbers)
        also = _momentum(config, momentum)
    elif name in TORCH_CLASSES and name != "ReduceLROnPlateau":
        schedule, base, also = _of_torch(config, name, lr), lr, []
    else:
        known = [*CLASSES, *TORCH_CLASSES]
        meant = nearest(name, known)
        hint = f"did you mean `{meant}`?" if meant else f"known are {listed(CLASSES, 'and')}"
        text = f"DeepSpeed has no scheduler `{name}`"
        raise config.refusal("unknown-scheduler", text, ("scheduler", "type"), hint=hint)
    config.check_default(-1, MIDDLE, *PARAMS, "last_batch_iteration")
    config.check_keys(Keys(f"DeepSpeed's {name}", frozenset()), *PARAMS)
    total = config.option("total_steps") or numbers.total
    return Translation(schedule, base, optimizer, {"total_steps": total} if total else {},
                       also=also)  # fmt: skip


def _optimizer(config: Config) -> tuple[dict[str, float], float | None]:
    """The numbers of the optimizer, and its rate; "auto" is none."""
    params, numbers = ("optimizer", "params"), {}
    for key in ("weight_decay", "momentum"):
        if config.has(*params, key) and config.peek(*params, key) != "auto":
            numbers[key] = config.number(*params, key)
    betas = config.peek(*params, "betas")
    for index in range(2 if isinstance(betas, list) and len(betas) == 2 else 0):
        numbers[f"betas[{index}]"] = config.number(*params, "betas", index)
    given = config.option("learning_rate")
    if given is not None or config.peek(*params, "lr") in (None, "auto"):
        return numbers, given
    return numbers, config.number(*params, "lr")


def _momentum(config: Config, momentum: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The target of the momentum, if OneCycle moves it."""
    if momentum is None:
        return []
    name = config.peek("optimizer", "type")
    if not isinstance(name, str):
        config.note("OneCycle also moves `betas`, if the optimizer has them")
        return []
    if name.lower() not in WITH_BETAS:
        return []
    config.get("optimizer", "type")
    return [
        {"set": "betas[0]", "schedule": momentum},
        {"set": "betas[1]", "schedule": {"kind": "HoldLR", "fixed_lr": 0.99}},
    ]


def _of_torch(config: Config, name: str, lr: float | None) -> dict[str, Any]:
    """The schedule of one of torch's classes, which DeepSpeed steps at every step."""
    if name in ("OneCycleLR", "CyclicLR"):
        config.note(f"{name} also moves the momentum, unless `cycle_momentum` is false")
    if name in ("SequentialLR", "ChainedScheduler"):
        text = f"{name} needs schedulers, which a configuration of DeepSpeed cannot have"
        raise config.refusal("needs-code", text, ("scheduler", "type"))
    call = Call(config, name, PARAMS, lambda config, path: ("", path), lr=lr)
    return schedule_of(call)


def _check_batch(config: Config) -> None:
    """Refuse batches that change, and with them the rate."""
    path = ("data_efficiency", "data_sampling", "dynamic_batching")
    scaled = config.peek(*path, "lr_scaling_method", default="linear")
    if config.peek(*path, "enabled") and scaled not in (None, "none"):
        text = "dynamic batching scales the rate with the size of each batch"
        raise config.refusal("varying-batch", text, path)


def is_it(source: Source) -> bool:
    """Whether a file has a part of DeepSpeed's engine, or one of its schedulers."""
    value = source.value
    if not isinstance(value, dict):
        return False
    scheduler = value.get("scheduler")
    name = scheduler.get("type") if isinstance(scheduler, dict) else None
    return "zero_optimization" in value or (isinstance(name, str) and name in CLASSES)


FORMAT = Format(
    title="DeepSpeed",
    version="deepspeed 0.19.8",
    marks="zero_optimization, or a scheduler.type of DeepSpeed",
    is_it=is_it,
    keys=Keys(of="DeepSpeed", translated=names("scheduler optimizer")),
    translate=translate,
)
