"""OpenLanguageModel: its own source code constructs our schedulers, with its rates to the bit.

`test_against_peers.py` compares the specs with its rates; these tests are about its classes.
"""

import copy
import inspect
import io
import json
import pickle
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import LRScheduler

import olm
from olm.train import schedulers
from olm.train.schedulers import SchedulerBase
from training import optimizer_of, rates_of, trained

PEER = json.loads((Path(__file__).parent / "peers/openlanguagemodel.json").read_text())
PATHS = {
    "olm.train.schedulers.base": ["SchedulerBase"],
    "olm.train.schedulers.linear": ["SchedulerBase", "LinearLR", "LinearDecayLR"],
    "olm.train.schedulers.cosine": ["CosineAnnealingLR"],
    "olm.train.schedulers.warmup": ["WarmupLR", "WarmupCosineScheduler"],
}
ARGUMENTS = {
    "LinearLR": {"total_steps": 10, "end_lr": 0.01, "start_factor": 0.5},
    "LinearDecayLR": {"total_steps": 10},
    "CosineAnnealingLR": {"T_max": 10, "eta_min": 0.01},
    "WarmupLR": {"warmup_steps": 4, "start_lr": 0.01},
    "WarmupCosineScheduler": {"warmup_steps": 3, "total_steps": 10, "min_lr": 0.01},
}
INFINITE = [float("nan"), float("inf"), -float("inf"), np.float64("nan"), np.float32("inf")]
WRONG = [-1, -1e-9, *INFINITE, True, np.True_, "3", None, [3], 10**400, 1j]
EACH_ARGUMENT = [(kind, name) for kind, arguments in ARGUMENTS.items() for name in arguments]


def made(row, optimizer):
    """The rates of our classes when the source code of the peer constructs and steps them."""
    return eval(row["peer"], {**vars(schedulers), "optimizer": optimizer})


def test_all_its_rates_are_compared_without_exception():
    assert (PEER["version"], PEER["tolerance"]) == ("2.2.1", 0)
    assert (len(PEER["rows"]), len(PEER["refused"])) == (143, 10)
    assert not any("instead" in row for row in PEER["rows"])
    assert {row["olm"]["kind"] for row in PEER["rows"]} == {*ARGUMENTS}


@pytest.mark.parametrize("row", PEER["rows"], ids=range(143))
def test_its_source_code_steps_our_classes_through_its_rates_to_the_bit(row):
    scheduler = made(row, optimizer_of(row["base_lr"]))
    assert scheduler.schedule == olm.parse(row["olm"]).schedule
    rates = {}
    scheduler.optimizer.step()
    for step in range(row["steps"][-1] + 1):
        rates[step] = scheduler.optimizer.param_groups[0]["lr"]
        scheduler.step()
    assert [rates[step] for step in row["steps"]] == row["values"]
    assert all(type(rate) is float for rate in rates.values())


@pytest.mark.parametrize("row", PEER["refused"], ids=range(10))
def test_settings_on_which_it_fails_are_rejected_by_name_before_anything_changes(row):
    optimizer = optimizer_of(0.5)
    with pytest.raises(ValueError, match=rf"\b{row['argument']}\b"):
        made(row, optimizer)
    assert "initial_lr" not in optimizer.param_groups[0]


@pytest.mark.parametrize(("kind", "argument"), EACH_ARGUMENT)
@pytest.mark.parametrize("wrong", WRONG)
def test_negative_and_non_finite_numbers_are_rejected_by_name(kind, argument, wrong):
    optimizer = optimizer_of(0.5)
    with pytest.raises(ValueError, match=rf"\b{argument} must be"):
        getattr(schedulers, kind)(optimizer, **{**ARGUMENTS[kind], argument: wrong})
    assert "initial_lr" not in optimizer.param_groups[0]


@pytest.mark.parametrize(("kind", "argument"), EACH_ARGUMENT)
def test_numbers_of_numpy_are_converted(kind, argument):
    value = ARGUMENTS[kind][argument]
    likes = [np.int64, np.uint8, np.float64] if isinstance(value, int) else [np.float64, np.float16]
    for like in likes:
        given = {**ARGUMENTS[kind], argument: like(value)}
        scheduler = getattr(schedulers, kind)(optimizer_of(0.5), **given)
        kept = getattr(scheduler.schedule, argument)
        assert (type(kept), kept) == (type(value), float(like(value)))
        assert json.loads(json.dumps(scheduler.state_dict())) == scheduler.state_dict()


