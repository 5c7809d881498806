"""Other frameworks' words for the fields of kinds, and the sorts of their values."""

from __future__ import annotations

from dataclasses import dataclass

from olm.fields.quantities import (
    EPOCHS,
    EPOCHS_OR_STEPS,
    LENGTHS,
    OF_THE_RUN,
    RATE,
    SAMPLES,
    SHARE,
    SHARES_OF_THE_RUN,
    STEP_LIST,
    STEPS,
    TIME,
    TOKENS,
)


@dataclass(frozen=True)
class Sense:
    """The meaning of a word: the fields that it may be, and the sort of its value."""

    fields: tuple[str, ...]
    measure: str = ""
    """One of those in `olm.fields.quantities`; empty if it is that of the fields."""


def _sense(fields: str, measure: str = "") -> Sense:
    return Sense(tuple(fields.split()), measure)


def _total(measure: str = STEPS) -> Sense:
    return _sense("total_steps T_max total_iters", measure)


def _warmup(measure: str = STEPS) -> Sense:
    return _sense("warmup_steps", measure)


def _decay(measure: str = STEPS) -> Sense:
    return _sense("decay_steps", measure)


START = _sense("start_lr start_factor", RATE)
START_SHARE = _sense("start_factor start_lr", SHARE)
END = _sense("end_lr min_lr eta_min end_factor", RATE)
END_SHARE = _sense("end_factor end_lr min_lr eta_min", SHARE)
PEAK = _sense("max_lr", RATE)
PERIOD = _sense("T_0 period", STEPS)
GROWTH = _sense("T_mult growth")
KIND = _sense("kind")
SHAPE = _sense("decay kind")

