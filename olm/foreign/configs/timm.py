"""timm's train.py: its command line, and the args.yaml that it writes."""

from __future__ import annotations

from math import ceil
from typing import Any

from olm.fields.durations import exact
from olm.foreign.configs._arguments import LAUNCHERS, plain_name, processes, take_arguments
from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import base_rate, count
from olm.foreign.configs._epochs import epochs_of
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source
from olm.foreign.configs._timm_schedules import SCHEDULES, Run

FLAGS = names(
    "dataset_download dataset_trust_remote_code pretrained no_resume_opt channels_last fast_norm",
    "grad_checkpointing torchscript amp no_ddp_bb synchronize_step sched_on_updates warmup_prefix",
    "no_aug jsd_loss bce_loss bce_sum resplit sync_bn split_bn model_ema model_ema_force_cpu",
    "model_ema_warmup save_images pin_mem no_prefetcher use_multi_epochs_loader log_wandb",
    "naflex_loader naflex_patchify_channels_first",
)

SEVERAL = names(
    "lr_noise decay_milestones opt_betas opt_kwargs model_kwargs mean std input_size scale ratio",
    "cutmix_minmax wandb_tags device_modules train_img_sizes train_batch_sizes train_size_probs",
    "naflex_train_seq_lens naflex_patch_sizes naflex_patch_size_probs",
)

HARMLESS = names(
    "config data data_dir dataset train_split val_split train_num_samples val_num_samples",
    "class_map input_img_mode input_key target_key model pretrained_path initial_checkpoint resume",
    "num_classes gp img_size in_chans crop_pct interpolation validation_batch_size fuser",
    "head_init_scale head_init_bias torchcompile_mode torchcompile device amp_dtype amp_impl",
    "model_dtype opt_eps clip_grad clip_mode start_epoch train_crop_mode hflip vflip color_jitter",
    "color_jitter_prob grayscale_prob gaussian_blur_prob aa aug_repeats aug_splits",
    "bce_target_thresh bce_pos_weight reprob remode recount mixup cutmix mixup_prob",
    "mixup_switch_prob mixup_mode mixup_off_epoch smoothing train_interpolation drop drop_connect",
    "drop_path drop_block bn_momentum bn_eps dist_bn model_ema_decay seed worker_seeding",
    "log_interval val_interval recovery_interval checkpoint_hist workers output experiment",
    "eval_metric tta wandb_project wandb_resume_id naflex_max_seq_len kd_model_name",
    "kd_distill_type kd_loss_type distill_loss_weight task_loss_weight kd_temperature",
    "kd_student_feature_dim kd_teacher_feature_dim kd_token_distill_type layer_decay_min_scale",
    "layer_decay_no_opt_scale lr_noise_pct lr_noise_std patience_epochs distributed",
    "prefetcher p bce_weight local_rank epoch_repeats lr_base lr_base_size lr_base_scale",
    "decay_epochs decay_rate decay_milestones lr_cycle_mul lr_cycle_decay lr_cycle_limit",
    "lr_k_decay lr_decay_fn lr_stable_timescale warmup_lr warmup_epochs min_lr cooldown_epochs",
    "train_size_schedule_spread train_size_random_mix variable_batch_loss_scale naflex_loss_scale",
)
"""The options that change no rate, or only that of other schedules."""

KEYS = Keys(
    of="timm's train.py",
    translated=names(
        "sched epochs lr batch_size grad_accum_steps opt momentum weight_decay opt_betas",
        "train_batches_per_epoch sched_on_updates warmup_prefix",
    ),
    harmless=HARMLESS | FLAGS | LAUNCHERS | (SEVERAL - {"lr_noise", "opt_betas", "opt_kwargs"}),
    refused={
        "lr_noise": "adds random noise to the rates",
        "layer_decay": "gives each layer a rate of its own",
        "opt_kwargs": "may change the optimizer in ways that are not translated",
        "train_size_schedule": "changes the batch during the run",
    },
)

OFF = ("lr_noise", "layer_decay", "opt_kwargs", "train_size_schedule")
"""The refused options, which an args.yaml also has where they are off."""


