"""``olm export`` for trainers: what is written is imported with the same rates, or is refused."""

import numpy as np
import pytest

import olm
from olm.foreign.exports._targets import Run, export, targets
from olm.problem import SpecError
from olm.spec.spec import parse
from test_exports import BASE, RUNS

FORMATS = {
    "torchtitan": ("torchtitan", ".toml"),
    "megatron": ("megatron", ".sh"),
    "optax": ("optax", ".py"),
    "transformers-call": ("transformers", ".py"),
}
"""The format of `olm import` that a target is read by, and the end of the name of its files."""

SEARCHED = ("torchtitan", "megatron", "optax")
"""The targets whose candidates no other test tries."""

WRITTEN = {
    "torchtitan": {
        "HoldLR-0-beyond", "ConstantLR-0-whole", "CosineAnnealingLR-0-whole",
        "FlatCosineLR-0-whole", "LinearLR-0-whole", "RampLR-2-whole", "SequentialLR-0-whole",
        "WarmupLR-0-beyond", "WarmupCosineScheduler-0-whole",
    },
    "megatron": {
        "HoldLR-0-whole", "CosineAnnealingLR-1-beyond", "FlatCosineLR-0-beyond",
        "LinearFactorLR-1-beyond", "InverseSqrtLR-0-whole", "PhasesLR-0-whole",
        "TableLR-1-whole", "WarmupDecayLR-0-beyond", "WarmupStableDecayLR-1-whole",
    },
    "optax": {
        "ChainedScheduler-0-beyond", "CosineAnnealingWarmRestarts-1-beyond", "CyclicLR-1-whole",
        "ExponentialLR-0-whole", "MaximumLR-0-whole", "MultiStepLR-0-beyond", "OneCycleLR-1-whole",
        "PolynomialLR-1-beyond", "RepeatLR-1-whole", "TableLR-1-whole", "TimeLR-0-whole",
        "TimeLR-1-beyond", "TriStageLR-0-beyond", "WarmupDecayLR-2-whole",
        "WarmupStableDecayLR-2-beyond",
    },
    "transformers-call": {"HoldLR-0-whole", "PhasesLR-0-beyond", "WarmupStableDecayLR-1-whole"},
}  # fmt: skip
"""Some of the examples that a target must be able to have."""


def imported(target, run, folder):
    """The rates of an exported run at every step, as `olm import` reads it; None if refused."""
    form, suffix = FORMATS[target]
    try:
        text = export(run, targets()[target])
    except SpecError as error:
        if [problem.code for problem in error.problems] != ["cannot-export"]:
            raise
        return None
    file = folder / f"export{suffix}"
    file.write_text(text)
    spec = olm.import_config(file, from_=form).spec.resolve()
    return spec.lr(np.arange(run.steps), dict(spec.optimizer)["lr"])


@pytest.mark.parametrize("target", FORMATS)
def test_a_configuration_is_imported_with_the_same_rates_at_every_step(target, tmp_path):
    exported = set()
    # Each example of each kind, and those beyond whose end the target goes on.
    whole = {name for name in RUNS if name.endswith("whole")} if target in SEARCHED else set()
    for name in sorted(whole | WRITTEN[target]):
        run = RUNS[name]
        if (rates := imported(target, run, tmp_path)) is not None:
            exported.add(name)
            expected = run.schedule.lr(np.arange(run.steps), BASE)
            assert rates == pytest.approx(expected, rel=1e-12, abs=1e-12 * BASE), name
    assert WRITTEN[target] <= exported


GROWING = {
    "total_steps": "2001sp",
    "rounding": "down",
    "batch_ramp": {"start": 8, "end": 32, "by": 4, "over": "300sp"},
}
CURVE = {"kind": "WarmupDecayLR", "warmup_steps": "33sp", "total_steps": "2001sp"}


@pytest.mark.parametrize("batch", [{"samples_per_step": 16}, {}], ids=["constant", "growing"])
def test_a_curve_along_samples_is_written_in_the_samples_of_megatron(batch, tmp_path):
    clock = {**GROWING, **batch}
    if batch:
        del clock["batch_ramp"]
    spec = parse({"kind": "TimeLR", "axis": "samples", "scheduler": CURVE, "clock": clock})
    spec = spec.resolve()
    run = Run(spec, BASE, spec.clock.total_steps)
    rates = imported("megatron", run, tmp_path)
    assert rates == pytest.approx(spec.lr(np.arange(run.steps), BASE), rel=1e-12)


def test_a_batch_that_grows_by_stages_is_refused_by_megatron():
    stages = [{"from": 0, "samples": 8}, {"from": 9, "samples": 16}]
    spec = parse({"kind": "HoldLR", "clock": {"total_steps": 20, "batch_stages": stages}})
    with pytest.raises(SpecError, match="grows by --rampup-batch-size alone"):
        export(Run(spec, BASE, 20), targets()["megatron"])


def test_the_warm_up_of_torchtitan_begins_one_increment_above_zero(tmp_path):
    # A rise from exactly 0 is one step late there: 0.25 / 10.
    run = RUNS["WarmupDecayLR-1-whole"]
    with pytest.raises(SpecError, match=r"the nearest is linear, which differs by up to 0\.025, "):
        export(run, targets()["torchtitan"])


def test_rates_that_float32_does_not_have_are_refused_by_optax():
    spec = parse({"kind": "HoldLR", "factor": 1e-40})
    with pytest.raises(SpecError, match="float32, which has no rates as small as these"):
        export(Run(spec, BASE, 9), targets()["optax"])


def test_a_curve_that_is_no_piece_of_optax_is_refused_though_short_parts_are_lines():
    run = Run(parse({"kind": "RexLR", "total_steps": 200_000}), BASE, 200_000)
    with pytest.raises(SpecError, match="the nearest is polynomial_schedule, which differs by up"):
        export(run, targets()["optax"])