@pytest.mark.parametrize(
    ("kind", "signature"),
    [
        ("LinearLR", "(optimizer, total_steps, end_lr=0, start_factor=1.0, last_epoch=-1)"),
        ("LinearDecayLR", "(optimizer, total_steps, last_epoch=-1)"),
        ("CosineAnnealingLR", "(optimizer, T_max, eta_min=0, last_epoch=-1)"),
        ("WarmupLR", "(optimizer, warmup_steps, start_lr=0, last_epoch=-1)"),
        (
            "WarmupCosineScheduler",
            "(optimizer, warmup_steps, total_steps, min_lr=0, last_epoch=-1)",
        ),
        ("SchedulerBase", "(optimizer, last_epoch=-1, verbose=False)"),
    ],
)
def test_order_names_and_defaults_of_the_arguments_are_its_own(kind, signature):
    theirs = inspect.signature(eval(f"lambda {signature[1:-1]}: None")).parameters.values()
    ours = inspect.signature(getattr(schedulers, kind)).parameters.values()
    assert [(it.name, it.kind, it.default) for it in ours] == [
        (it.name, it.kind, it.default) for it in theirs
    ]


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_arguments_can_be_positional(kind):
    given = ARGUMENTS[kind]
    by_position = getattr(schedulers, kind)(optimizer_of(0.5), *given.values(), -1)
    by_name = getattr(schedulers, kind)(optimizer=optimizer_of(0.5), last_epoch=-1, **given)
    assert by_position.state_dict() == by_name.state_dict()
    for wrong in ({**given, "colour": 1}, dict.fromkeys([*given][1:], 0)):
        with pytest.raises(TypeError):
            getattr(schedulers, kind)(optimizer_of(0.5), **wrong)


def test_the_classes_have_its_import_paths_and_are_torch_schedulers():
    for path, names in PATHS.items():
        for name in names:
            assert getattr(import_module(path), name) is getattr(schedulers, name)
            assert name in schedulers.__all__
            assert issubclass(getattr(schedulers, name), LRScheduler)
            assert issubclass(getattr(schedulers, name), SchedulerBase)


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_a_state_that_it_saved_is_resumed(kind):
    original = getattr(schedulers, kind)(optimizer_of(0.5, 0.1), **ARGUMENTS[kind])
    trained(original, 5)
    theirs = {
        **ARGUMENTS[kind],
        "base_lrs": [0.5, 0.1],
        "last_epoch": 5,
        "_step_count": 6,
        "_is_initial": False,
        "_last_lr": original.get_last_lr(),
    }
    live = getattr(schedulers, kind)(optimizer_of(0.5, 0.1), **ARGUMENTS[kind])
    live.load_state_dict(theirs)
    assert live.state_dict() == original.state_dict()
    assert trained(live, 9) == trained(original, 9)


class MyScheduler(SchedulerBase):
    """Its example of a user-defined scheduler."""

    def __init__(self, optimizer, param, last_epoch=-1):
        self.param = param
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return [base_lr * self.param**self.last_epoch for base_lr in self.base_lrs]


class Remembering(MyScheduler):
    """A scheduler with a list, a function and a closed form."""

    def __init__(self, optimizer):
        self.seen = [[1]]
        self.function = abs
        super().__init__(optimizer, 0.5)

    def _get_closed_form_lr(self):
        return [-1.0 for _ in self.base_lrs]


def test_its_example_of_a_subclass_steps():
    scheduler = MyScheduler(optimizer_of(0.5, 0.1), 0.5)
    assert trained(scheduler, 3) == [[0.5, 0.1], [0.25, 0.05], [0.125, 0.025]]
    assert scheduler.get_last_lr() == rates_of(scheduler.optimizer) == [0.0625, 0.0125]
    assert isinstance(scheduler, LRScheduler)


def test_a_subclass_needs_only_get_lr():
    for incomplete in (SchedulerBase, type("Nothing", (SchedulerBase,), {})):
        with pytest.raises(TypeError, match="abstract"):
            incomplete(optimizer_of(0.5))
    complete = type("Half", (SchedulerBase,), {"get_lr": lambda self: [0.25]})
    scheduler = complete(optimizer_of(0.5))
    assert scheduler.get_last_lr() == scheduler._get_closed_form_lr() == [0.25]


