"""levanter's YAML: the schedule of an optimizer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import Document, ramp, shifted
from olm.foreign.configs._formats import Format
from olm.foreign.configs._source import Source

SCHEDULES = ("constant", "cosine", "linear", "inv_sqrt", "inv")
TYPES = (*SCHEDULES, "polynomial", "inv_sqrt_decay", "power")
"""The schedules of a mapping, each with a `type`."""
OPTIMIZERS = {
    **dict.fromkeys(names("adam lion adopt cautious mars rmsprop kron sophia-g sophia-h"), 0.1),
    **dict.fromkeys(names("mini muon scion soap"), 0.0),
}
"""The optimizers → the default of their weight decay."""


def translate(config: Config) -> Translation:
    """The schedule that `OptimizerConfig.lr_scheduler` makes, which computes it in float32.

    Source: marin-levanter 0.2.20, ``optim/config.py``.
    """
    lr = config.option("learning_rate") or config.number("optimizer", "learning_rate", default=6e-4)
    total = config.option("total_steps") or config.whole("trainer", "num_train_steps")
    kind = config.text("optimizer", "type", default="adam")
    if kind not in OPTIMIZERS:
        text = f"`optimizer.type` is {kind}, which may have further rates"
        raise config.refusal("unsupported-key", text, ("optimizer", "type"))
    if kind == "muon":
        rate = config.number("optimizer", "adam_lr", default=6e-4)
        config.note(f"the base rate of the parameters that Adam trains, {rate}")
    if kind == "scion":
        ratio = config.number("optimizer", "scion_to_signum_lr", default=0.25)
        config.note(f"the base rate of the parameters of Signum, {ratio} of the others'")
    stages = [*_Stages(config, lr).of_run(int(total))]
    schedule: Document = stages[0][1]
    if len(stages) > 1:
        starts = [start for start, _ in stages[1:]]
        documents = [document for _, document in stages]
        schedule = {"kind": "SequentialLR", "schedulers": documents, "milestones": starts}
    decay = config.number("optimizer", "weight_decay", default=OPTIMIZERS[kind])
    optimizer = {"weight_decay": decay}
    if config.has("optimizer", "beta1"):
        optimizer["betas[0]"] = config.number("optimizer", "beta1")
    config.check_keys(KEYS, "optimizer")
    return Translation(_folded(schedule), lr, optimizer, {"total_steps": int(total)})


def _folded(schedule: Document) -> Document:
    """A warm-up and one decay as one kind."""
    parts = schedule.get("schedulers", [])
    if len(parts) != 2 or parts[0].get("start_factor") != 0 or parts[1]["kind"] != "RampLR":
        return schedule
    up, down = parts
    if "space" in down or schedule["milestones"] != [up["total_steps"]]:
        return schedule
    total = up["total_steps"] + down["total_steps"]
    lengths = {"warmup_steps": up["total_steps"], "total_steps": total}
    decay = {"decay": down.get("ease", "linear"), "end_factor": down["end_factor"]}
    decay |= {"power": down["power"]} if "power" in down else {}
    return {"kind": "WarmupDecayLR", **lengths, **decay}


class _Stages:
    """The stages of a run: in each cycle a warm-up, a plateau and a decay."""

    def __init__(self, config: Config, lr: float) -> None:
        self.config = config
        self.lr = lr
        self.ratio = config.number("optimizer", "min_lr_ratio", default=0.1)
        self.options: Any = ()
        if isinstance(config.peek("optimizer", "lr_schedule"), dict):
            self.options = ("optimizer", "lr_schedule")
            self.name = one_of(config, TYPES, *self.options, "type", default="cosine")
            options = names("type exponent timescale power decay_constant")
            keys = Keys("levanter's schedules", options)
            config.check_keys(keys, *self.options)
        else:
            self.name = one_of(config, SCHEDULES, "optimizer", "lr_schedule", default="cosine")

    def of_run(self, total: int) -> Iterator[tuple[int, Document]]:
        """The stages, each with the step at which it begins."""
        cooldown = self.config.number("optimizer", "cooldown", default=None)
        last = 0 if cooldown is None else self.steps(cooldown, total, "cooldown")
        points, end = self.cycles(total - last), 0.0
        for number, (start, stop) in enumerate(pairwise(points)):
            share = ("warmup", 0.01) if number == 0 else ("rewarmup", 0.0)
            length = self.config.number("optimizer", share[0], default=share[1])
            up = min(self.steps(length, stop - start, share[0]), stop - start)
            down = self.decay(stop - start, up)
            if up:
                yield start, ramp(up, start_factor=end, end_factor=1.0)
            if stop - start - up - down:
                yield start + up, {"kind": "HoldLR"}
            document, end = self.decayed(down, up) if down else ({"kind": "HoldLR"}, 1.0)
            if down:
                yield stop - down, document
        if last:
            yield total - last, ramp(last, start_factor=end, end_factor=self.ratio)

    def steps(self, value: float, whole: int, key: str) -> int:
        """The steps of a number that is a share up to 1, and steps above."""
        if value < 0 or (value > 1 and value % 1):
            text = f"`{key}` must be a share or a number of steps, found {value}"
            raise self.config.refusal("type", text, ("optimizer", key))
        return int(value * whole) if value <= 1 else int(value)

    def decay(self, cycle: int, warmup: int) -> int:
        """The steps of the decay in a cycle."""
        value = self.config.number("optimizer", "decay", default=None)
        left = cycle - warmup
        return left if value is None else min(self.steps(value, cycle, "decay"), left)

    def cycles(self, total: int) -> list[int]:
        """The steps at which cycles begin, and the last one's end."""
        length = self.config.get("optimizer", "cycle_length", default=None)
        cycles = self.config.get("optimizer", "cycles", default=None)
        haps = self.config.get("optimizer", "haps", default=None)
        if length is not None and (cycles is not None or haps is not None):
            text = "use one of cycle_length, cycles and haps"
            raise self.config.refusal("unsupported-key", text, ("optimizer", "cycle_length"))
        if isinstance(length, list):
            points = [sum(length[: index + 1]) for index in range(len(length))]
        elif length is not None:
            length = self.config.number("optimizer", "cycle_length")
            each = self.steps(length, total, "cycle_length")
            self.config.check_few(total // each, "optimizer", "cycle_length")
            points = [index * each for index in range(1, total // each)]
        elif isinstance(cycles, int):
            self.config.check_few(cycles, "optimizer", "cycles")
            points = [int(total / cycles * (index + 1)) for index in range(cycles - 1)]
        else:
            points = list(haps or cycles or [])
        points = [0, *points] if points[-1:] == [total] else [0, *points, total]
        if points != sorted(points):
            text = f"the cycles must end in order, at most at step {total:,}"
            raise self.config.refusal("unsupported-key", text, ("optimizer",))
        return points

    def decayed(self, steps: int, warmup: int) -> tuple[Document, float]:
        """The decay of a cycle, and the factor at its end."""
        match self.name:
            case "constant":
                return {"kind": "HoldLR"}, 1.0
            case "linear":
                return ramp(steps, end_factor=self.ratio), self.ratio
            case "cosine":
                self.exponent()
                return ramp(steps, ease="cosine", end_factor=self.ratio), self.ratio
            case "inv_sqrt":
                return self.inverse_sqrt(steps, warmup)
            case "inv":
                return self.inverse(steps), self.ratio
            case "polynomial":
                power = self.config.number(*self.options, "power", default=2.0)
                fall = ramp(steps, ease="polynomial", power=power, end_factor=self.ratio)
                return fall, self.ratio
            case "inv_sqrt_decay":
                rate = self.config.number(*self.options, "decay_constant", default=28.6)
                curve = {"kind": "PowerLR", "power": 0.5, "decay_steps": steps, "decay_rate": rate}
                return self.bounded(curve), max(self.ratio, (1 + rate) ** -0.5)
        text = "power sets the rate by tokens, and is not translated"
        raise self.config.refusal("unsupported-key", text, ("optimizer", "lr_schedule"))

    def exponent(self) -> None:
        """Refuse a power of the cosine."""
        if self.options and self.config.number(*self.options, "exponent", default=1.0) != 1:
            text = "a power of the cosine is not translated"
            raise self.config.refusal("unsupported-key", text, (*self.options, "exponent"))

    def inverse_sqrt(self, steps: int, warmup: int) -> tuple[Document, float]:
        """The inverse square root of the steps since the cycle began, from a time scale on."""
        scale = 10_000
        if self.options:
            scale = self.config.whole(*self.options, "timescale", default=10_000)
        fall = {"kind": "InverseSqrtLR", "warmup_steps": 0, "timescale": scale}
        end = max(min(1.0, (scale / max(steps + warmup, 1)) ** 0.5), self.ratio)
        return self.bounded(shifted(fall, warmup - scale)), end

    def inverse(self, steps: int) -> Document:
        """A decay in equal differences of the inverse of the rate, whose first step is doubled."""
        if not self.ratio:
            text = "inv divides by min_lr_ratio, which must be above 0"
            raise self.config.refusal("type", text, ("optimizer", "min_lr_ratio"))
        fall = ramp(steps, end_factor=self.ratio, space="inverse")
        return {"kind": "TimeLR", "first": 1, "scheduler": fall}

    def bounded(self, document: Document) -> Document:
        """A schedule that is never below the lowest rate."""
        if not self.ratio:
            return document
        floor = {"kind": "HoldLR", "factor": self.ratio}
        return {"kind": "MaximumLR", "schedulers": [document, floor]}


KEYS = Keys(
    of="levanter's optimizers",
    translated=names(
        "type learning_rate weight_decay min_lr_ratio warmup decay rewarmup cooldown cycle_length",
        "cycles haps lr_schedule beta1",
    ),
    harmless=names(
        "beta2 epsilon max_grad_norm nesterov update_rms_clipping clip_update_norm skip_bad_steps",
        "weight_decay_modules default_weight_decay_mask gamma update_interval rho momentum eps",
        "adam_lr muon_to_adam_lr lr adam_weight_decay backend_steps use_kimi_scaling muon_epsilon",
        "adam_epsilon clip_threshold rng_seed scion_epsilon scion_to_signum_lr schedule_list",
        "block_size max_precond_dim merge_small_dims target_merged_dim_size mu_dtype one_diag",
        "partition_grads_into_blocks precond_dtype precondition_frequency shampoo_beta",
        "lax_map_batch_size lax_map_scanned_layers max_size_triangular min_ndim_triangular",
        "memory_save_mode normalize_grads params_sharding precond_grads_precision",
        "precond_update_precision preconditioner_init_scale preconditioner_lr",
        "preconditioner_sharding preconditioner_update_probability update_prob_flat_start",
    ),
    refused={
        "adamc_weight_decay": "multiplies the weight decay by the rate",
        "warmup_ratio": "is a key of earlier versions",
        "stable": "is a key of earlier versions",
    },
)


def is_it(source: Source) -> bool:
    """Whether a file has a schedule of levanter and the length of its run."""
    return source.has("optimizer", "lr_schedule") and source.has("trainer", "num_train_steps")


FORMAT = Format(
    title="levanter",
    version="marin-levanter 0.2.20",
    marks="optimizer.lr_schedule with trainer.num_train_steps",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
