"""fairseq: its Hydra YAML, and the command line of fairseq-train."""

from __future__ import annotations

from olm.foreign.configs._config import Config, Refusal, Translation, one_of
from olm.foreign.configs._fairseq_keys import KEYS, SchedulerKeys
from olm.foreign.configs._fairseq_schedules import SCHEDULES
from olm.foreign.configs._formats import Format
from olm.foreign.configs._renaming import rename_keys, underscored
from olm.foreign.configs._source import Source
from olm.problem import listed


def translate(config: Config) -> Translation:
    """The schedule of an `lr_scheduler`, whose rate at a step is its `step_update` of that step.

    Source: fairseq 0.12.3, ``optim/lr_scheduler`` and ``trainer.py``, which calls ``step_update``
    with 0 before the first update.
    """
    if config.source.form == "shell":
        rename_keys(config, underscored)
    if config.peek("lr_scheduler") == "pass_through":
        raise _of_groups(config)
    keys = SchedulerKeys(config)
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
