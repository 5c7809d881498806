"""The code that ``olm export --to torch`` writes, for any schedule and any metrics."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from olm.foreign.exports._targets import Run, export, targets
from olm.kinds import KINDS
from olm.problem import SpecError
from olm.spec.memory import forgotten
from olm.spec.spec import parse
from strategies import schedules

BASES = (0.25, 0.125)


def code_of(document, steps, length_is_known=True):
    """The function of an exported module that makes the scheduler of an optimizer."""
    run = Run(parse(document), BASES[0], steps, length_is_known=length_is_known)
    names = {}
    exec(export(run, targets()["torch"]), names)
    return names["scheduler"]


def optimizer():
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in BASES]
    return torch.optim.SGD(groups, lr=1.0)


@settings(max_examples=50, deadline=None)
@given(schedule=schedules(), steps=st.integers(1, 60), length_is_known=st.booleans())
def test_the_code_has_the_rates_also_beyond_a_run_whose_length_is_unknown(
    schedule, steps, length_is_known
):
    if schedule.metric_driven:
        return
    try:
        scheduler = code_of(schedule.model_dump(mode="json"), steps, length_is_known)
    except SpecError:
        return
    sgd = optimizer()
    made = scheduler(sgd)
    for step in range(steps if length_is_known else 2 * steps + 9):
        expected = [schedule.lr(step, base) for base in BASES]
        found = [group["lr"] for group in sgd.param_groups]
        assert found == pytest.approx(expected, rel=1e-11, abs=1e-11 * max(BASES))
        sgd.step()
        made.step()


@settings(max_examples=30, deadline=None)
@given(
    plateau=schedules(1, kinds={"ReduceLROnPlateau": KINDS["ReduceLROnPlateau"]}),
    metrics=st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.00001, 2.0]), max_size=40),
)
def test_a_plateau_is_that_of_torch_whatever_it_observes(plateau, metrics):
    plateau, sgd = forgotten(plateau), optimizer()
    made = code_of(plateau.model_dump(mode="json"), 40)(sgd)
    for metric in metrics:
        sgd.step()
        made.step(metric)
        plateau = plateau.observe(metric)
        found = [group["lr"] for group in sgd.param_groups]
        assert found == pytest.approx([plateau.lr(0, base) for base in BASES], rel=1e-12)


def test_a_plateau_that_has_observed_metrics_is_refused():
    with pytest.raises(SpecError, match="the schedule has observed metrics, and torch's begins"):
        code_of({"kind": "ReduceLROnPlateau", "best": 1.0, "num_bad_epochs": 2}, 9)


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "ConstantLR", "factor": 0.0, "total_iters": 3},
        {"kind": "RexLR", "total_steps": 4, "beta": 1.0},
    ],
    ids=lambda document: document["kind"],
)
def test_what_would_divide_by_zero_has_a_formula_of_its_own(document):
    sgd = optimizer()
    made = code_of(document, 9)(sgd)
    for step in range(9):
        expected = parse(document).lr(step, BASES[0])
        assert sgd.param_groups[0]["lr"] == pytest.approx(expected, abs=1e-15)
        sgd.step()
        made.step()
