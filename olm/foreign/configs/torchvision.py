"""torchvision's classification reference: the command line of its train.py."""

from __future__ import annotations

from math import ceil
from typing import Any

from olm.fields.durations import exact
from olm.foreign.configs._arguments import LAUNCHERS, plain_name, processes, take_arguments
from olm.foreign.configs._config import Config, Keys, Translation, names
from olm.foreign.configs._documents import base_rate, count
from olm.foreign.configs._epochs import Epochs, epochs_of
from olm.foreign.configs._formats import Format
from olm.foreign.configs._groups import REST, Group
from olm.foreign.configs._source import Source

SCHEDULES = ("steplr", "cosineannealinglr", "exponentiallr")

FLAGS = names(
    "cache_dataset sync_bn test_only pretrained amp model_ema use_v2 ra_sampler",
    "use_deterministic_algorithms",
)

KEYS = Keys(
    of="torchvision's train.py",
    translated=names(
        "lr lr_scheduler lr_warmup_epochs lr_warmup_method lr_warmup_decay lr_step_size lr_gamma",
        "lr_min epochs opt momentum weight_decay norm_weight_decay bias_weight_decay",
        "transformer_embedding_decay batch_size",
    ),
    harmless=LAUNCHERS
    | FLAGS
    | names(
        "data_path model device workers label_smoothing mixup_alpha cutmix_alpha print_freq",
        "output_dir resume start_epoch auto_augment ra_magnitude augmix_severity random_erase",
        "dist_url model_ema_steps model_ema_decay interpolation val_resize_size val_crop_size",
        "train_crop_size clip_grad_norm ra_reps weights backend",
    ),
)


def translate(config: Config) -> Translation:
    """The schedulers that its ``main`` makes, which step after each epoch.

    Source: pytorch/vision, ``references/classification/train.py``, ``main`` and
    ``get_args_parser``; the schedulers are torch's, the warm-up and the rest in a SequentialLR.
    """
    short = {"wd": "weight_decay", "b": "batch_size", "j": "workers"}
    take_arguments(config, config.peek(), config.root, short=short, flags=FLAGS)
    name = config.text("lr_scheduler", default="steplr").lower()
    if name not in SCHEDULES:
        text = f"`lr_scheduler` is {name}, and train.py knows {', '.join(SCHEDULES)}"
        raise config.refusal("unknown-scheduler", text, ("lr_scheduler",))
    total, warmup = count(config, "epochs", default=90), config.whole("lr_warmup_epochs", default=0)
    epoch = epochs_of(config, _steps_per_epoch(config))
    decay = _decay(config, name, total - warmup, epoch)
    rise = _rise(config, warmup, epoch) if warmup > 0 else None
    parts = [part for part in (rise, decay) if part]
    schedule = parts[0]
    if len(parts) > 1:
        milestones = [epoch.span(warmup)]
        schedule = {"kind": "SequentialLR", "schedulers": parts, "milestones": milestones}
    if "RampLR" in str(schedule) or "Cosine" in str(schedule):
        schedule = {"kind": "TimeLR", "scheduler": schedule, "every": epoch.span(1)}
    lr, optimizer = base_rate(config, "lr", default=0.1), _optimizer(config)
    config.check_keys(KEYS)
    clock = (
        {"total_steps": total * epoch.steps, "steps_per_epoch": epoch.steps} if epoch.steps else {}
    )
    return Translation(schedule, lr, optimizer, clock, groups=_groups(config))


def _decay(config: Config, name: str, left: int, epoch: Epochs) -> dict[str, Any] | None:
    """The schedule after the warm-up; None if that is too long for a cosine to begin."""
    if name == "cosineannealinglr":
        floor = config.number("lr_min", default=0.0)
        if left < 0:
            return None
        if left == 0:
            text = "torch divides by the epochs of the cosine, and the warm-up leaves none"
            raise config.refusal("unsupported-key", text, ("lr_warmup_epochs",))
        return {"kind": "CosineAnnealingLR", "T_max": epoch.span(left), "eta_min": floor}
    gamma = config.number("lr_gamma", default=0.1)
    size = count(config, "lr_step_size", default=30) if name == "steplr" else 1
    return {"kind": "StepLR", "step_size": epoch.span(size), "gamma": gamma}


def _rise(config: Config, warmup: int, epoch: Epochs) -> dict[str, Any]:
    """The warm-up."""
    method = config.text("lr_warmup_method", default="constant")
    factor = config.number("lr_warmup_decay", default=0.01)
    if not 0 <= factor <= 1 or (factor == 0 and method == "linear"):
        text = f"torch has no {method} warm-up from a share of {factor}"
        raise config.refusal("type", text, ("lr_warmup_decay",))
    if method == "linear":
        ends = {"start_factor": factor, "end_factor": 1.0}
        return {"kind": "RampLR", "total_steps": epoch.span(warmup), **ends}
    if method == "constant":
        return {"kind": "HoldLR", "factor": factor}
    text = f"`lr_warmup_method` is {method}, and train.py knows linear and constant"
    raise config.refusal("unknown-scheduler", text, ("lr_warmup_method",))


def _optimizer(config: Config) -> dict[str, float]:
    """The numbers of the optimizer besides the rate."""
    numbers = {"weight_decay": config.number("weight_decay", default=1e-4)}
    if config.text("opt", default="sgd").lower() != "adamw":
        numbers["momentum"] = config.number("momentum", default=0.9)
    return numbers


def _groups(config: Config) -> list[Group]:
    """The param groups of ``set_weight_decay``."""
    found = {
        "norms": ("those of norms", "norm_weight_decay"),
        "biases": ("those that are named bias", "bias_weight_decay"),
        "embeddings": (
            "the class token, the positions and the relative biases",
            "transformer_embedding_decay",
        ),
    }
    groups = [
        Group(name, which, (key,), None, config.number(key))
        for name, (which, key) in found.items()
        if config.has(key)
    ]
    return [Group(REST, "the other parameters"), *groups] if groups else []


def _steps_per_epoch(config: Config) -> int | None:
    """The batches of an epoch, if the size of the data set is given."""
    size = config.option("dataset_size")
    if size is None:
        return None
    if config.has("ra_sampler"):
        text = "with ra_sampler, the data set does not determine the length of an epoch"
        raise config.refusal("needs-length", text, ("ra_sampler",), "give --steps-per-epoch N")
    world = processes(config)
    if world is None:
        world = config.need("world_size", "the number of processes")
    batch = count(config, "batch_size", default=32)
    share = ceil(exact(size) / world)
    return ceil(exact(share) / batch)


def is_it(source: Source) -> bool:
    """Whether a command line has ``--lr-scheduler`` and a key of its warm-up or steps."""
    if source.form != "shell":
        return False
    options = {plain_name(key) for key in source.value if "-" in key}
    others = {"lr_warmup_method", "lr_step_size", "lr_warmup_epochs", "lr_gamma"}
    return "lr_scheduler" in options and bool(options & others)


FORMAT = Format(
    title="torchvision's classification reference",
    version="torchvision 0.24",
    marks="--lr-scheduler with --lr-warmup-method",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
