"""transformers' TrainingArguments: YAML, JSON, command lines, lines of a model card."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Any

from olm.fields.durations import exact
from olm.foreign.configs._arguments import LAUNCHERS, processes
from olm.foreign.configs._config import Config, Translation, names, one_of
from olm.foreign.configs._deepspeed_beside import check_deepspeed
from olm.foreign.configs._documents import count, paths_to
from olm.foreign.configs._flat_keys import unrelated
from olm.foreign.configs._formats import Format
from olm.foreign.configs._hugging_face import Run
from olm.foreign.configs._named_schedules import (
    KIND,
    OPTIONS,
    PLATEAU,
    SCHEDULES,
    named_schedule,
)
from olm.foreign.configs._renaming import rename_keys, underscored
from olm.foreign.configs._source import Source
from olm.foreign.configs._training_arguments import KEYS, OF_AN_EPOCH
from olm.problem import Path

CARD = {
    "num_epochs": "num_train_epochs",
    "training_steps": "max_steps",
    "lr_scheduler_warmup_ratio": "warmup_ratio",
    "lr_scheduler_warmup_steps": "warmup_steps",
    "train_batch_size": "per_device_train_batch_size",
}
"""The names of arguments in a model card → in TrainingArguments."""

_BETAS = re.compile(r"betas=\(\s*([\d.eE+-]+)\s*,")
MARKS = frozenset((KIND, "per_device_train_batch_size"))
LLAMA_FACTORY = frozenset(("finetuning_type", "stage"))
CALLS = names("TrainingArguments Seq2SeqTrainingArguments")


def translate(config: Config) -> Translation:
    """The schedule that `Trainer.create_scheduler` makes of the arguments.

    Source: transformers 5.23, ``optimization.py`` and ``training_args.py``.
    """
    if config.source.form == "shell":
        rename_keys(config, underscored)
    elif config.source.form == "markdown":
        rename_keys(config, lambda name: CARD.get(name, name))
    config.root = (*config.root, *(_at(_inside(config)) or ()))
    if config.has("**"):
        text = "these arguments would have to be run, and nothing in a configuration is run"
        raise config.refusal("needs-code", text, ("**",))
    name = one_of(config, SCHEDULES, KIND, default="linear")
    lr = config.option("learning_rate") or config.number("learning_rate", default=5e-5)
    options = _options(config)
    optimizer = _optimizer(config)
    if name == "greedy":
        text = "the rate of greedy follows the loss, so no rate is known before the run"
        raise config.refusal("metric-rule", text, (KIND,))
    if name == "reduce_lr_on_plateau":
        config.note("the plateau observes metric_for_best_model after each evaluation")
        known = {key: options.pop(key) for key in PLATEAU if key in options}
        _check(config, options)
        return Translation({"kind": "ReduceLROnPlateau", **known}, lr, optimizer)
    if name == "constant":
        options = {}  # The library passes it no argument.
    total = _total(config)
    warmup, rounding = _warmup(config, total)
    schedule = named_schedule(Run(config, lr, warmup, total, (KIND,)), name, options)
    _check(config, options)
    clock = {"total_steps": total} if isinstance(total, int) else {}
    return Translation(schedule, lr, optimizer, clock, rounding)


def _inside(config: Config) -> Source:
    """What is at the root of a configuration."""
    return replace(config.source, value=config.peek())


def _options(config: Config) -> dict[str, Any]:
    """The arguments of the schedule, which a command line has as JSON."""
    value = config.get(OPTIONS, default=None)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = 0
    if not isinstance(value, dict | None):
        text = f"`{OPTIONS}` must be a mapping, or a JSON object"
        raise config.refusal("type", text, (OPTIONS,))
    return dict(value or {})


def _optimizer(config: Config) -> dict[str, float]:
    """The numbers of the optimizer that the arguments have."""
    numbers: dict[str, float] = {}
    if config.has("weight_decay"):
        numbers["weight_decay"] = config.number("weight_decay")
    if config.has("adam_beta1") and "adam" in str(config.peek("optim", default="adamw_torch")):
        numbers["betas[0]"] = config.number("adam_beta1")
    elif betas := _BETAS.search(str(config.peek("optimizer", default=""))):
        # A model card has them inside a sentence.
        config.get("optimizer")
        numbers["betas[0]"] = float(betas[1])
    return numbers


def _total(config: Config) -> int | str:
    """The number of steps, or the whole run where the file and the user do not say it."""
    if (total := config.option("total_steps")) is not None:
        return int(total)
    steps = config.whole("max_steps", default=-1)
    if steps > 0:
        return int(steps)
    epochs = config.number("num_train_epochs", default=3.0)
    per_epoch = config.option("steps_per_epoch") or _steps_per_epoch(config)
    # The library multiplies floats.
    return "100%" if per_epoch is None else ceil(epochs * per_epoch)


def _steps_per_epoch(config: Config) -> int | None:
    """The steps of an epoch, if the size of the data set is given."""
    size = config.option("dataset_size")
    if size is None:
        return None
    if config.peek("stage") == "ppo":
        text = "the stage ppo has steps of its own in an epoch"
        raise config.refusal("needs-length", text, ("stage",), "give --total-steps N")
    for key, does in OF_AN_EPOCH.items():
        if config.peek(key) or config.peek("accelerator_config", key):
            raise config.refusal("unsupported-key", f"`{key}` {does}", (key,))
    if config.peek("packing"):
        config.note("--dataset-size counts the packed sequences, not the samples")
    world = processes(config) or config.whole("num_devices", default=None)
    world = world or config.need("world_size", "the number of processes")
    batch = count(config, "per_device_train_batch_size", default=8)
    accumulate = count(config, "gradient_accumulation_steps", default=1)
    if config.flag("dataloader_drop_last"):
        batches = size // batch // world
    else:
        batches = ceil(Fraction(ceil(Fraction(size, batch)), world))
    return max(1, ceil(Fraction(batches, accumulate)))


def _warmup(config: Config, total: int | str) -> tuple[int | str, str]:
    """The length of the warm-up, and how it is rounded if it is a share of the run."""
    if (given := config.option("warmup_steps")) is not None:
        return int(given), "nearest"
    steps = config.number("warmup_steps", default=0)
    ratio = config.number("warmup_ratio", default=None)
    share = steps if 0 < steps < 1 else ratio if not steps else None
    if not share:
        return int(steps), "nearest"
    if isinstance(total, int):
        # The library multiplies floats, so 7 % of 100 steps are 8.
        return ceil(total * share), "nearest"
    return f"{float(exact(share) * 100):.12g}%", "up"


def _check(config: Config, left: dict[str, Any]) -> None:
    """Refuse the keys that are not translated, and arguments that the schedule does not have."""
    for key in left:
        text = f"`{key}` is no argument of this schedule"
        raise config.refusal("unknown-key", text, (OPTIONS, key))
    check_deepspeed(config)
    config.check_keys(KEYS, allowed={*LAUNCHERS, *unrelated(config.peek(), KEYS)})


def _at(source: Source) -> Path | None:
    """Where the arguments are: the whole, a call in Python, or a mapping inside."""
    value = source.value
    if not isinstance(value, dict) or "base_model" in value:
        return None
    keys = {underscored(key) for key in value if isinstance(key, str)}
    if MARKS & keys or keys >= LLAMA_FACTORY:
        return ()
    if source.form in ("python", "notebook"):
        calls = paths_to(value, "()")
        paths: Iterator[Path] = (path for path in calls if _is_call(source, path))
    else:
        paths = paths_to(value, "per_device_train_batch_size")
    return next(paths, None)


def _is_call(source: Source, path: Path) -> bool:
    """Whether a call is of TrainingArguments, or of those of TRL."""
    call: Any = source.value
    for part in path:
        call = call[part]
    name = str(call["()"]).rpartition(".")[2]
    return name in CALLS or (name.endswith("Config") and bool(MARKS & set(call)))


def is_it(source: Source) -> bool:
    """Whether a file has TrainingArguments and no key of a framework that builds on them."""
    return _at(source) is not None


FORMAT = Format(
    title="transformers' TrainingArguments",
    version="transformers 5.23",
    marks="lr_scheduler_type, per_device_train_batch_size, or finetuning_type with stage",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
