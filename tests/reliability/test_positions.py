"""Positions that are taken over from states whose schedule or param groups are others."""

import logging

import pytest
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.optim.swa_utils import SWALR

import olm
from failures import after
from training import optimizer_of, trained

LINEAR = {"kind": "LinearLR", "total_steps": 250}


class OfOnesOwn(LRScheduler):
    def __init__(self, optimizer, max_steps):
        self.max_steps = max_steps
        super().__init__(optimizer)

    def get_lr(self):
        return [base * (1 - self.last_epoch / self.max_steps) for base in self.base_lrs]


class Function:
    def __init__(self):
        self.length = 250

    def __call__(self, step):
        return 1 - step / self.length


@pytest.mark.reliability("1b")
@pytest.mark.parametrize(
    "make",
    [
        lambda optimizer: OfOnesOwn(optimizer, 250),
        lambda optimizer: LambdaLR(optimizer, Function()),
        lambda optimizer: LambdaLR(optimizer, lambda step: 1 - step / 250),
        lambda optimizer: SWALR(optimizer, swa_lr=0.05),
    ],
)
def test_a_plain_position_is_taken_with_this_spec(make):
    """The state of a class of one's own says its step, and no other library reads it."""
    theirs = make(optimizer_of(1.0))
    trained(theirs, 100)
    ours = after(LINEAR, 0, 1.0)
    ours.load_state_dict(theirs.state_dict(), on_change="spec")
    assert (ours.last_epoch, ours.get_last_lr()) == (100, [0.6])


@pytest.mark.reliability("2a")
def test_a_state_of_an_unknown_class_is_an_error_unless_this_spec_is_chosen():
    """Torch loads the attributes of another class without a word."""
    theirs = OfOnesOwn(optimizer_of(1.0), 250)
    ours = after(LINEAR, 0, 1.0)
    for on_change in ("error", "checkpoint"):
        with pytest.raises(olm.StateError, match="max_steps"):
            ours.load_state_dict(theirs.state_dict(), on_change=on_change)


@pytest.mark.reliability("4a")
def test_other_param_groups_are_reported_by_number_and_continue_with_this_spec(caplog):
    """Torch loads a state of one group into three; it fails in a later step, or never."""
    document = {"kind": "LinearLR", "total_steps": 1000}
    state = {**after(document, 0, 1.0).state_dict(), "last_epoch": 400}
    ours = after(document, 0, 1.0, 0.1, 0.5)
    for on_change in ("error", "checkpoint"):
        with pytest.raises(
            olm.StateError, match=r'has 1 param group, this optimizer 3; .*on_change="spec"'
        ):
            ours.load_state_dict(state, on_change=on_change)
    assert ours.last_epoch == 0
    with caplog.at_level(logging.WARNING, "olm"):
        ours.load_state_dict(state, on_change="spec")
    assert "base_lrs: the checkpoint has 1 param group, this scheduler 3" in caplog.text
    assert (ours.last_epoch, ours.get_last_lr()) == (400, [0.6, 0.06, 0.3])
    built = olm.build(state | document, optimizer_of(1.0, 0.1, 0.5), on_change="spec")
    assert built.get_last_lr() == [0.6, 0.06, 0.3]


@pytest.mark.reliability("4a")
@pytest.mark.parametrize("on_change", ["error", "checkpoint", "spec"])
def test_the_state_of_a_multiplier_in_a_lambda_is_read(on_change):
    """What a LambdaLR saves of an object are its attributes, which no other class reads."""
    document = {"kind": "LinearLR", "total_steps": 10}
    theirs = LambdaLR(optimizer_of(0.5), olm.multiplier(document))
    trained(theirs, 3)
    ours = after(document, 0, 0.5)
    ours.load_state_dict(theirs.state_dict(), on_change=on_change)
    assert (ours.last_epoch, ours.get_last_lr()) == (3, [pytest.approx(0.35)])
    assert trained(ours, 2)[1] == [pytest.approx(0.3)]


@pytest.mark.reliability("1b")
def test_the_state_of_a_multiplier_of_another_schedule_is_an_error_unless_a_side_is_chosen():
    """LambdaLR of torch overwrites the attributes of its object: the old length wins."""
    theirs = LambdaLR(optimizer_of(0.5), olm.multiplier({"kind": "LinearLR", "total_steps": 20}))
    trained(theirs, 3)
    ours = after({"kind": "LinearLR", "total_steps": 10}, 0, 0.5)
    with pytest.raises(olm.StateError, match="total_steps: the checkpoint has 20"):
        ours.load_state_dict(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict(), on_change="checkpoint")
    assert ours.schedule.total_steps == 20


@pytest.mark.reliability("1b")
def test_the_state_of_a_multiplier_for_another_base_rate_is_an_error():
    """A multiplier for another base rate ends at another rate."""
    document = {"kind": "LinearLR", "total_steps": 10, "end_lr": 0.1}
    theirs = LambdaLR(optimizer_of(0.5), olm.multiplier(document, base_lr=1.0))
    ours = after(document, 0, 0.5)
    with pytest.raises(olm.StateError, match=r"lr_lambdas\[0\]"):
        ours.load_state_dict(theirs.state_dict())
