"""torchtune's YAML: the component of the schedule beside ``epochs``."""

from __future__ import annotations

from math import ceil

from olm.fields.durations import EPOCH
from olm.foreign.configs._config import MIDDLE, Config, Keys, Translation, names
from olm.foreign.configs._documents import (
    Document,
    base_rate,
    betas_and_decay,
    count,
    rise,
    sequence,
)
from olm.foreign.configs._formats import Format
from olm.foreign.configs._hugging_face import waves
from olm.foreign.configs._source import Source

SCHEDULER = Keys(
    of="torchtune's get_cosine_schedule_with_warmup",
    translated=names("_component_ num_warmup_steps num_cycles"),
)


def translate(config: Config) -> Translation:
    """The schedule that a recipe instantiates.

    Source: torchtune 0.6.1, ``training/lr_schedulers.py`` and ``recipes/lora_finetune_*.py``: a run
    has ``epochs`` times the batches of an epoch over the accumulation, rounded down.
    """
    lr = base_rate(config, "optimizer", "lr")
    numbers = betas_and_decay(config, "optimizer")
    total, clock = _run(config)
    if not config.has("lr_scheduler"):
        config.note("without lr_scheduler torchtune trains at a constant rate")
        return Translation({"kind": "HoldLR"}, lr, numbers, clock)
    component = config.text("lr_scheduler", "_component_")
    function = component.rpartition(".")[2]
    if function != "get_cosine_schedule_with_warmup":
        text = f"`{component}` is not translated"
        hint = "known is torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup"
        raise config.refusal("unknown-scheduler", text, ("lr_scheduler", "_component_"), hint=hint)
    warmup = config.whole("lr_scheduler", "num_warmup_steps")
    schedule = _cosine(config, warmup, total)
    config.check_default(-1, MIDDLE, "lr_scheduler", "last_epoch")
    config.check_keys(SCHEDULER, "lr_scheduler")
    return Translation(schedule, lr, numbers, clock)


def _cosine(config: Config, warmup: int, total: int | str) -> Document:
    """A warm-up and cosine waves, half of one by default."""
    if isinstance(total, int) and warmup >= total:
        return rise(warmup)
    cycles = abs(config.number("lr_scheduler", "num_cycles", default=0.5))
    if cycles == 0.5:
        return {"kind": "WarmupDecayLR", "warmup_steps": warmup, "total_steps": total}
    if isinstance(total, str):
        text = "how long a wave of num_cycles is depends on the steps of an epoch"
        path = ("lr_scheduler", "num_cycles")
        raise config.refusal("needs-length", text, path, hint="give --steps-per-epoch N")
    main = waves(total - warmup, cycles, 0.0) if cycles else {"kind": "HoldLR"}
    return sequence((rise(warmup), warmup), last=main)


def _run(config: Config) -> tuple[int | str, dict[str, float]]:
    """The length of the run, in epochs if those are not known in steps, and the clock."""
    if (total := config.option("total_steps")) is not None:
        return int(total), {"total_steps": int(total)}
    epochs = config.whole("epochs")
    most = config.whole("max_steps_per_epoch", default=None)
    per_epoch = config.option("steps_per_epoch") or _steps_per_epoch(config)
    if per_epoch is None:
        if most is not None:
            config.note(f"an epoch has at most {most:,} steps (max_steps_per_epoch)")
        return f"{epochs}{EPOCH.suffix}", {}
    steps = int(per_epoch) if most is None else min(int(per_epoch), most)
    return epochs * steps, {"total_steps": epochs * steps, "steps_per_epoch": steps}


def _steps_per_epoch(config: Config) -> int | None:
    """The steps of an epoch, if the number of samples is given; it has no partial batch."""
    size = config.option("dataset_size")
    if size is None:
        return None
    world = config.need("world_size", "the number of processes")
    batches: int = ceil(size / world) // count(config, "batch_size")
    return batches // count(config, "gradient_accumulation_steps", default=1)


def is_it(source: Source) -> bool:
    """Whether a component is torchtune's."""
    return source.mentions("_component_") and source.mentions("torchtune.")


FORMAT = Format(
    title="torchtune's YAML",
    version="torchtune 0.6.1",
    marks="_component_: torchtune.…",
    is_it=is_it,
    keys=SCHEDULER,
    translate=translate,
)
