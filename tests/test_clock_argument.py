"""What `olm.build` takes as `clock=`, and what it refuses, with the form that works."""

import pytest
import torch

import olm
from olm.spec.digest import digest
from olm.train.hosts._beginning import clock_over

SPEC = {"kind": "LinearLR", "total_steps": "50%"}

DIGEST = {"digest": digest(olm.parse({"kind": "HoldLR"}).schedule, ())}


def optimizer():
    return torch.optim.SGD([torch.zeros(1)], lr=0.5)


def counted_steps(clock):
    scheduler = olm.build(SPEC, optimizer(), clock=clock)
    return scheduler.schedule.total_steps


def test_a_mapping_is_a_clock():
    assert counted_steps({"total_steps": 160}) == counted_steps(olm.Clock(total_steps=160)) == 80


@pytest.mark.parametrize(
    ("clock", "message"),
    [
        (160, r"such as clock=olm\.Clock\(total_steps=160\), found 160"),
        ("160", r"such as clock=olm\.Clock\(total_steps=1000\), found the string '160'"),
        (True, r"such as clock=olm\.Clock\(total_steps=1000\), found true"),
        ([160], r"such as clock=olm\.Clock\(total_steps=1000\), found a list"),
    ],
)
def test_what_is_no_clock_is_refused_with_the_form_that_works(clock, message):
    unchanged = optimizer()
    with pytest.raises(olm.OlmError, match=f"^clock must be an olm.Clock, {message}$"):
        olm.build(SPEC, unchanged, clock=clock)
    assert "initial_lr" not in unchanged.param_groups[0]


def test_a_mapping_with_a_misspelt_field_is_refused_by_its_name():
    with pytest.raises(olm.SpecError, match=r"clock.*total_step.*did you mean `total_steps`"):
        olm.build(SPEC, optimizer(), clock={"total_step": 160})


def test_a_missing_clock_is_reported_with_the_argument_that_passes_one():
    with pytest.raises(olm.SpecError, match=r"clock=olm\.Clock\("):
        olm.build(SPEC, optimizer())


TAKERS = {
    "Spec.plan": lambda clock: olm.parse(SPEC).plan(clock).schedule,
    "Spec.resolve": lambda clock: olm.parse(SPEC).resolve(clock).schedule,
    "Schedule.plan": lambda clock: olm.parse(SPEC).schedule.plan(clock).schedule,
    "Schedule.resolve": lambda clock: olm.parse(SPEC).schedule.resolve(clock),
    "multiplier": lambda clock: olm.multiplier(SPEC, clock=clock).schedule,
    "build": lambda clock: olm.build(SPEC, optimizer(), clock=clock).schedule,
    "branch": lambda clock: branch_of(clock),
    "host": lambda clock: olm.parse(SPEC).resolve(clock_over(clock, olm.Clock())).schedule,
}


def branch_of(clock):
    state = olm.parse({"kind": "HoldLR", "last_epoch": 5, "base_lrs": [0.5], **DIGEST})
    return olm.branch(state, hold=True, clock=clock).schedule


@pytest.mark.parametrize("taker", TAKERS)
def test_everything_that_takes_a_clock_takes_a_mapping_and_names_the_form_that_works(taker):
    take = TAKERS[taker]
    assert take({"total_steps": 160}) == take(olm.Clock(total_steps=160))
    with pytest.raises(olm.OlmError, match=r"such as clock=olm\.Clock\(total_steps=160\)"):
        take(160)
    with pytest.raises(olm.SpecError, match=r"clock\.total_step.*did you mean `total_steps`"):
        take({"total_step": 160})


def test_a_spec_in_steps_refuses_what_is_no_clock_too():
    with pytest.raises(olm.OlmError, match="clock must be an"):
        olm.multiplier({"kind": "LinearLR", "total_steps": 4}, clock=4)
