"""NeMo's YAML: ``optim.sched`` with the name of a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor

from olm.foreign.configs._config import MIDDLE, Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import (
    Document,
    base_rate,
    betas_and_decay,
    count,
    only_path,
    paths_to,
    sequence,
)
from olm.foreign.configs._formats import Format
from olm.foreign.configs._groups import REST, Group, check_own, own_rate
from olm.foreign.configs._nemo_schedules import ARGUMENTS, Sched
from olm.foreign.configs._source import Source
from olm.problem import Path, found


def translate(config: Config) -> Translation:
    """The schedule that ``prepare_lr_scheduler`` constructs.

    Source: nemo_toolkit 3.0.0, ``core/optim/lr_scheduler.py`` and ``core/classes/modelPT.py``. The
    warm-up has one increment more than ``warmup_steps``, and step 0 trains with the first of them.
    """
    where = only_path(config, "optim", "sched", "name")
    optim: Path = (*where, "optim")
    sched: Path = (*optim, "sched")
    if config.has(*sched, "args"):
        text = "arguments below `args` are not translated: write them beside `name`"
        raise config.refusal("unsupported-key", text, (*sched, "args"))
    name = one_of(config, ARGUMENTS, *sched, "name")
    lr = base_rate(config, *optim, "lr")
    run, most = _run(config, where)
    floor_lr = 0.0
    if "min_lr" in ARGUMENTS[name].split():
        default = 1e-5 if name == "SquareAnnealing" else 0.0
        floor_lr = config.number(*sched, "min_lr", default=default)

    def made(base: float) -> Document:
        form = Sched(config, sched, name, base, floor_lr, most)
        schedule, end = form.document(), form.end()
        if run < end or name in ("NoamAnnealing", "StepLR"):
            return schedule
        return sequence((schedule, end), last={"kind": "HoldLR", "fixed_lr": floor_lr})

    groups, schedule = _groups(config, (*where, "optim_param_groups")), made(lr)
    check_own(config, groups, lr, made)
    keys = Keys(
        of=f"NeMo's {name}",
        translated=names(f"name max_steps {ARGUMENTS[name]}"),
        harmless=names("monitor reduce_on_plateau iters_per_batch"),
    )
    config.check_default(-1, MIDDLE, *sched, "last_epoch")
    config.check_keys(keys, *sched)
    numbers = betas_and_decay(config, *optim)
    return Translation(schedule, lr, numbers, {"total_steps": run}, groups=groups)


def _groups(config: Config, at: Path) -> list[Group]:
    """The param groups, each of a part of the model; the rest is the first."""
    parts = config.peek(*at) or {}
    if not isinstance(parts, Mapping):
        text = f"`optim_param_groups` must be a mapping, found {found(parts)}"
        raise config.refusal("type", text, at)
    groups = [Group(REST, "the other parameters")] if parts else []
    for name in map(str, parts):
        path = (*at, name)
        config.check_keys(GROUP, *path)
        lr = own_rate(config, *path, "lr") if config.has(*path, "lr") else None
        decay = config.number(*path, "weight_decay", default=None)
        groups.append(Group(name, f"those of the module {name}", path, lr, decay))
    return groups


GROUP = Keys("a part of optim_param_groups", names("lr weight_decay"))


def _run(config: Config, where: Path) -> tuple[int, int]:
    """The steps of the run, and those for which the schedule is made."""
    if (total := config.option("total_steps")) is not None:
        return int(total), int(total)
    steps = config.whole("trainer", "max_steps", default=-1)
    if steps >= 0:
        return int(steps), int(steps)
    own = config.whole(*where, "optim", "sched", "max_steps", default=None)
    per_epoch = config.option("steps_per_epoch") or _steps_per_epoch(config, where)
    if per_epoch is None:
        if own is not None and own > 0:
            return int(own), int(own)
        why = "the length of the run: NeMo computes it from the data set"
        return (int(config.need("total_steps", why, "trainer", "max_steps")),) * 2
    run = int(config.whole("trainer", "max_epochs")) * int(per_epoch)
    return run, int(own) if own is not None and own > 0 else run


def _steps_per_epoch(config: Config, where: Path) -> int | None:
    """The steps of an epoch as ``compute_max_steps`` counts them, if the data set is given."""
    size = config.option("dataset_size")
    if size is None:
        return None
    world = config.need("world_size", "the number of processes")
    batch = count(config, *where, "train_ds", "batch_size")
    last = floor if config.flag(*where, "train_ds", "drop_last") else ceil
    batches = last(ceil(size / max(1, world)) / batch)
    limit = config.number("trainer", "limit_train_batches", default=1.0)
    batches = min(batches, limit) if isinstance(limit, int) else int(batches * limit)
    accumulate = count(config, "trainer", "accumulate_grad_batches", default=1)
    return ceil(batches / accumulate)


def is_it(source: Source) -> bool:
    """Whether an optimizer has a schedule with a name."""
    return next(paths_to(source.value, "optim", "sched", "name"), None) is not None


FORMAT = Format(
    title="NeMo's YAML",
    version="nemo_toolkit 3.0.0",
    marks="optim.sched.name",
    is_it=is_it,
    keys=Keys(of="NeMo's sched", translated=names(*ARGUMENTS.values(), "name max_steps")),
    translate=translate,
)
