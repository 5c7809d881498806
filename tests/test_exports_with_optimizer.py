"""``olm export`` for trainers: a file is imported with the rates of the spec, or there is none."""

import numpy as np
import pytest
import yaml

import olm
from olm.cli import FINE, PROBLEMS, main
from olm.foreign.exports._targets import Run, export, targets
from olm.problem import SpecError
from olm.spec.spec import parse
from test_exports import BASE, RUNS

ENDS = {"composer": "yaml", "deepspeed": "json", "lightning": "yaml", "mmengine": "py"}
"""The targets, each with the end of the name of its file."""

LATE = {"kind": "TimeLR", "shift": -1}
RISE = {"kind": "RampLR", "total_steps": 10, "start_factor": 0.1, "end_factor": 1.0}
LOG_RISE = {"kind": "RampLR", "total_steps": 9, "start_factor": 0.0, "end_factor": 1.0,
            "ease": "logarithmic"}  # fmt: skip


def in_turn(milestone, *schedulers):
    return {"kind": "SequentialLR", "schedulers": [*schedulers], "milestones": [milestone]}


DECAY = {"kind": "WarmupDecayLR", "warmup_steps": 10, "total_steps": 60}
LINES = DECAY | {"decay": "linear"}
FALL = {"kind": "RampLR", "total_steps": 50, "end_factor": 0.1}
COMPOSED = {
    "deepspeed": {
        "late_lines": LATE | {"scheduler": LINES},
        "late_rise": LATE | {"scheduler": RISE},
        "late_log_rise": LATE | {"scheduler": LOG_RISE},
        "late_log_rise_then_line": LATE
        | {"scheduler": in_turn(10, LOG_RISE, FALL | {"end_factor": 0.0})},
        "late_cosine": LATE
        | {"scheduler": in_turn(10, LOG_RISE, FALL | {"ease": "cosine", "offset": 1})},
        "lines": LINES,
        "there_and_back": in_turn(20, RISE | {"total_steps": 20}, FALL),
        "stairs": {"kind": "TimeLR", "every": 10, "scheduler": RISE | {"past": "extrapolate"}},
    },
    "mmengine": {
        "cosine": DECAY,
        "lines": LINES,
        "late_rise": LATE | {"scheduler": RISE},
        "in_turn": in_turn(10, RISE, FALL | {"ease": "polynomial", "power": 3.0}),
        "drops_after_a_rise": in_turn(10, RISE, {"kind": "StepLR", "step_size": 15}),
        "one_cycle": {"kind": "OneCycleLR", "max_lr": 0.4, "total_steps": 60},
        "geometric": FALL | {"space": "log"},
        "geometric_rise": RISE | {"space": "log", "total_steps": 60},
        "above_the_base_rate": RISE | {"end_factor": 3.0},
        "cut_off": in_turn(30, {"kind": "CosineAnnealingLR", "T_max": 60}, {"kind": "HoldLR"}),
    },
    "composer": {
        "cosine": DECAY | {"total_steps": 75},
        "lines": LINES | {"total_steps": 60, "end_factor": 0.1},
        "rise": RISE | {"start_factor": 0.0, "end_factor": 0.4},
        "from_below": in_turn(
            10, RISE | {"start_factor": 0.0, "end_factor": 0.5}, FALL | {"start_factor": 0.5}
        ),
        "inverse_root": {"kind": "InverseSqrtLR", "warmup_steps": 10, "timescale": 20},
        "cooldown": in_turn(
            40,
            {"kind": "InverseSqrtLR", "warmup_steps": 8},
            {"kind": "RampLR", "total_steps": 20, "start_factor": 0.2**0.5, "end_factor": 0.0},
        ),
    },
    "lightning": {
        "one_cycle": {"kind": "OneCycleLR", "max_lr": 0.4, "total_steps": 60},
        "rise": RISE,
    },
}
"""Schedules that a target must be able to have."""

LACKED = {
    "mmengine": {
        "tanh": {"kind": "TanhLR", "total_steps": 60},
        "rex": {"kind": "RexLR", "total_steps": 60},
    },
    "composer": {"drops": {"kind": "StepLR", "step_size": 20}, "above_zero": RISE},
    "deepspeed": {"cosine": DECAY, "nested": in_turn(10, RISE, FALL | {"end_factor": 0.3})},
    "lightning": {"late_lines": LATE | {"scheduler": LINES}, "nested": in_turn(10, RISE, FALL)},
}
"""Schedules that a target cannot have."""


def read_back(text, target, folder):
    """The spec of an exported text."""
    options = {}
    if target == "lightning":
        options = {"interval": "step"} if '"interval": "step"' in text else {"steps_per_epoch": 5}
    file = folder / f"export.{ENDS[target]}"
    file.write_text(text, encoding="utf-8")
    return olm.import_config(file, from_=target, **options).spec