WORDS: dict[str, dict[str, Sense]] = {
    "torch": {
        "T_max": _total(),
        "total_iters": _sense("total_steps T_max warmup_steps", STEPS),
        "total_steps": _total(),
        "T_0": _sense("period", STEPS),
        "T_mult": _sense("growth"),
        "eta_min": END,
        "start_factor": START_SHARE,
        "end_factor": END_SHARE,
        "pct_start": _warmup(OF_THE_RUN),
        "milestones": _sense("lengths", STEP_LIST),
    },
    "transformers": {
        "lr_scheduler_type": KIND,
        "num_warmup_steps": _warmup(),
        "warmup_ratio": _warmup(OF_THE_RUN),
        "num_training_steps": _total(),
        "num_stable_steps": _sense("hold_steps flat_steps", STEPS),
        "num_decay_steps": _decay(),
        "num_cycles": _sense("count"),
        "decay_type": _sense("decay"),
        "lr_end": END,
        "min_lr_rate": END_SHARE,
        "min_lr_ratio": END_SHARE,
        "warmup_lr_rate": START_SHARE,
    },
    "timm": {
        "sched": KIND,
        "t_initial": _total(EPOCHS_OR_STEPS),
        "warmup_t": _warmup(EPOCHS_OR_STEPS),
        "warmup_epochs": _warmup(EPOCHS),
        "warmup_lr": START,
        "warmup_lr_init": START,
        "lr_min": END,
        "cycle_mul": GROWTH,
        "cycle_decay": _sense("shrink"),
        "cycle_limit": _sense("count"),
        "decay_t": _sense("step_size milestones decay_steps", EPOCHS_OR_STEPS),
        "decay_rate": _sense("gamma factor"),
        "decay_fn": _sense("decay"),
        "decay_power": _sense("power"),
        "patience_t": _sense("patience"),
        "cooldown_t": _sense("cooldown"),
    },
    "Composer": {
        "t_warmup": _warmup(TIME),
        "t_max": _total(TIME),
        "t_0": _sense("T_0 period", TIME),
        "t_mult": GROWTH,
        "alpha_i": START_SHARE,
        "alpha_f": END_SHARE,
    },
    "mmengine": {
        "type": KIND,
        "max_iters": _total(),
        "eta_min_ratio": END_SHARE,
        "rule": _sense("mode"),
    },
    "DeepSpeed": {
        "warmup_num_steps": _warmup(),
        "total_num_steps": _total(),
        "warmup_type": _sense("ease"),
        "warmup_min_lr": START,
        "warmup_max_lr": PEAK,
        "warmup_min_ratio": START_SHARE,
        "cos_min_ratio": END_SHARE,
        "cycle_min_lr": _sense("base_lr", RATE),
        "cycle_max_lr": PEAK,
        "cycle_first_step_size": _sense("step_size_up"),
        "cycle_second_step_size": _sense("step_size_down"),
        "decay_step_size": _decay(),
        "decay_lr_rate": _sense("decay_rate"),
    },
    "Megatron": {
        "lr_warmup_iters": _warmup(),
        "lr_warmup_steps": _warmup(),
        "lr_warmup_samples": _warmup(SAMPLES),
        "lr_warmup_fraction": _warmup(OF_THE_RUN),
        "lr_warmup_init": START,
        "init_lr": START,
        "train_iters": _total(),
        "train_samples": _total(SAMPLES),
        "lr_decay_iters": _total(),
        "lr_decay_samples": _total(SAMPLES),
        "lr_decay_style": SHAPE,
        "lr_wsd_decay_iters": _decay(),
        "lr_wsd_decay_samples": _decay(SAMPLES),
        "lr_wsd_decay_style": _sense("decay"),
        "wsd_decay_steps": _decay(),
        "min_lr": END,
    },
    "Megatron-DeepSpeed": {
        "lr_warmup_tokens": _warmup(TOKENS),
        "lr_decay_tokens": _total(TOKENS),
        "train_tokens": _total(TOKENS),
    },
    "OLMo-core": {
        "warmup": _warmup(),
        "warmup_fraction": _warmup(OF_THE_RUN),
        "decay": _decay(),
        "decay_fraction": _decay(OF_THE_RUN),
        "decay_min_lr": END,
        "start_lr": START,
        "start_lr_fraction": START_SHARE,
        "end_lr": END,
        "end_lr_fraction": END_SHARE,
        "schedulers_max": _sense("lengths", LENGTHS),
    },
    "torchtitan": {
        "decay_ratio": _decay(OF_THE_RUN),
        "min_lr_factor": END_SHARE,
    },
    "NeMo": {
        "max_steps": _total(),
        "hold_ratio": _sense("hold_steps flat_steps", OF_THE_RUN),
    },
    "nanotron": {
        "train_steps": _total(),
        "lr_decay_steps": _decay(),
        "lr_decay_starting_step": _sense("flat_steps", STEPS),
        "min_decay_lr": END,
    },
    "optax": {
        "transition_steps": _sense("total_steps total_iters T_max step_size", STEPS),
        "decay_steps": _total(),
        "init_value": START,
        "peak_value": PEAK,
        "end_value": END,
        "alpha": END_SHARE,
        "boundaries": _sense("milestones lengths", STEP_LIST),
        "boundaries_and_scales": _sense("milestones", "a mapping of steps to factors"),
        "interpolate_type": _sense("between"),
    },
    "Keras": {
        "warmup_target": PEAK,
        "end_learning_rate": END,
        "first_decay_steps": PERIOD,
        "t_mul": GROWTH,
        "m_mul": _sense("shrink"),
        "values": _sense("factors", "a list of rates"),
    },
    "fvcore": {
        "num_updates": _total(),
        "start_value": START_SHARE,
        "lengths": _sense("milestones", SHARES_OF_THE_RUN),
    },
    "detectron2": {
        "warmup_iters": _warmup(),
        "warmup_factor": START_SHARE,
        "warmup_length": _warmup(OF_THE_RUN),
        "max_iter": _total(),
    },
    "fairseq": {
        "warmup_updates": _warmup(),
        "warmup_init_lr": START,
        "max_update": _total(),
        "total_num_update": _total(),
        "lr_period_updates": PERIOD,
        "lr_shrink": _sense("shrink factor"),
        "lr_patience": _sense("patience"),
        "lr_threshold": _sense("threshold"),
        "init_lr_scale": START_SHARE,
        "final_lr_scale": END_SHARE,
        "phase_ratio": _sense("lengths warmup_steps", SHARES_OF_THE_RUN),
    },
    "Paddle": {
        "base_learning_rate": _sense("base_lr", RATE),
        "max_learning_rate": PEAK,
        "divide_factor": _sense("div_factor"),
        "phase_pct": _sense("pct_start"),
        "exp_gamma": _sense("gamma"),
    },
    "ignite": {
        "warmup_duration": _warmup(),
        "cycle_size": PERIOD,
        "cycle_mult": GROWTH,
        "durations": _sense("lengths", LENGTHS),
    },
    "pytorch-scheduler": {
        "first_cycle_steps": PERIOD,
        "stable_steps": _sense("hold_steps flat_steps", STEPS),
        "flat_fraction": _sense("flat_steps", OF_THE_RUN),
    },
    "axolotl": {"num_steps": _total()},
    "skrl": {
        "kl_threshold": _sense("target_kl"),
        "kl_factor": _sense("tolerance"),
        "lr_factor": _sense("factor"),
    },
    "rsl_rl": {"desired_kl": _sense("target_kl")},
    "SpeechBrain": {
        "annealing_factor": _sense("factor"),
        "improvement_threshold": _sense("threshold"),
        "patient": _sense("patience"),
    },
}
"""Framework → word → meaning. A word is listed under one of the frameworks that have it."""

