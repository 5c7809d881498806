"""What a state says, and what is refused as none. Rows 2, 4 and 5."""

import copy
import io
import json
import math
import pickle
from collections import Counter

import pytest
import torch
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    MultiStepLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

import olm
from failures import after, raised, snapshot, still
from training import BASES, EXAMPLES, optimizer_of, rates_of, trained, wanted

COSINE = {"kind": "CosineAnnealingLR", "T_max": 10}
STEP = {"kind": "StepLR", "step_size": 2, "gamma": 0.5}
FALL = {"kind": "ExponentialLR", "gamma": 0.9}
FLAT = {"kind": "ConstantLR", "factor": 0.3, "total_iters": 4}


def sequence(*parts, milestones):
    return {"kind": "SequentialLR", "schedulers": [*parts], "milestones": [*milestones]}


GARBAGE = {
    "nothing at all": {},
    "a typo": {"T_maxx": 3},
    "a string for a step": {"last_epoch": "3"},
    "half a step": {"last_epoch": 2.5},
    "a step before the first": {"last_epoch": -7},
    "true for a step": {"last_epoch": True},
    "nan for a step": {"last_epoch": math.nan},
    "a step beyond all numbers": {"last_epoch": 10**400},
    "no length": {"T_max": 0},
    "null for a length": {"T_max": None},
    "no base rates": {"base_lrs": []},
    "three base rates": {"base_lrs": [1.0, 2.0, 3.0]},
    "a method": {"step": "pwned"},
    "an optimizer": {"optimizer": "x"},
    "StepLR's": {"step_size": 3, "gamma": 0.1},
}


@pytest.mark.reliability("2a")
@pytest.mark.parametrize(
    ("garbage", "on_change"),
    [
        pytest.param(garbage, on_change, id=f"{name}-{on_change}")
        for name, garbage in GARBAGE.items()
        for on_change in ("error", "checkpoint", "spec")
        # With "spec", other param groups keep their own base rates: see test_positions.
        if (name, on_change) != ("three base rates", "spec")
    ],
)
def test_anything_but_a_state_is_rejected_and_changes_nothing(garbage, on_change):
    """Torch loads any mapping: {}, typos, nan, even one that replaces step()."""
    theirs = CosineAnnealingLR(optimizer_of(0.5), 10)
    still("torch takes it", raised(theirs.load_state_dict, garbage) == "nothing")

    ours = after(COSINE, 3)
    before = snapshot(ours)
    state = ours.state_dict() | garbage if garbage else {}
    given = copy.deepcopy(state)
    with pytest.raises(olm.StateError) as caught:
        ours.load_state_dict(state, on_change=on_change)
    assert isinstance(caught.value, ValueError)
    assert all(key in str(caught.value) for key in garbage)
    assert len(str(caught.value)) < 1000
    assert snapshot(ours) == before
    assert str(state) == str(given)


@pytest.mark.reliability("2a")
def test_the_state_of_another_object_is_rejected():
    """Torch accepts the state of an optimizer or a model, or a list of pairs."""
    theirs, ours = CosineAnnealingLR(optimizer_of(0.5), 10), after(COSINE, 3)
    before = snapshot(ours)
    others = [
        ours.optimizer.state_dict(),
        torch.nn.Linear(1, 1).state_dict(),
        StepLR(optimizer_of(0.5), 2).state_dict(),
        [*ours.state_dict().items()],
    ]
    for other in others:
        still("torch takes it", raised(theirs.load_state_dict, other) == "nothing")
        with pytest.raises(olm.StateError):
            ours.load_state_dict(other)
        assert snapshot(ours) == before


