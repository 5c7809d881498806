"""torch's scheduler classes in the files of LightningCLI and Hydra, against torch itself."""

import json
import warnings

import pytest
import torch
from torch.optim import lr_scheduler

import olm
from olm.problem import SpecError

BASE, PER_EPOCH = 0.03, 7

CALLS = [
    ("StepLR", {"step_size": 4, "gamma": 0.5}),
    ("StepLR", {"step_size": 4}),
    ("MultiStepLR", {"milestones": [9, 3, 3], "gamma": 0.3}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 0}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.2, "end_factor": 0.9, "total_iters": 8}),
    ("LinearLR", {"start_factor": 0.2, "total_iters": 0}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 12, "power": 2.0}),
    ("PolynomialLR", {"total_iters": 0}),
    ("CosineAnnealingLR", {"T_max": 6, "eta_min": 0.001}),
    ("CosineAnnealingLR", {"T_max": 40}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2, "eta_min": 1e-4}),
    ("OneCycleLR", {"max_lr": 0.2, "total_steps": 30}),
    ("OneCycleLR", {"max_lr": 0.2, "epochs": 10, "steps_per_epoch": 3, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 30, "anneal_strategy": "linear",
                    "base_momentum": 0.5, "max_momentum": 0.7}),
    ("CyclicLR", {"base_lr": 0.001, "max_lr": 0.1, "step_size_up": 5, "step_size_down": 8}),
    ("CyclicLR", {"base_lr": 0.001, "max_lr": 0.1, "step_size_up": 5, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.001, "max_lr": 0.1, "step_size_up": 5, "mode": "exp_range",
                  "gamma": 0.9}),
    ("SequentialLR", {"milestones": [5], "schedulers": [
        ("LinearLR", {"start_factor": 0.1}), ("CosineAnnealingLR", {"T_max": 10})]}),
    ("SequentialLR", {"milestones": [4, 12], "schedulers": [
        ("ConstantLR", {"factor": 0.1, "total_iters": 30}), ("StepLR", {"step_size": 3}),
        ("ExponentialLR", {"gamma": 0.8})]}),
    ("ChainedScheduler", {"schedulers": [
        ("LinearLR", {"start_factor": 0.1}), ("CosineAnnealingLR", {"T_max": 29})]}),
]  # fmt: skip


def written(name, arguments, style):
    """A call as a mapping of a file."""
    arguments = {key: value for key, value in arguments.items() if key != "schedulers"} | {
        key: [written(*call, style) for call in value]
        for key, value in arguments.items()
        if key == "schedulers"
    }
    full = f"torch.optim.lr_scheduler.{name}"
    if style == "hydra":
        return {"_target_": full, "_partial_": True, **arguments}
    return {"class_path": full, "init_args": arguments}


def configuration(name, arguments, style):
    """A file with the scheduler, an optimizer and 30 epochs."""
    optimizer = {"lr": BASE, "weight_decay": 0.1}
    if style == "hydra":
        made = {"_target_": "torch.optim.AdamW", **optimizer}
    else:
        made = {"class_path": "torch.optim.AdamW", "init_args": optimizer}
    scheduler = written(name, arguments, style)
    return {"trainer": {"max_epochs": 30}, "optimizer": made, "lr_scheduler": scheduler}


def constructed(optimizer, name, arguments):
    """The scheduler of torch."""
    if "schedulers" in arguments:
        children = [constructed(optimizer, *call) for call in arguments["schedulers"]]
        arguments = {**arguments, "schedulers": children}
        if name == "ChainedScheduler":
            return lr_scheduler.ChainedScheduler(**arguments)
    return getattr(lr_scheduler, name)(optimizer, **arguments)


def numbers_of_torch(name, arguments, count):
    """The rate and the momentum at each of the steps of the scheduler."""
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    numbers = []
    with warnings.catch_warnings():
        # A sequence of torch warns about its own calls.
        warnings.simplefilter("ignore")
        scheduler = constructed(optimizer, name, arguments)
        for _ in range(count):
            group = optimizer.param_groups[0]
            numbers.append((group["lr"], group["betas"][0]))
            optimizer.step()
            scheduler.step()
    return numbers


