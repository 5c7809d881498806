"""litgpt's YAML: ``train.lr_warmup_steps`` beside ``train.max_tokens``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from olm.fields.durations import EPOCH
from olm.foreign.configs._config import REQUIRED, Config, Keys, Translation, names
from olm.foreign.configs._documents import (
    Document,
    base_rate,
    betas_and_decay,
    count,
    rise,
    shifted,
)
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source

TRAIN = Keys(
    of="litgpt's train",
    translated=names(
        "lr_warmup_steps lr_warmup_fraction max_tokens max_steps epochs min_lr max_seq_length",
        "global_batch_size micro_batch_size",
    ),
    harmless=names("save_interval log_interval tie_embeddings max_norm max_time"),
)

INIT = ("optimizer", "init_args")


def translate(config: Config) -> Translation:
    """The schedule of pretraining, by tokens, or of finetuning, by epochs.

    Source: litgpt 0.5.13, ``pretrain.py``, ``finetune/full.py`` and ``args.py``.
    """
    lr = _base_rate(config)
    by_tokens = config.has("train", "max_tokens")
    if by_tokens and config.has("train", "epochs"):
        text = "litgpt pretrains by max_tokens and finetunes by epochs, and refuses both"
        raise config.refusal("unsupported-key", text, ("train", "epochs"))
    schedule, clock = _pretraining(config, lr) if by_tokens else _finetuning(config)
    config.check_keys(TRAIN, "train")
    return Translation(schedule, lr, betas_and_decay(config, *INIT), clock)


def _base_rate(config: Config) -> float:
    """The rate of the optimizer; that of torch's Adam by default."""
    optimizer = config.peek("optimizer")
    name = optimizer if isinstance(optimizer, str) else config.peek("optimizer", "class_path")
    is_adam = name is None or str(name).rpartition(".")[2] in ("Adam", "AdamW")
    return base_rate(config, *INIT, "lr", default=1e-3 if is_adam else REQUIRED)


def _pretraining(config: Config, lr: float) -> tuple[Document, dict[str, int]]:
    """The rate is set before each micro-batch, and a step takes that of its last one."""
    world = _world(config)
    micro = count(config, "train", "micro_batch_size", default=4)
    batch = config.whole("train", "global_batch_size", default=512)
    accumulate = batch // world // micro
    if accumulate < 1:
        text = f"{batch} samples are no micro-batch of {micro} on each of {world} processes"
        raise config.refusal("type", text, ("train", "global_batch_size"))
    length = _length(config)
    most = config.whole("train", "max_tokens") // world // (micro * length)
    warmup = min(most, _warmup(config, 2_000) * accumulate)
    if config.has("train", "max_steps"):
        config.note("max_steps is ignored in pretraining: train.max_steps")
    # In samples of all processes: a micro-batch on each of them.
    samples = 1 if accumulate == 1 else micro * world
    schedule: Document = rise(warmup * samples)
    if warmup < most:
        floor = config.number("train", "min_lr", default=4e-5)
        lengths = {"warmup_steps": warmup * samples, "total_steps": most * samples}
        schedule = {"kind": "WarmupDecayLR", **lengths, "end_factor": floor / lr}
    if accumulate > 1:
        schedule = shifted(schedule, (accumulate - 1) * samples, "samples")
    step = accumulate * micro * world
    clock = {"total_steps": most // accumulate, "samples_per_step": step}
    return schedule, {**clock, "tokens_per_step": step * length}


def _warmup(config: Config, default: int) -> int:
    """The steps of the warm-up; null is none."""
    is_null = config.peek("train", "lr_warmup_steps", default=default) is None
    steps: int = config.whole("train", "lr_warmup_steps", default=0 if is_null else default)
    if not config.has("train", "lr_warmup_fraction"):
        return steps
    if not config.number("train", "lr_warmup_fraction"):
        return steps
    path = ("train", "lr_warmup_fraction")
    if steps:
        text = f"litgpt refuses lr_warmup_fraction beside lr_warmup_steps, which is {steps:,}"
        raise config.refusal("unsupported-key", text, path)
    if (given := config.option("warmup_steps")) is not None:
        return int(given)
    text = "lr_warmup_fraction counts the micro-batches of an epoch, which are not in the file"
    raise config.refusal("needs-length", text, path, hint="give --warmup-steps N")


def _finetuning(config: Config) -> tuple[Document, dict[str, Any]]:
    """A schedule in steps."""
    warmup = _warmup(config, 100)
    if warmup < 1:
        text = "litgpt divides by the steps of the warm-up, of which finetuning needs at least 1"
        raise config.refusal("type", text, ("train", "lr_warmup_steps"))
    epochs = config.whole("train", "epochs", default=5)
    most = config.whole("train", "max_steps", default=None)
    if (given := config.option("total_steps")) is not None:
        total: int | str = int(given)
    elif (per_epoch := config.option("steps_per_epoch")) is not None:
        total = epochs * int(per_epoch)
    elif most is not None:
        text = "whether max_steps or the epochs end the run depends on the data set"
        raise config.refusal(
            "needs-length", text, ("train", "max_steps"), hint="give --steps-per-epoch N"
        )
    else:
        total = f"{epochs}{EPOCH.suffix}"
    if isinstance(total, str):
        return {"kind": "WarmupDecayLR", "warmup_steps": warmup, "total_steps": total}, {}
    total = total if most is None else min(total, most)
    clock = {"total_steps": total}
    if warmup == total:
        text = "litgpt divides by the steps after the warm-up, which has as many as the run"
        raise config.refusal("unsupported-key", text, ("train", "lr_warmup_steps"))
    if warmup > total:
        return rise(warmup), clock
    return {"kind": "WarmupDecayLR", "warmup_steps": warmup, "total_steps": total}, clock


def _world(config: Config) -> int:
    """The number of processes: devices times nodes."""
    if (given := config.option("world_size")) is not None:
        return int(given)
    if not isinstance(config.peek("devices"), int):
        config.need("world_size", "the number of devices", "devices")
    return count(config, "devices") * count(config, "num_nodes", default=1)


def _length(config: Config) -> int:
    """The tokens of a sample."""
    if config.has("train", "max_seq_length") or not config.has("model_config", "block_size"):
        return count(config, "train", "max_seq_length")
    return count(config, "model_config", "block_size")


def is_it(source: Source) -> bool:
    """Whether ``train`` has both keys, also with null."""
    value = source.value
    train = value.get("train") if isinstance(value, Mapping) else None
    return isinstance(train, Mapping) and {"lr_warmup_steps", "max_tokens"} <= train.keys()


FORMAT = Format(
    title="litgpt's YAML",
    version="litgpt 0.5.13",
    marks="train.lr_warmup_steps with train.max_tokens",
    is_it=is_it,
    keys=TRAIN,
    translate=translate,
)