@pytest.mark.reliability("2b")
def test_a_state_with_one_bad_child_changes_nothing():
    """SequentialLR of torch with one bad child in its state raises half way through loading."""

    def theirs():
        optimizer = optimizer_of(0.5)
        parts = [ConstantLR(optimizer, 0.5, 3), ExponentialLR(optimizer, 0.9)]
        return SequentialLR(optimizer, parts, [3])

    old, live = theirs(), theirs()
    trained(old, 5)
    state = old.state_dict()
    state["_schedulers"][1] = None
    outcome = raised(live.load_state_dict, state)
    still("it raises after it has changed the step", (outcome, live.last_epoch) == ("TypeError", 5))

    document = sequence(FLAT, FALL, milestones=[3])
    state = after(document, 5).state_dict()
    ours = after(document, 1)
    before = snapshot(ours)
    for bad in (None, {}, {"kind": "ExponentialLR"}, {**FALL, "gamma": -1}, {**FALL, "x": 1}):
        state["schedulers"][1] = bad
        with pytest.raises(olm.StateError, match=r"schedulers\[1\]"):
            ours.load_state_dict(state)
        assert snapshot(ours) == before


@pytest.mark.reliability("2b", "6")
@pytest.mark.parametrize("document", EXAMPLES)
def test_a_step_that_fails_for_one_group_changes_none(document):
    """With an extra group, LambdaLR of torch counts the step and sets one rate, then raises."""
    theirs = LambdaLR(optimizer_of(0.5), lambda step: 1 - step / 10)
    theirs.optimizer.add_param_group({"params": [torch.zeros(1)], "lr": 0.1})
    theirs.optimizer.step()
    outcome = raised(theirs.step)
    result = (outcome, theirs.last_epoch, rates_of(theirs.optimizer))
    still("one group has stepped", result == ("ValueError", 1, [0.45, 0.1]))

    ours = after(document, 3, *BASES)
    late = {"params": [torch.zeros(1)], "lr": math.nan}
    before = snapshot(ours)
    ours.optimizer.param_groups.append(late)
    for take in (ours.step, ours.state_dict):
        metric = [1.0] if take == ours.step and isinstance(ours, ReduceLROnPlateau) else []
        with pytest.raises(olm.RateError, match=r"param_groups\[3\].* found nan"):
            take(*metric)
    assert ours.optimizer.param_groups.pop() is late
    assert (snapshot(ours), str(late["lr"]), "initial_lr" in late) == (before, "nan", False)


@pytest.mark.reliability("2c")
@pytest.mark.parametrize(
    ("saved", "live", "differs"),
    [
        (
            sequence(STEP, FALL, milestones=[3]),
            sequence(STEP, FALL, FLAT, milestones=[3, 6]),
            "schedulers: the checkpoint has 2 items, this scheduler 3",
        ),
        (
            sequence(STEP, FALL, FLAT, milestones=[3, 6]),
            sequence(STEP, FALL, milestones=[3]),
            "schedulers: the checkpoint has 3 items, this scheduler 2",
        ),
        (
            sequence(STEP, FALL, milestones=[3]),
            sequence(FALL, STEP, milestones=[3]),
            r"schedulers\[0\].kind: the checkpoint has StepLR, this scheduler ExponentialLR",
        ),
    ],
    ids=["more", "fewer", "swapped"],
)
def test_a_state_with_other_or_reordered_children_is_rejected(saved, live, differs):
    """SequentialLR of torch silently loads a state with fewer or swapped children."""
    make = {
        "StepLR": lambda optimizer: StepLR(optimizer, 2, 0.5),
        "ExponentialLR": lambda optimizer: ExponentialLR(optimizer, 0.9),
        "ConstantLR": lambda optimizer: ConstantLR(optimizer, 0.3, 4),
    }

    def torchs(document):
        optimizer = optimizer_of(0.5)
        parts = [make[part["kind"]](optimizer) for part in document["schedulers"]]
        return SequentialLR(optimizer, parts, document["milestones"])

    fewer = len(live["schedulers"]) < len(saved["schedulers"])
    outcome = raised(torchs(live).load_state_dict, torchs(saved).state_dict())
    still("only a state of more children fails", outcome == ("IndexError" if fewer else "nothing"))

    ours = after(live, 1)
    before = snapshot(ours)
    with pytest.raises(olm.StateError, match=differs):
        ours.load_state_dict(after(saved, 4).state_dict())
    assert snapshot(ours) == before


def containers(value):
    """The ids of all lists and mappings in a value, nested ones too."""
    if isinstance(value, dict | list | Counter):
        yield id(value)
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