def compare(spec, name, arguments, per_move):
    """Compare the numbers of a spec with torch's, at the first and last step of each move."""
    spec = spec.resolve()
    wanted = numbers_of_torch(name, arguments, 30 if name != "OneCycleLR" else 29)
    for move, (rate, momentum) in enumerate(wanted):
        for step in {move * per_move, (move + 1) * per_move - 1}:
            assert spec.lr(step, BASE) == pytest.approx(rate, rel=1e-10, abs=1e-14)
            if spec.also:
                (target,) = spec.also
                assert target.set == "betas[0]"
                base = target.base or 1.0
                assert target.schedule.lr(step, base) == pytest.approx(momentum, rel=1e-12)


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_a_scheduler_that_moves_every_step_has_the_rates_of_torch(name, arguments, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(json.dumps(configuration(name, arguments, "hydra")))
    # Sequences of torch and products with a cosine need the run length.
    made = olm.import_config(file, interval="step", total_steps=30)
    assert made.format == "hydra"
    compare(made.spec, name, arguments, 1)


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_a_scheduler_that_moves_every_epoch_holds_its_rate_for_an_epoch(name, arguments, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(json.dumps(configuration(name, arguments, "lightning")))
    made = olm.import_config(file, steps_per_epoch=PER_EPOCH)
    assert made.format == "lightning"
    assert made.defaults["interval"] == "epoch"
    compare(made.spec, name, arguments, PER_EPOCH)


def test_a_cycle_that_decays_every_epoch_needs_the_number_of_epochs(tmp_path):
    file = tmp_path / "run.yaml"
    cycle = {"base_lr": 0.001, "max_lr": 0.1, "mode": "exp_range", "gamma": 0.9}
    written = configuration("CyclicLR", cycle, "lightning")
    file.write_text(json.dumps({key: written[key] for key in written if key != "trainer"}))
    with pytest.raises(SpecError, match="every step"):
        olm.import_config(file)


REFUSED = [
    ("LambdaLR", {"lr_lambda": "f"}, "needs-code"),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "scale_fn": "f"}, "needs-code"),
    ("NoamLR", {}, "unknown-scheduler"),
    ("StepLR", {"step_size": 4, "gama": 0.1}, "unknown-key"),
    ("StepLR", {}, "needs-key"),
    ("StepLR", {"step_size": 0}, "type"),
    ("StepLR", {"step_size": 4, "gamma": None}, "type"),
    ("StepLR", {"step_size": 2, "last_epoch": 5}, "unsupported-key"),
    ("ConstantLR", {"factor": 0.0}, "unsupported-key"),
    ("SequentialLR", {"milestones": [5], "schedulers": [
        ("LinearLR", {}), ("OneCycleLR", {"max_lr": 0.1, "total_steps": 9})]}, "unsupported-key"),
    ("SequentialLR", {"milestones": [5, 5], "schedulers": []}, "unsupported-key"),
    ("ChainedScheduler", {"schedulers": [
        ("LinearLR", {}), ("CosineAnnealingLR", {"T_max": 5})]}, "unsupported-key"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "code"), REFUSED)
def test_a_call_without_exact_rates_is_refused(name, arguments, code, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(json.dumps(configuration(name, arguments, "hydra")))
    with pytest.raises(SpecError) as error:
        olm.import_config(file, interval="step", total_steps=30)
    assert error.value.problems[0].code == code
    assert error.value.problems[0].place is not None


def test_a_scheduler_of_hydra_needs_its_interval(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(json.dumps(configuration("StepLR", {"step_size": 4}, "hydra")))
    with pytest.raises(SpecError) as error:
        olm.import_config(file)
    assert [problem.code for problem in error.value.problems] == ["interval"]


def test_references_in_a_file_are_resolved(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(
        "trainer: {max_epochs: 12}\n"
        "optimizer: {_target_: torch.optim.SGD, lr: 0.1}\n"
        "lr_scheduler:\n"
        "  interval: epoch\n"
        "  scheduler: {_target_: torch.optim.lr_scheduler.CosineAnnealingLR,\n"
        "              T_max: '${trainer.max_epochs}'}\n"
    )
    schedule = olm.import_config(file).spec.schedule
    assert schedule.scheduler.model_dump()["T_max"] == "12ep"


def test_the_arguments_of_a_class_of_olm_are_the_spec(tmp_path):
    file = tmp_path / "run.yaml"
    for text in (
        "lr_scheduler:\n  class_path: olm.train.schedulers.WarmupLR\n  init_args:\n    {}: 5\n",
        "scheduler:\n  _target_: olm.train.schedulers.WarmupLR\n  {}: 5\n",
        "scheduler:\n  _target_: olm.build\n  spec:\n    kind: WarmupLR\n    {}: 5\n",
    ):
        file.write_text(text.format("warmup_steps"))
        assert olm.import_config(file).spec.schedule.warmup_steps == 5
        file.write_text(text.format("warm_steps"))
        with pytest.raises(SpecError) as error:
            olm.import_config(file)
        assert error.value.problems[0].place.line == len(text.splitlines())