def has_the_rates(text, target, run, folder):
    steps = np.arange(run.steps)
    rates = read_back(text, target, folder).lr(steps, run.base)
    expected = run.schedule.lr(steps, run.base)
    return rates == pytest.approx(expected, rel=1e-12, abs=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("target", ENDS)
def test_every_example_of_the_catalogue_is_exported_exactly_or_refused(target, tmp_path):
    exported, refused = 0, set()
    for name, run in RUNS.items():
        if name.endswith("beyond"):
            continue
        try:
            text = export(run, targets()[target])
        except SpecError as error:
            refused |= {problem.code for problem in error.problems}
            continue
        exported += 1
        assert has_the_rates(text, target, run, tmp_path), run.schedule
    assert exported > 10
    assert refused == {"cannot-export"}


@pytest.mark.parametrize(
    ("target", "name"), [(target, name) for target in ENDS for name in COMPOSED[target]]
)
@pytest.mark.parametrize("steps", [75, 40])
def test_a_schedule_that_a_trainer_has_is_exported(target, name, steps, tmp_path):
    run = Run(parse(COMPOSED[target][name]).resolve(), BASE, min(steps, 60))
    assert has_the_rates(export(run, targets()[target]), target, run, tmp_path)


@pytest.mark.parametrize(
    ("target", "name"), [(target, name) for target in LACKED for name in LACKED[target]]
)
def test_a_schedule_that_a_trainer_lacks_is_refused_with_the_nearest(target, name):
    run = Run(parse(LACKED[target][name]), BASE, 60)
    with pytest.raises(
        SpecError, match=r"the nearest is [\w, ]+, which differs by up to [\d.e-]+, at"
    ):
        export(run, targets()[target])


def test_a_refusal_for_deepspeed_shows_the_schedule_that_is_as_late():
    with pytest.raises(SpecError) as error:
        export(Run(parse(DECAY), BASE, 60), targets()["deepspeed"])
    assert "kind: TimeLR, shift: -1" in error.value.problems[0].hint


def test_lightning_needs_no_code_for_rates_that_change_by_epoch(tmp_path):
    cosine = {"kind": "CosineAnnealingLR", "T_max": 60}
    by_epoch = {
        "cosine": {"kind": "TimeLR", "every": 5, "scheduler": cosine},
        "steps": {"kind": "StepLR", "step_size": 10},
        "exponential": {"kind": "StepLR", "step_size": 5, "gamma": 0.9},
        "constant": {"kind": "HoldLR", "factor": 0.5},
    }
    for name, document in by_epoch.items():
        spec = parse(document | {"clock": {"steps_per_epoch": 5, "total_steps": 60}})
        text = export(Run(spec.resolve(), BASE, 60), targets()["lightning"])
        assert "configure_optimizers" not in text, name
        assert has_the_rates(text, "lightning", Run(spec.resolve(), BASE, 60), tmp_path)


WITH_MOMENTUM = {"lr": 0.1, "weight_decay": 0.0, "momentum": 0.9}
OPTIMIZER = {"lr": 0.1, "weight_decay": 0.05, "betas": [0.8, 0.95]}


@pytest.mark.parametrize("target", ENDS)
@pytest.mark.parametrize(
    "optimizer", [OPTIMIZER, {"lr": 0.1, "weight_decay": 0.0, "momentum": 0.9}]
)
def test_the_numbers_of_the_optimizer_are_exported(target, optimizer, tmp_path):
    spec = parse({"kind": "HoldLR", "optimizer": optimizer})
    if target == "composer" and "momentum" in optimizer:
        with pytest.raises(SpecError, match="llm-foundry has no optimizer with a momentum"):
            export(Run(spec, 0.1, 10), targets()[target])
        return
    text = export(Run(spec, 0.1, 10), targets()[target])
    assert read_back(text, target, tmp_path).optimizer == spec.optimizer
    assert ("SGD" if "momentum" in optimizer else "adamw") in text.replace("AdamW", "adamw")


@pytest.mark.parametrize("target", sorted(targets()))
def test_a_rate_below_zero_is_refused(target):
    spec = parse({"kind": "RampLR", "total_steps": 1, "past": "extrapolate"})
    with pytest.raises(SpecError, match=r"cannot-export.*the rate at step 2 would be -0\.25"):
        export(Run(spec, BASE, 4), targets()[target])


def with_groups(tmp_path, *groups):
    file = tmp_path / "run.olm.yaml"
    document = {"kind": "LinearLR", "total_steps": 10, "optimizer": OPTIMIZER}
    file.write_text(yaml.safe_dump(document | {"param_groups": [*groups]}), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("target", sorted({*targets()} - {"torch"}))
def test_param_groups_with_different_base_rates_are_exported_only_by_choice(
    target, tmp_path, capsys
):
    file = with_groups(tmp_path, "body", {"name": "head", "lr": 0.02})
    assert main(["export", file, "--to", target]) == PROBLEMS
    assert "the param groups differ in lr, and" in capsys.readouterr().err
    assert main(["export", file, "--to", target, "--base-lr", "0.02"]) == FINE


def test_torch_code_keeps_the_base_rates_of_param_groups(tmp_path, capsys):
    file = with_groups(tmp_path, "body", {"name": "head", "lr": 0.02})
    assert main(["export", file, "--to", "torch"]) == FINE
    assert "0.02" not in capsys.readouterr().out


@pytest.mark.parametrize("target", ENDS)
def test_other_numbers_of_param_groups_are_refused_where_there_is_an_optimizer(
    target, tmp_path, capsys
):
    file = with_groups(tmp_path, "body", {"name": "head", "weight_decay": 0.0})
    assert main(["export", file, "--to", target]) == PROBLEMS
    assert "the param groups differ in weight_decay, and" in capsys.readouterr().err
    assert main(["export", file, "--to", "csv"]) == FINE


def test_param_groups_with_the_numbers_of_the_optimizer_are_exported(tmp_path):
    file = with_groups(tmp_path, "body", {"name": "head", "lr": 0.1})
    assert main(["export", file, "--to", "deepspeed"]) == FINE
