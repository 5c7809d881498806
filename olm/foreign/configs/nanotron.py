"""nanotron's YAML: ``optimizer.learning_rate_scheduler``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import Document, base_rate, ramp, rise, sequence
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source

PLACE = ("optimizer", "learning_rate_scheduler")

DECAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "linear": ("linear", {}),
    "cosine": ("cosine", {"ease": "cosine"}),
    "1-sqrt": ("sqrt", {"ease": "power", "power": 0.5}),
}
"""Its decays → those of WarmupDecayLR and of a ramp."""

SCHEDULER = Keys(
    of="nanotron's learning_rate_scheduler",
    translated=names(
        "learning_rate lr_warmup_steps lr_warmup_style lr_decay_style lr_decay_steps",
        "lr_decay_starting_step min_decay_lr",
    ),
)


def translate(config: Config) -> Translation:
    """The schedule that ``lr_scheduler_builder`` makes of the arguments.

    Source: nanotron 0.4, ``helpers.py`` and ``config/config.py``, whose ``__post_init__`` makes
    the decay as long as the run without the warm-up, wherever it starts.
    """
    lr = base_rate(config, *PLACE, "learning_rate")
    steps = config.option("total_steps") or config.whole("tokens", "train_steps")
    schedule = _schedule(config, lr, steps)
    config.check_keys(SCHEDULER, *PLACE)
    clock = {"total_steps": steps, **_batch(config)}
    return Translation(schedule, lr, _optimizer(config), clock)


def _schedule(config: Config, lr: float, total: int) -> Document:
    warmup = config.whole(*PLACE, "lr_warmup_steps", default=0)
    style = one_of(config, ("linear", "constant"), *PLACE, "lr_warmup_style")
    decay = one_of(config, DECAYS, *PLACE, "lr_decay_style", default="linear")
    start = config.whole(*PLACE, "lr_decay_starting_step", default=None)
    length = config.whole(*PLACE, "lr_decay_steps", default=None)
    floor = config.number(*PLACE, "min_decay_lr", default=None)
    floor = lr if floor is None else floor
    start = warmup if start is None else start
    length = total - warmup if length is None else length
    if warmup == 0 and length == 0:
        text = "without warm-up and decay nanotron trains with the square of the rate"
        raise config.refusal("unsupported-key", text, (*PLACE, "lr_decay_steps"))
    if style == "linear" and 0 < warmup <= start and length > 0:
        return _stages(warmup, start, length, decay, floor / lr)
    if style == "constant":
        whole = warmup <= start and length > 0
        first, up = (0 if whole else warmup + 1), _hold()
    else:
        first, up = warmup + 1, rise(warmup) if warmup else _hold(factor=0.0)
    return _pieces((up, first), start, length, decay, floor)


def _stages(warmup: int, start: int, length: int, decay: str, floor: float) -> Document:
    """A warm-up, a plateau if the decay starts later, and a decay, as one kind."""
    end = {"end_factor": floor} if floor else {}
    stages = {"warmup_steps": warmup, "total_steps": start + length}
    if start == warmup:
        return {"kind": "WarmupDecayLR", **stages, "decay": DECAYS[decay][0], **end}
    lengths = {**stages, "decay_steps": length}
    return {"kind": "WarmupStableDecayLR", **lengths, "decay": DECAYS[decay][0], **end}


def _pieces(
    up: tuple[Document, int], start: int, length: int, decay: str, floor: float
) -> Document:
    """The same where the decay starts within the warm-up, or where there is none.

    The warm-up includes its last step, so that a linear one of 0 steps is a step at rate 0.
    """
    plateau, done = max(0, start - up[1]), max(0, up[1] - start)
    if length <= done:
        return sequence(up, (_hold(), plateau), last=_hold(fixed_lr=floor))
    offset = {"offset": done} if done else {}
    fall = ramp(length, end_lr=floor, **DECAYS[decay][1], **offset)
    return sequence(up, (_hold(), plateau), last=fall)


def _hold(**fields: float) -> Document:
    return {"kind": "HoldLR", **fields}


def _batch(config: Config) -> dict[str, int]:
    """The samples and tokens of a step, if the file specifies them."""
    parts = [("tokens", "micro_batch_size"), ("tokens", "batch_accumulation_per_replica"),
             ("parallelism", "dp"), ("tokens", "sequence_length")]  # fmt: skip
    if not all(isinstance(config.peek(*path), int) for path in parts):
        return {}
    micro, accumulate, replicas, length = (config.whole(*path) for path in parts)
    samples = micro * accumulate * replicas
    return {"samples_per_step": samples, "tokens_per_step": samples * length}


def _optimizer(config: Config) -> dict[str, float]:
    """Weight decay and the first beta, where the file has them."""
    numbers: dict[str, float] = {}
    for name, path in (
        ("weight_decay", ("optimizer", "weight_decay")),
        ("betas[0]", ("optimizer", "adam_beta1")),
        ("betas[0]", ("optimizer", "optimizer_factory", "adam_beta1")),
    ):
        if config.has(*path):
            numbers[name] = config.number(*path)
    return numbers


def is_it(source: Source) -> bool:
    """Whether the optimizer has nanotron's schedule."""
    value = source.value
    optimizer = value.get("optimizer") if isinstance(value, Mapping) else None
    schedule = optimizer.get(PLACE[1]) if isinstance(optimizer, Mapping) else None
    return isinstance(schedule, Mapping) and "learning_rate" in schedule


FORMAT = Format(
    title="nanotron's YAML",
    version="nanotron 0.4",
    marks="optimizer.learning_rate_scheduler.learning_rate",
    is_it=is_it,
    keys=SCHEDULER,
    translate=translate,
)