@pytest.mark.reliability("2d")
@pytest.mark.parametrize("document", EXAMPLES)
def test_a_state_and_the_scheduler_share_no_list_and_no_mapping(document):
    """A state of torch is not a copy: changing it changes the scheduler (#162359)."""
    theirs = MultiStepLR(optimizer_of(0.5), [3])
    still("the milestones are shared", theirs.state_dict()["milestones"] is theirs.milestones)
    still("so are the last rates", theirs.get_last_lr() is theirs._last_lr)

    ours = after(document, 3, *BASES)
    state = ours.state_dict()
    assert not {*containers(state)} & {*containers(ours.state_dict())}
    ours.load_state_dict(state)
    kept = copy.deepcopy(state)
    for given in (state["base_lrs"], ours.get_last_lr(), ours.get_lr()):
        given[0] = 99.0
    for part in state.get("schedulers", []):
        part.clear()
    state.clear()
    assert ours.state_dict() == kept
    assert trained(ours, 9) == wanted(document, 9, start=3)


@pytest.mark.reliability("2e")
@pytest.mark.parametrize("document", EXAMPLES)
def test_a_state_has_the_fields_of_the_schedule_and_three_other_keys(document):
    """Torch saves internal flags; a state with _is_initial stops its cosine forever."""
    theirs = CosineAnnealingLR(optimizer_of(0.5), 10)
    theirs.load_state_dict({**theirs.state_dict(), "_is_initial": True})
    still("the rate never falls", trained(theirs, 5) == [[0.5]] * 5)

    fields = set(type(olm.parse(document).schedule).model_fields)
    state = after(document, 3).state_dict()
    assert {*state} == fields | {"last_epoch", "base_lrs", "digest"}
    with pytest.raises(olm.StateError, match="_is_initial"):
        after(document, 0).load_state_dict({**state, "_is_initial": True})


class Counting:
    """A lambda that is an object, with a counter."""

    def __init__(self):
        self.calls = 0

    def __call__(self, step):
        self.calls += 1
        return 1.0


@pytest.mark.reliability("4a")
def test_a_state_contains_the_whole_schedule_and_no_code():
    """LambdaLR saves the counters of an object, but nothing of a function."""
    plain = LambdaLR(optimizer_of(0.5), lambda step: 1.0)
    still("a function is null in the state", plain.state_dict()["lr_lambdas"] == [None])
    counting = LambdaLR(optimizer_of(0.5), Counting())
    still("an object is its counters", counting.state_dict()["lr_lambdas"] == [{"calls": 1}])
    builtin = LambdaLR(optimizer_of(0.5), math.cos)
    still("math.cos cannot be saved", raised(builtin.state_dict) == "AttributeError")

    for example in EXAMPLES:
        (document,) = example.values
        state = after(document, 3, *BASES).state_dict()
        assert olm.build(state, optimizer_of(*BASES)).schedule.kind == document["kind"]
        assert json.loads(json.dumps(state, allow_nan=False)) == state


@pytest.mark.reliability("4a", "6")
def test_a_state_of_one_group_does_not_load_into_three():
    """Torch loads a state of one group into three; it fails in a later step, or never."""
    state = LambdaLR(optimizer_of(0.5), lambda step: 1.0).state_dict()
    theirs = LambdaLR(optimizer_of(*BASES), lambda step: 1.0)
    still("torch takes it", raised(theirs.load_state_dict, state) == "nothing")
    theirs.optimizer.step()
    still("it fails when it steps", raised(theirs.step) == "ValueError")

    ours = after(FALL, 1, *BASES)
    before = snapshot(ours)
    for on_change in ("error", "checkpoint"):
        with pytest.raises(olm.StateError, match="has 1 param group, this optimizer 3"):
            ours.load_state_dict(after(FALL, 3).state_dict(), on_change=on_change)
    assert snapshot(ours) == before