def test_verbose_prints_every_update(capsys):
    class Loud(SchedulerBase):
        def get_lr(self):
            return [base / (self.last_epoch + 1) for base in self.base_lrs]

    scheduler = Loud(optimizer_of(0.5, 0.1), verbose=True)
    trained(scheduler, 1)
    assert capsys.readouterr().out.splitlines() == [
        "Adjusting learning rate of group 0 to 5.0000e-01.",
        "Adjusting learning rate of group 1 to 1.0000e-01.",
        "Adjusting learning rate of group 0 to 2.5000e-01.",
        "Adjusting learning rate of group 1 to 5.0000e-02.",
    ]
    trained(Loud(optimizer_of(0.5)), 1)
    assert capsys.readouterr().out == ""


def test_the_closed_form_serves_steps_of_torch_with_an_epoch():
    scheduler = Remembering(optimizer_of(0.5))
    scheduler.optimizer.step()
    with pytest.warns(UserWarning, match="epoch parameter"):
        scheduler.step(7)
    assert (scheduler.last_epoch, rates_of(scheduler.optimizer)) == (7, [-1.0])


def test_the_state_of_a_subclass_is_its_attributes_without_callables_and_those_of_torch():
    scheduler = Remembering(optimizer_of(0.5))
    trained(scheduler, 2)
    assert scheduler.state_dict() == {
        "seen": [[1]],
        "param": 0.5,
        "base_lrs": [0.5],
        "last_epoch": 2,
        "_step_count": 3,
        "_last_lr": [0.125],
    }


def test_the_state_of_a_subclass_holds_copies_in_both_directions():
    scheduler = Remembering(optimizer_of(0.5))
    state = scheduler.state_dict()
    before = copy.deepcopy(state)
    scheduler.seen[0].append(2)
    scheduler.base_lrs.append(0.1)
    assert state == before
    scheduler.load_state_dict(state)
    state["seen"][0].append(3)
    state["base_lrs"].append(0.3)
    assert scheduler.state_dict() == before
    scheduler.get_last_lr()[0] = 9.0
    assert scheduler.get_last_lr() == [0.5]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"parm": 0.1}, "`parm`: unknown, did you mean `param`?"),
        ({"step": "pwned"}, "`step`: unknown"),
        ({"param": ...}, "param: missing"),
        ({"seen": ...}, "seen: missing"),
        ({"last_epoch": ...}, "last_epoch: missing"),
        ({"base_lrs": [0.5, 0.5]}, "base_lrs"),
        ({"last_epoch": 1.5}, "last_epoch"),
        ({"param": "0.5"}, "param"),
    ],
)
def test_a_state_of_another_class_is_rejected_and_changes_nothing(change, error):
    scheduler = Remembering(optimizer_of(0.5))
    trained(scheduler, 2)
    before = scheduler.state_dict()
    state = {k: v for k, v in {**before, **change}.items() if v is not ...}
    with pytest.raises(olm.StateError) as caught:
        scheduler.load_state_dict(state)
    assert error in str(caught.value)
    assert scheduler.state_dict() == before
    assert rates_of(scheduler.optimizer) == [0.125]


def _through_torch(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


@pytest.mark.parametrize("through", [copy.deepcopy, _through_torch])
@pytest.mark.parametrize("make", [lambda optimizer: MyScheduler(optimizer, 0.5), Remembering])
def test_a_subclass_resumes_from_its_state(make, through):
    scheduler = make(optimizer_of(0.5, 0.1))
    trained(scheduler, 2)
    again = make(optimizer_of(0.5, 0.1))
    again.load_state_dict(through(scheduler.state_dict()))
    assert rates_of(again.optimizer) == rates_of(scheduler.optimizer)
    again.optimizer.step()
    assert trained(again, 3) == trained(scheduler, 3)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_subclass_is_copied_and_pickled_with_its_optimizer(clone):
    scheduler = Remembering(optimizer_of(0.5, 0.1))
    trained(scheduler, 2)
    twin = clone(scheduler)
    assert type(twin) is Remembering
    assert twin.optimizer is not scheduler.optimizer
    assert twin.state_dict() == scheduler.state_dict()
    assert trained(twin, 3) == trained(scheduler, 3)
