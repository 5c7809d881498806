"""torchtitan's TOML: ``[lr_scheduler]`` beside ``[training]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import Document, base_rate, ramp, sequence
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source

EASES: dict[str, dict[str, Any]] = {
    "linear": {},
    "sqrt": {"ease": "power", "power": 0.5},
    "cosine": {"ease": "cosine"},
}
"""Its decays → those of a ramp."""

SCHEDULER = Keys(
    of="torchtitan's [lr_scheduler]",
    translated=names("warmup_steps total_steps decay_ratio decay_type min_lr_factor"),
)
OPTIMIZER = Keys(
    of="torchtitan's [optimizer]",
    translated=names("lr weight_decay beta1"),
    harmless=names(
        "name beta2 eps implementation early_step_in_backward optimizer_factory_kwargs_by_name"
    ),
    refused={"param_groups": "gives parts of the model an optimizer and a rate of their own"},
)


def translate(config: Config) -> Translation:
    """The schedule that ``LRSchedulersContainer.Config.build`` makes of the tables.

    Source: torchtitan 0.3.0, ``components/optimizer/lr_scheduler.py``. Its step 0 trains with the
    first increment, and the last step of the run is one increment above the end.
    """
    if config.has("lr_scheduler", "lr_min"):
        text = "`lr_min` is a key of an older torchtitan"
        hint = "torchtitan 0.3.0 calls it min_lr_factor"
        raise config.refusal("other-version", text, ("lr_scheduler", "lr_min"), hint=hint)
    steps = config.option("total_steps") or config.whole("training", "steps", default=10_000)
    total = config.whole("lr_scheduler", "total_steps", default=None) or steps
    schedule = _schedule(config, total)
    has_decay = schedule["kind"] != "WarmupLR"
    if steps > total + has_decay:
        does = "continues below its minimum" if has_decay else "raises an error"
        text = (
            f"the run has {steps:,} steps and the schedule {total:,}, after which torchtitan {does}"
        )
        raise config.refusal("unsupported-key", text, ("lr_scheduler", "total_steps"))
    lr = base_rate(config, "optimizer", "lr", default=8e-4)
    numbers = {
        name: config.number("optimizer", key)
        for name, key in (("weight_decay", "weight_decay"), ("betas[0]", "beta1"))
        if config.has("optimizer", key)
    }
    config.check_keys(SCHEDULER, "lr_scheduler")
    config.check_keys(OPTIMIZER, "optimizer")
    return Translation(schedule, lr, numbers, {"total_steps": steps, **_batch(config)})


def _schedule(config: Config, total: int) -> Document:
    warmup = int(config.number("lr_scheduler", "warmup_steps", default=200))
    if warmup > total:
        config.note(f"torchtitan shortens the warm-up of {warmup:,} steps to the run")
        warmup = total
    ratio = config.number("lr_scheduler", "decay_ratio", default=None)
    decay = total - warmup if ratio is None else min(round(total * ratio), total - warmup)
    kind = one_of(config, EASES, "lr_scheduler", "decay_type", default="linear")
    floor = config.number("lr_scheduler", "min_lr_factor", default=0.0)
    up: Document = {"kind": "WarmupLR", "warmup_steps": warmup}
    if not decay:
        return up
    ends = {"end_factor": floor} if floor else {}
    return sequence((up, total - decay), last=ramp(decay, **ends, **EASES[kind]))


def _batch(config: Config) -> dict[str, int]:
    """The samples and tokens of a step, if the file specifies them."""
    samples = config.whole("training", "global_batch_size", default=None)
    if samples is None or samples <= 0:
        return {}
    length = config.whole("training", "seq_len", default=2048)
    return {"samples_per_step": samples, "tokens_per_step": samples * length}


def is_it(source: Source) -> bool:
    """Whether there is a table ``[lr_scheduler]`` and the steps in ``[training]``."""
    value = source.value
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("lr_scheduler"), Mapping)
        and isinstance(value.get("training"), Mapping)
        and "steps" in value["training"]
    )


FORMAT = Format(
    title="torchtitan's TOML",
    version="torchtitan 0.3.0",
    marks="[lr_scheduler] with [training] steps",
    is_it=is_it,
    keys=SCHEDULER,
    translate=translate,
)
