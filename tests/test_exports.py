"""``olm export``: what is written has the rates of the spec, or the spec is refused."""

import json
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

import olm
from olm.cli import FINE, MISUSE, PROBLEMS, main
from olm.foreign.exports._targets import Run, export, targets
from olm.kinds import KINDS
from olm.problem import SpecError
from olm.spec.spec import parse

BASE = 0.25
NO_FORMULA = {"KLAdaptiveLR", "NewBobLR"}
"""The kinds whose rates no formula of the step gives."""

RATES_BY_TORCH = """
import json, sys, warnings
import torch
warnings.simplefilter("error")
for source, steps, base in json.load(sys.stdin):
    names = {}
    exec(source, names)
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{"params": [p], "lr": base * by} for p, by in zip(parameters, (1, 0.5))]
    optimizer = torch.optim.SGD(groups, lr=base)
    scheduler = names["scheduler"](optimizer)
    rates = [[], []]
    for step in range(steps):
        for rate, group in zip(rates, optimizer.param_groups):
            rate.append(group["lr"])
        optimizer.step()
        if "Plateau" in type(scheduler).__name__:
            scheduler.step(1.0)
        else:
            scheduler.step()
    print(json.dumps(rates))
"""


def examples():
    """Each example of each kind, as a run that ends with the schedule and as a longer one."""
    for kind, model in KINDS.items():
        for number, example in enumerate(model.examples):
            spec = parse({"kind": kind, **example})
            horizon = min(spec.schedule.horizon(), 150)
            yield f"{kind}-{number}-whole", Run(spec, BASE, horizon)
            yield f"{kind}-{number}-beyond", Run(spec, BASE, horizon + 20)


RUNS = dict(examples())


def written(name, target="torch"):
    """The text of an example."""
    return export(RUNS[name], targets()[target])


def has_formula(schedule):
    """Whether a formula of the optimizer's steps gives the rates."""
    return schedule.kind not in NO_FORMULA and schedule.axis_of_parts == "steps"


