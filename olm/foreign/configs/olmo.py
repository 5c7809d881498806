"""OLMo's YAML: ``scheduler`` in steps or tokens beside ``max_duration``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from olm.fields.durations import EPOCH
from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import (
    Document,
    base_rate,
    betas_and_decay,
    count,
    ramp,
    sequence,
    shifted,
)
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source
from olm.problem import found

SCHEDULES = names(
    "cosine_with_warmup linear_with_warmup inverse_sqrt_with_warmup max_scheduler constant",
    "cosine_linear_envelope constant_with_warmup",
)

ENDLESS = names("inverse_sqrt_with_warmup constant constant_with_warmup")
"""The schedules that depend on no length of the run."""

SCHEDULER = Keys(
    of="OLMo's scheduler",
    translated=names("name units t_warmup t_max alpha_f warmup_min_lr"),
    harmless=names("grad_clip_warmup_steps grad_clip_warmup_factor"),
)


def translate(config: Config) -> Translation:
    """The schedule that the trainer calls with the count of steps or tokens after a step.

    Source: ai2-olmo 0.6.0, ``optim.py`` and ``train.py``. So every rate is one step ahead.
    """
    name = one_of(config, SCHEDULES, "scheduler", "name", default="cosine_with_warmup")
    units = one_of(config, ("steps", "tokens"), "scheduler", "units", default="steps")
    lr = base_rate(config, "optimizer", "learning_rate", default=1e-4)
    _check_restart(config)
    most = config.number("scheduler", "t_max", default=None)
    run = _run(config, is_needed=most is None and name not in ENDLESS)
    end = (run.tokens if units == "tokens" else run.steps) if most is None else int(most)
    schedule = _schedule(config, name, lr, end)
    schedule = (
        shifted(schedule, run.tokens_per_step, "tokens")
        if units == "tokens"
        else shifted(schedule, 1)
    )
    config.check_keys(SCHEDULER, "scheduler")
    for key in ("stop_at", "stop_after"):
        if config.has(key):
            config.note(f"the run stops early, by {key}")
    return Translation(schedule, lr, betas_and_decay(config, "optimizer"), run.clock)


@dataclass(frozen=True)
class Run:
    """The length of a run."""

    steps: int
    """0 if it is not known."""
    tokens: int
    tokens_per_step: int
    samples_per_step: int

    @property
    def clock(self) -> dict[str, int]:
        """What a clock has of it."""
        total = {"total_steps": self.steps} if self.steps else {}
        batch = {"samples_per_step": self.samples_per_step, "tokens_per_step": self.tokens_per_step}
        return {**total, **batch}


def _run(config: Config, *, is_needed: bool) -> Run:
    """The steps and the tokens of the run: 5e12T is tokens, 2ep epochs, a number steps.

    Raises:
        Refusal: the schedule needs the length, and the file does not have it.
    """
    samples = count(config, "global_train_batch_size", default=512)
    per_step = samples * count(config, "model", "max_sequence_length", default=1024)
    if (total := config.option("total_steps")) is not None:
        return Run(int(total), int(total) * per_step, per_step, samples)
    value = config.get("max_duration", default=10_000)
    text = str(value).strip().replace("_", "")
    if text.endswith(EPOCH.suffix) and not is_needed and config.option("steps_per_epoch") is None:
        config.note("the length of the run, which depends on the data set")
        return Run(0, 0, per_step, samples)
    if text.endswith(EPOCH.suffix):
        why = "the number of batches in an epoch"
        per_epoch = config.need("steps_per_epoch", why, "max_duration")
        steps = int(text.removesuffix(EPOCH.suffix)) * int(per_epoch)
        return Run(steps, steps * per_step, per_step, samples)
    try:
        number = int(float(text.removesuffix("T")))
    except ValueError:
        message = f"`max_duration` must be a number, such as 2e12T or 1ep, found {found(value)}"
        raise config.refusal("type", message, ("max_duration",)) from None
    if text.endswith("T"):
        return Run(ceil(Fraction(number, per_step)), number, per_step, samples)
    return Run(number, number * per_step, per_step, samples)


def _check_restart(config: Config) -> None:
    """Refuse the warm-up that OLMo adds where a checkpoint is loaded without its optimizer."""
    if (
        config.has("load_path")
        and config.flag("reset_optimizer_state")
        and not config.flag("reset_trainer_state")
    ):
        text = "OLMo warms up again from the step of the checkpoint, which the file does not have"
        raise config.refusal("unsupported-key", text, ("reset_optimizer_state",))


def _schedule(config: Config, name: str, lr: float, end: int) -> Document:
    """The schedule by the count that its caller passes."""
    if name == "constant":
        return {"kind": "HoldLR"}
    warmup = int(config.number("scheduler", "t_warmup", default=100))
    start_lr = config.number("scheduler", "warmup_min_lr", default=None)
    start = 0.1 if start_lr is None else start_lr / lr
    up = (ramp(warmup, start_factor=start, end_factor=1.0), warmup)
    if name == "constant_with_warmup":
        return up[0] if warmup else {"kind": "HoldLR"}
    inverse: Document = {"kind": "InverseSqrtLR", "warmup_steps": warmup, "start_factor": start}
    if name in ("inverse_sqrt_with_warmup", "max_scheduler") and warmup < 1:
        text = f"{name} needs a warm-up: without one OLMo trains at rate 0"
        raise config.refusal("unsupported-key", text, ("scheduler", "t_warmup"))
    if name == "inverse_sqrt_with_warmup":
        return inverse
    floor = config.number("scheduler", "alpha_f", default=0.1)
    left = end - warmup
    if left <= 0:
        decay = sequence(up, last={"kind": "HoldLR", "factor": floor})
    elif name == "cosine_linear_envelope":
        if floor:
            text = "cosine_linear_envelope with a floor is not translated"
            raise config.refusal("unsupported-key", text, ("scheduler", "alpha_f"))
        both = [ramp(left), ramp(left, ease="cosine")]
        decay = sequence(up, last={"kind": "ChainedScheduler", "schedulers": both})
    else:
        shape = "linear" if name == "linear_with_warmup" else "cosine"
        ends = {"start_factor": start, "end_factor": floor}
        lengths = {"warmup_steps": warmup, "total_steps": end}
        decay = {"kind": "WarmupDecayLR", **lengths, "decay": shape, **ends}
    if name == "max_scheduler":
        return {"kind": "MaximumLR", "schedulers": [decay, inverse]}
    return decay


def is_it(source: Source) -> bool:
    """Whether a schedule counts steps or tokens by a bare number, beside the run's duration."""
    value = source.value
    if not isinstance(value, Mapping) or "max_duration" not in value:
        return False
    schedule = value.get("scheduler")
    if not isinstance(schedule, Mapping):
        return False
    warmup = schedule.get("t_warmup")
    bare = not isinstance(warmup, str) or not warmup.strip()[-1:].isalpha()
    return "units" in schedule or ("t_warmup" in schedule and bare)


FORMAT = Format(
    title="OLMo's YAML",
    version="ai2-olmo 0.6.0",
    marks="scheduler.t_warmup without a unit, or scheduler.units, with max_duration",
    is_it=is_it,
    keys=SCHEDULER,
    translate=translate,
)