def translate(config: Config) -> Translation:
    """The scheduler that ``create_scheduler_v2`` makes of the options of train.py.

    Source: timm 1.0.31, ``train.py`` (defaults, the base rate, the loop) and
    ``scheduler/scheduler_factory.py``.
    """
    short = {"b": "batch_size", "j": "workers", "vb": "validation_batch_size", "c": "config"}
    short |= {"dr": "decay_rate", "train_steps_per_epoch": "train_batches_per_epoch"}
    mapping = config.peek()
    written = _without_defaults(mapping)
    take_arguments(config, written, config.root, short=short, several=SEVERAL, flags=FLAGS)
    if config.source.form == "shell" and config.peek("config"):
        text = "the options of the file of --config are not read: import its args.yaml"
        raise config.refusal("needs-key", text, ("config",))
    name = one_of(config, [*SCHEDULES, "none", "plateau"], "sched", default="cosine")
    if name == "plateau":
        text = "timm's plateau observes a metric and has a warm-up, and is not translated"
        raise config.refusal("metric-rule", text, ("sched",))
    config.check_keys(KEYS)
    lr = _rate(config)
    epoch = epochs_of(config, _steps_per_epoch(config))
    on_updates = config.flag("sched_on_updates")
    warmup = config.whole("warmup_epochs", default=5) if name != "none" else 0
    epochs = count(config, "epochs", default=300)
    if on_updates and name in ("wsd", "rsqrt", "step") and epoch.steps is None:
        config.need("steps_per_epoch", "the length of an epoch", "sched_on_updates")
    prefix = config.flag("warmup_prefix")
    run = Run(config, lr, epoch, epochs, warmup, prefix, on_updates)
    schedule, total = SCHEDULES["constant" if name == "none" else name](run)
    if not on_updates and any(kind in str(schedule) for kind in MOVING):
        schedule = {"kind": "TimeLR", "scheduler": schedule, "every": epoch.span(1)}
    clock: dict[str, Any] = {}
    if epoch.steps is not None:
        clock = {"total_steps": total * epoch.steps, "steps_per_epoch": epoch.steps}
    return Translation(schedule, lr, _optimizer(config), clock)


MOVING = ("RampLR", "CosineAnnealingLR", "TanhLR", "PowerLR")
"""The kinds that change between epochs."""


def _without_defaults(mapping: Any) -> dict[str, Any]:
    """The options without those of an args.yaml that turn off what is not translated."""
    off: dict[str, Any] = {
        "lr_noise": None,
        "layer_decay": None,
        "opt_kwargs": {},
        "train_size_schedule": "constant",
    }
    return {
        key: value
        for key, value in mapping.items()
        if value is not None and off.get(plain_name(str(key)), ...) != value
    }


def _rate(config: Config) -> float:
    """The base rate, or what it is by the batch of all processes."""
    if config.given.learning_rate or config.peek("lr"):
        return base_rate(config, "lr")
    world = processes(config)
    if world is None:
        world = config.need("world_size", "lr, which depends on the number of processes", "lr_base")
    batch = count(config, "batch_size", default=128) * world
    batch *= count(config, "grad_accum_steps", default=1)
    ratio = batch / count(config, "lr_base_size", default=256)
    scale = config.text("lr_base_scale", default=None)
    if not scale:
        name = config.text("opt", default="sgd").lower()
        scale = "sqrt" if "ada" in name or "lamb" in name else "linear"
    base = base_rate(config, "lr_base", default=0.1)
    return float(base) * (ratio**0.5 if scale == "sqrt" else ratio)


def _steps_per_epoch(config: Config) -> int | None:
    """The updates of an epoch, as far as the file or the user says it."""
    batches = config.whole("train_batches_per_epoch", default=None)
    if batches is None:
        size = config.option("dataset_size") or config.whole("train_num_samples", default=None)
        if size is None or config.peek("epoch_repeats") or config.peek("aug_repeats"):
            return None
        if (world := processes(config)) is None:
            world = config.need("world_size", "the number of processes", "batch_size")
        # Its loader drops a last batch that is not whole.
        batches = ceil(exact(size) / world) // count(config, "batch_size", default=128)
    return -(-int(batches) // int(count(config, "grad_accum_steps", default=1)))


def _optimizer(config: Config) -> dict[str, Any]:
    """The numbers of the optimizer besides the rate."""
    numbers: dict[str, Any] = {"weight_decay": config.number("weight_decay", default=2e-5)}
    name = config.text("opt", default="sgd").lower()
    if any(word in name for word in ("sgd", "momentum", "nesterov", "rmsprop", "lars")):
        numbers["momentum"] = config.number("momentum", default=0.9)
    elif config.has("opt_betas"):
        numbers["betas"] = [config.number("opt_betas", place) for place in range(2)]
    return numbers


def is_it(source: Source) -> bool:
    """Whether there is ``--sched``, or a YAML with it and another option of timm."""
    if not isinstance(source.value, dict) or "sched" not in source.value:
        return False
    others = {"lr_cycle_limit", "warmup_lr", "decay_epochs", "cooldown_epochs", "lr_k_decay"}
    return source.form == "shell" or bool(others & {plain_name(key) for key in source.value})


FORMAT = Format(
    title="timm's train.py",
    version="timm 1.0.31",
    marks="--sched",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