@pytest.mark.reliability("4b")
@pytest.mark.parametrize("document", EXAMPLES)
def test_a_state_loads_with_weights_only(document):
    """A scheduler that is pickled as an object does not load with weights_only=True."""
    buffer = io.BytesIO()
    torch.save(CosineAnnealingLR(optimizer_of(0.5), 10), buffer)
    buffer.seek(0)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(buffer, weights_only=True)

    state = after(document, 3).state_dict()
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    assert torch.load(buffer, weights_only=True) == state


@pytest.mark.reliability("4c")
def test_a_cycle_of_any_shape_is_saved_loaded_copied_and_pickled():
    """A CyclicLR with a custom scale_fn can be neither pickled nor loaded (#110931)."""
    custom = CyclicLR(optimizer_of(0.5), 0.1, 1.0, 5, scale_fn=Counting(), cycle_momentum=False)
    plain = CyclicLR(optimizer_of(0.5), 0.1, 1.0, 5, cycle_momentum=False)
    outcome = raised(plain.load_state_dict, custom.state_dict())
    still("its state does not load without the function", outcome == "AttributeError")
    local = CyclicLR(
        optimizer_of(0.5), 0.1, 1.0, 5, scale_fn=lambda cycle: 1 / cycle, cycle_momentum=False
    )
    still("with a lambda it is not picklable", raised(pickle.dumps, local) != "nothing")

    document = {
        "kind": "ChainedScheduler",
        "schedulers": [
            {"kind": "CyclicLR", "base_lr": 0.1, "max_lr": 1.0, "step_size_up": 5},
            {"kind": "PowerLR", "decay_steps": 5},
        ],
    }
    ours = after(document, 3)
    loaded = after(document, 0)
    loaded.load_state_dict(ours.state_dict())
    for twin in (loaded, pickle.loads(pickle.dumps(ours)), copy.deepcopy(ours)):
        assert trained(twin, 20) == wanted(document, 20, (0.5,), start=3)


@pytest.mark.reliability("4d")
@pytest.mark.parametrize("document", EXAMPLES)
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_made_before_the_first_step_steps_without_a_warning(document, clone):
    """A copied torch scheduler warns at its first step of an error that does not exist."""
    with pytest.warns(UserWarning, match="has been overridden after learning rate scheduler"):
        trained(clone(CosineAnnealingLR(optimizer_of(0.5), 10)), 2)

    twin = clone(olm.build(document, optimizer_of(*BASES)))
    # Every warning is an error in these tests.
    assert trained(twin, 20) == wanted(document, 20)


@pytest.mark.reliability("5")
@pytest.mark.parametrize("document", EXAMPLES)
def test_a_state_is_strict_json_and_the_same_after_it(document):
    """After JSON, MultiStepLR of torch never decays again, and the state of its plateau is lost."""
    theirs, live = (MultiStepLR(optimizer_of(0.5), [2, 4], 0.5) for _ in range(2))
    live.load_state_dict(json.loads(json.dumps(theirs.state_dict())))
    still("the rate never falls", trained(live, 6) == [[0.5]] * 6)
    plateau = ReduceLROnPlateau(optimizer_of(0.5)).state_dict()
    with pytest.raises(ValueError, match="Out of range float"):
        json.dumps(plateau, allow_nan=False)

    for kind_of in (float, torch.tensor):
        ours = after(document, 0, *map(kind_of, BASES))
        state = ours.state_dict()
        again = json.loads(json.dumps(state, allow_nan=False))
        assert again == state
        live = after(document, 9, *map(kind_of, BASES))
        live.load_state_dict(again)
        assert trained(live, 40) == trained(ours, 40)


@pytest.mark.reliability("5")
def test_the_state_of_a_cycle_is_complete():
    """The state of OneCycleLR of torch has no rates: they are in the groups of the optimizer."""
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer_of(0.5), 0.1, total_steps=10)
    still("the highest rate is not in the state", "0.1" not in json.dumps(theirs.state_dict()))

    document = {"kind": "OneCycleLR", "max_lr": 0.1, "total_steps": 10}
    state = after(document, 3).state_dict()
    assert state["max_lr"] == 0.1
    assert trained(olm.build(state, optimizer_of(0.5)), 10) == wanted(document, 10, (0.5,), start=3)