FOREIGN = {
    word: (framework, sense) for framework, words in WORDS.items() for word, sense in words.items()
}

WITHOUT_WARMUP = "{} counts it without the warm-up"

AMBIGUOUS = {
    "decay_steps": WITHOUT_WARMUP.format("Keras"),
    "transition_steps": WITHOUT_WARMUP.format("optax"),
    "T_max": WITHOUT_WARMUP.format("torch"),
    "total_iters": WITHOUT_WARMUP.format("torch"),
    "t_initial": WITHOUT_WARMUP.format("timm"),
    "cycle_size": "ignite's is a whole wave, down and up",
    "cycle_first_step_size": "DeepSpeed's is only the rise",
    "lr_decay_steps": "Megatron's is the whole run",
    "decay_step_size": "DeepSpeed's is the period of one decay",
    "decay_lr_rate": "DeepSpeed's counts in periods of decay_step_size",
    "decay_rate": "",
    "num_cycles": "transformers' may be half a wave",
    "boundaries": "Keras' are the last steps before a change, without step 0",
    "durations": "ignite's lack the last schedule",
    "schedulers_max": "OLMo-core's lack the last schedule",
    "lr_decay_style": "",
    "lr_wsd_decay_style": "",
    "decay_fn": "",
    "decay_type": "",
    "lr_scheduler_type": "",
    "sched": "",
    "type": "",
}
"""The words whose sense differs between frameworks, or whose values do: never a fix, only a hint.

Each has what the hint adds.
"""

PROVEN: dict[str, tuple[str, ...]] = {
    "alpha": ("end_factor",),
    "alpha_f": ("end_factor",),
    "annealing_factor": ("factor",),
    "cycle_decay": ("shrink",),
    "cycle_limit": ("count",),
    "cycle_mul": ("growth",),
    "cycle_mult": ("T_mult", "growth"),
    "first_cycle_steps": ("T_0", "period"),
    "first_decay_steps": ("period",),
    "improvement_threshold": ("threshold",),
    "kl_factor": ("tolerance",),
    "kl_threshold": ("target_kl",),
    "lr_factor": ("factor",),
    "lr_min": ("end_lr", "eta_min"),
    "lr_warmup_steps": ("warmup_steps",),
    "min_lr": ("end_lr", "eta_min"),
    "min_lr_rate": ("end_factor",),
    "min_lr_ratio": ("end_factor",),
    "num_decay_steps": ("decay_steps",),
    "num_training_steps": ("total_steps",),
    "num_warmup_steps": ("warmup_steps",),
    "patient": ("patience",),
    "t_max": ("total_iters",),
    "t_mul": ("growth",),
    "t_mult": ("T_mult", "growth"),
    "warmup": ("warmup_steps",),
    "warmup_num_steps": ("warmup_steps",),
    "wsd_decay_steps": ("decay_steps",),
}
"""Word → the fields that a fix writes for it; every other word is only a hint.

With each of them, a spec has the curve of a configuration in tests/peers, where the word is used.
A share of the run is never converted by a fix: frameworks round it to steps in their own ways.
"""

OF_MOMENTUM = {
    "cycle_momentum",
    "base_momentum",
    "max_momentum",
    "cycle_min_mom",
    "cycle_max_mom",
    "decay_mom_rate",
}
"""Arguments of torch's and DeepSpeed's cycles that schedule the momentum."""

OF_THE_OPTIMIZER = {
    "lr",
    "learning_rate",
    "initial_learning_rate",
    "init_value",
    "max_lr",
    "peak_lr",
    "peak_value",
    "warmup_max_lr",
    "warmup_target",
}
"""Words for the base rate, which others have in a schedule, and olm in the optimizer."""


NAMESAKES = {("LinearLR", word): "LinearFactorLR" for word in ("total_iters", "end_factor")}
"""A kind and a field of torch's class of that name → the kind that is torch's class."""
