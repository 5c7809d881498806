"""The command lines of diffusers' example scripts."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from olm.foreign.configs._arguments import LAUNCHERS, processes
from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import Document
from olm.foreign.configs._flat_keys import unrelated
from olm.foreign.configs._formats import Format
from olm.foreign.configs._hugging_face import Run
from olm.foreign.configs._named_schedules import SCHEDULES as TRANSFORMERS
from olm.foreign.configs._named_schedules import named_schedule
from olm.foreign.configs._renaming import rename_keys, underscored
from olm.foreign.configs._source import Source

KIND = "lr_scheduler"
SCHEDULES = names(
    "linear cosine cosine_with_restarts polynomial constant constant_with_warmup piecewise_constant"
)


def translate(config: Config) -> Translation:
    """The schedule that `get_scheduler` makes of the options.

    The scripts multiply the warm-up and the run length by the number of processes, and accelerate
    steps the scheduler as many times at each update, so that both are counted in updates.

    Source: diffusers 0.40, ``optimization.py`` and
    ``examples/text_to_image/train_text_to_image_lora.py``.
    """
    rename_keys(config, underscored)
    name = one_of(config, SCHEDULES, KIND, default="constant")
    lr = _rate(config)
    total = _total(config)
    given = config.option("warmup_steps")
    warmup = config.whole("lr_warmup_steps", default=500) if given is None else int(given)
    schedule = _schedule(Run(config, lr, warmup, total, (KIND,)), name)
    optimizer = {}
    for key, number in (("adam_weight_decay", "weight_decay"), ("adam_beta1", "betas[0]")):
        if config.has(key):
            optimizer[number] = config.number(key)
    for key in ("text_encoder_lr", "learning_rate_ti"):
        if config.has(key):
            config.note(f"the base rate of other parameters, {key}: {config.number(key)}")
    config.check_keys(KEYS, allowed={*LAUNCHERS, *unrelated(config.peek(), KEYS)})
    clock = {"total_steps": total} if isinstance(total, int) else {}
    return Translation(schedule, lr, optimizer, clock)


def _schedule(run: Run, name: str) -> Document:
    """The schedule of a name, which are those of transformers with other arguments."""
    if name not in TRANSFORMERS:
        text = "piecewise_constant needs step_rules, which no script passes on"
        raise run.config.refusal("needs-key", text, (KIND,))
    options = {}
    if name == "cosine_with_restarts":
        options["num_cycles"] = run.config.whole("lr_num_cycles", default=1)
    if name == "polynomial":
        options["power"] = run.config.number("lr_power", default=1.0)
    return named_schedule(run, name, options)


def _rate(config: Config) -> float:
    """The base rate, which `--scale_lr` multiplies by the batch."""
    given = config.option("learning_rate")
    if given is not None:
        return float(given)
    lr: float = config.number("learning_rate")
    if not config.flag("scale_lr"):
        return lr
    world = processes(config) or config.need("world_size", "the number of processes")
    batch = config.whole("train_batch_size") * config.whole(
        "gradient_accumulation_steps", default=1
    )
    scaled: float = lr * (batch * world)
    return scaled


def _total(config: Config) -> int | str:
    """The number of updates, or the whole run where neither the file nor the user has it."""
    if (given := config.option("total_steps")) is not None:
        return int(given)
    if config.has("max_train_steps"):
        return int(config.whole("max_train_steps"))
    per_epoch = config.option("steps_per_epoch") or _steps_per_epoch(config)
    if per_epoch is None:
        return "100%"
    return int(config.whole("num_train_epochs") * ceil(per_epoch))


def _steps_per_epoch(config: Config) -> int | None:
    """The updates of an epoch, if the size of the data set is given."""
    size = config.option("dataset_size")
    if size is None:
        return None
    world = processes(config) or config.need("world_size", "the number of processes")
    batches = ceil(Fraction(size, config.whole("train_batch_size")))
    accumulate = config.whole("gradient_accumulation_steps", default=1)
    return ceil(Fraction(ceil(Fraction(batches, world)), accumulate))


KEYS = Keys(
    of="diffusers' scripts",
    translated=names(
        "lr_scheduler lr_warmup_steps lr_num_cycles lr_power learning_rate max_train_steps",
        "scale_lr num_train_epochs train_batch_size gradient_accumulation_steps adam_weight_decay",
        "adam_beta1 text_encoder_lr learning_rate_ti",
    ),
    harmless=names(
        "command sample_batch_size checkpointing_steps validation_steps validation_epochs",
        "adam_weight_decay_text_encoder resume_from_checkpoint num_validation_images",
        "prior_loss_weight ema_decay use_ema snr_gamma adam_beta2 adam_epsilon optimizer",
        "validation_scheduler prodigy_safeguard_warmup ddpm_beta_schedule eval_batch_size",
        "save_images_epochs save_model_epochs ema_max_decay",
    ),
    refused={
        "num_epochs": "is the length of a run of train_unconditional.py, which counts otherwise",
    },
)


def is_it(source: Source) -> bool:
    """Whether a command line has the schedule of diffusers' scripts."""
    if source.form != "shell":
        return False
    found = {underscored(key) for key in source.value if isinstance(key, str)}
    return KIND in found and bool({"lr_warmup_steps", "max_train_steps"} & found)


FORMAT = Format(
    title="diffusers' scripts",
    version="diffusers 0.40",
    marks="--lr_scheduler with --lr_warmup_steps or --max_train_steps",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