@cache
def rates_by_torch():
    """The rates of each example by its exported code, all in one process without olm."""
    code = {name: written(name) for name, run in RUNS.items() if has_formula(run.schedule)}
    given = [(text, RUNS[name].steps, BASE) for name, text in code.items()]
    done = subprocess.run(
        [sys.executable, "-I", "-c", RATES_BY_TORCH],
        input=json.dumps(given), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(zip(code, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", RUNS)
def test_exported_torch_code_has_the_rates_of_the_spec_in_each_param_group(name):
    run = RUNS[name]
    if not has_formula(run.schedule):
        with pytest.raises(SpecError, match="cannot-export"):
            written(name)
        return
    schedule, rates = run.schedule, rates_by_torch()[name]
    for found, base in zip(rates, (BASE, BASE / 2), strict=True):
        expected = []
        observing = schedule
        for step in range(run.steps):
            expected.append(observing.lr(step, base))
            if schedule.metric_driven:
                observing = observing.observe(1.0)
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12 * BASE)


@pytest.mark.parametrize("name", RUNS)
def test_an_exported_csv_has_every_rate_to_the_digit(name):
    run = RUNS[name]
    if run.schedule.metric_driven:
        with pytest.raises(SpecError, match="a metric moves the rate"):
            written(name, "csv")
        return
    header, *rows = written(name, "csv").splitlines()
    assert header == "step,lr"
    steps, rates = zip(*(map(float, row.split(",")) for row in rows), strict=True)
    assert [*steps] == [*range(run.steps)]
    assert np.array_equal(rates, run.schedule.lr(np.arange(run.steps), BASE))


SAID_BY = {
    "transformers": {
        "HoldLR-0-whole", "CosineAnnealingLR-0-whole", "LinearLR-0-whole", "PhasesLR-0-beyond",
        "InverseSqrtLR-0-whole", "WarmupDecayLR-0-whole", "WarmupStableDecayLR-1-beyond",
        "RepeatLR-0-whole", "PolynomialLR-1-whole",
    },
    "hydra": {
        "HoldLR-0-whole", "CosineAnnealingLR-1-whole", "LinearDecayLR-0-whole",
        "StepLR-0-beyond", "MultiStepLR-1-whole", "ExponentialLR-0-whole", "LinearFactorLR-0-whole",
        "CosineAnnealingWarmRestarts-1-beyond", "PolynomialLR-1-beyond",
    },
}  # fmt: skip
"""Some of the examples that a target must be able to have."""


@pytest.mark.parametrize("target", SAID_BY)
def test_what_is_exported_is_imported_with_the_same_rates_at_every_step(target, tmp_path):
    exported = set()
    for name, run in RUNS.items():
        try:
            text = written(name, target)
        except SpecError:
            continue
        exported.add(name)
        file = tmp_path / "export.yaml"
        file.write_text(text)
        spec = olm.import_config(file, from_=target).spec
        steps = np.arange(run.steps)
        rates = spec.lr(steps, BASE)
        assert rates == pytest.approx(run.schedule.lr(steps, BASE), rel=1e-12, abs=1e-12 * BASE)
    assert SAID_BY[target] <= exported


def test_a_refusal_names_the_nearest_and_its_largest_difference():
    # A line of 100 steps and RexLR at step 59: 0.25 (0.41 / 0.705 - 0.41) = 0.0429.
    with pytest.raises(SpecError, match=r"the nearest is linear, which .* 0\.0429, at"):
        written("RexLR-0-whole", "transformers")


def test_a_spec_that_also_schedules_another_number_is_refused():
    decay = {"set": "weight_decay", "schedule": {"kind": "LinearLR", "total_steps": 4}}
    spec = parse({"kind": "HoldLR", "also": [decay]})
    with pytest.raises(SpecError, match="also schedules weight_decay"):
        export(Run(spec, BASE, 4), targets()["csv"])


@pytest.fixture
def spec_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.olm.yaml"
    path.write_text("kind: LinearLR\ntotal_steps: 50%\nend_lr: 0.1\n")
    return path.name


def test_the_length_and_the_base_rate_come_from_options(spec_file, capsys):
    command = ["export", spec_file, "--to", "csv", "--total-steps", "4", "--base-lr", "0.5"]
    assert main(command) == FINE
    assert capsys.readouterr().out == "step,lr\n0,0.5\n1,0.3\n2,0.1\n3,0.1\n"
    assert main([*command, "--steps", "2"]) == FINE
    assert capsys.readouterr().out == "step,lr\n0,0.5\n1,0.3\n"


def test_without_a_length_the_command_names_what_is_missing(spec_file, capsys):
    assert main(["export", spec_file, "--to", "csv", "--base-lr", "0.5"]) == PROBLEMS
    assert "total_steps: 50% needs total_steps (--total-steps N)" in capsys.readouterr().err


def test_rates_that_are_not_proportional_need_a_base_rate(spec_file, capsys):
    assert main(["export", spec_file, "--to", "torch", "--total-steps", "4"]) == MISUSE
    assert "the base rate is unknown: add --base-lr" in capsys.readouterr().err


def test_an_existing_file_is_overwritten_only_by_force(spec_file, tmp_path, capsys):
    command = ["export", spec_file, "--to", "csv", "--total-steps", "4", "--base-lr", "1"]
    (tmp_path / "out.csv").write_text("mine")
    assert main([*command, "--out", "out.csv"]) == MISUSE
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert main([*command, "--out", "out.csv", "--force"]) == FINE
    assert "wrote out.csv: CSV" in capsys.readouterr().out


def test_an_unknown_target_is_met_with_a_suggestion(spec_file, capsys):
    assert main(["export", spec_file, "--to", "toch"]) == MISUSE
    assert "there is no target toch: did you mean torch?" in capsys.readouterr().err
