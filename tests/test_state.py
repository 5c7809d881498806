"""A state is the spec, further along: what it says, what is refused, where one then stands."""

import copy
import gc
import json
import logging
import weakref
from itertools import permutations

import pytest
import torch
import yaml
from jsonschema import Draft7Validator
from torch.optim import SGD

import olm
from olm.fields.types import MAX_STEPS
from olm.kinds import KINDS
from olm.schema.json_schema import schedules_schema
from olm.spec.memory import forgotten
from olm.train import schedulers
from training import BASES, EXAMPLES, optimizer_of, rates_of, trained, wanted

LINEAR = {"kind": "LinearLR", "total_steps": 10}
NESTED = {
    "kind": "SequentialLR",
    "schedulers": [{"kind": "WarmupLR", "warmup_steps": 3}, LINEAR],
    "milestones": [3],
}


def after(document, steps, *bases):
    """A scheduler that has taken some steps."""
    scheduler = olm.build(document, optimizer_of(*(bases or (0.5,))))
    trained(scheduler, steps)
    return scheduler


def snapshot(scheduler):
    groups = [{**group} for group in scheduler.optimizer.param_groups]
    return str((scheduler.state_dict(), scheduler.get_last_lr(), scheduler._step_count, groups))


@pytest.mark.parametrize("document", EXAMPLES)
def test_a_state_is_the_document_with_three_keys_more_in_plain_json(document):
    state = after(document, 5, *BASES).state_dict()
    schedule = olm.parse(document).schedule
    assert forgotten(olm.parse(state).schedule) == schedule
    said = {key: state.pop(key) for key in ("last_epoch", "base_lrs", "digest")}
    assert said["last_epoch"] == 5
    assert said["base_lrs"] == list(BASES)
    assert state == olm.parse(document).model_dump() or schedule.metric_driven
    assert json.loads(json.dumps(state, allow_nan=False)) == state


@pytest.mark.parametrize("document", EXAMPLES)
def test_a_state_validates_against_the_schema_of_specs(document):
    Draft7Validator(schedules_schema(KINDS)).validate(after(document, 5).state_dict())


@pytest.mark.parametrize("document", EXAMPLES)
@pytest.mark.parametrize("steps", [0, 1, 9, 10, 11, 100, 1000])
def test_a_run_resumed_from_its_state_goes_on_to_the_bit(document, steps):
    state = after(document, steps, *BASES).state_dict()
    built = olm.build(state, optimizer_of(*BASES))
    loaded = olm.build(document, optimizer_of(*BASES))
    loaded.load_state_dict(state)
    for scheduler in (built, loaded):
        assert scheduler.state_dict() == state
        assert scheduler._step_count == steps + 1
        assert trained(scheduler, 20) == wanted(document, 20, start=steps)


@pytest.mark.parametrize("document", EXAMPLES)
def test_a_state_survives_yaml_and_json_text(document, tmp_path):
    scheduler = after(document, 5, *BASES)
    state = scheduler.state_dict()
    for text in (yaml.safe_dump(state), json.dumps(state), json.dumps(state, indent="\t")):
        assert olm.loads(text).model_dump() == state
        assert trained(olm.build(olm.loads(text), optimizer_of(*BASES)), 3) == wanted(
            document, 3, start=5
        )
    olm.save_state(scheduler, tmp_path / "state.json")
    assert olm.load(tmp_path / "state.json").model_dump() == state
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_state_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    olm.save_state(after(LINEAR, 1), path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda descriptor: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        olm.save_state(after(LINEAR, 2), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


GARBAGE = {
    "empty": {},
    "a list": [("kind", "LinearLR")],
    "nothing": None,
    "a number": 3,
    "a typo": {"total_step": 10},
    "an attack on a method": {"step": "pwned"},
    "an attack on the optimizer": {"optimizer": "x"},
    "torch's flag": {"_is_initial": True},
    "a string for a step": {"last_epoch": "3"},
    "half a step": {"last_epoch": 2.5},
    "a step before the first": {"last_epoch": -7},
    "true for a step": {"last_epoch": True},
    "nan for a step": {"last_epoch": float("nan")},
    "a step beyond all numbers": {"last_epoch": 10**400},
    "no length": {"total_steps": 0},
    "null for a length": {"total_steps": None},
    "no base rate": {"base_lrs": []},
    "three base rates": {"base_lrs": [0.5, 0.5, 0.5]},
    "an infinite base rate": {"base_lrs": [float("inf")]},
    "a negative base rate": {"base_lrs": [-0.5]},
    "null for base rates": {"base_lrs": None},
    "another kind": {"kind": "WarmupLR"},
    "an unknown kind": {"kind": "LinearRL"},
    "no digest": {"digest": None},
    "a digest of nothing": {"digest": "sha256:"},
    "a spec's key in another place": {"last_epoch": 3, "schedulers": []},
    "a key that is no string": {3: 4},
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("on_change", ["error", "checkpoint", "spec"])
def test_garbage_is_refused_and_nothing_has_changed(garbage, on_change):
    if on_change == "spec" and garbage == GARBAGE["three base rates"]:
        pytest.skip("other param groups keep their own base rates")
    scheduler = after(LINEAR, 3)
    whole = isinstance(garbage, dict) and garbage
    state = {**scheduler.state_dict(), **garbage} if whole else garbage
    before, given = snapshot(scheduler), copy.deepcopy(state)
    with pytest.raises(olm.StateError):
        scheduler.load_state_dict(state, on_change=on_change)
    assert snapshot(scheduler) == before
    assert str(state) == str(given)


@pytest.mark.parametrize("key", ["kind", "total_steps", "last_epoch", "base_lrs", "digest"])
def test_a_state_without_one_of_its_keys_is_refused(key):
    scheduler = after(LINEAR, 3)
    state = scheduler.state_dict()
    del state[key]
    with pytest.raises(olm.StateError, match=key):
        scheduler.load_state_dict(state)


def test_the_states_of_an_optimizer_and_of_a_model_are_refused():
    scheduler = after(LINEAR, 3)
    for state in (scheduler.optimizer.state_dict(), torch.nn.Linear(1, 1).state_dict()):
        with pytest.raises(olm.StateError, match="this is not a state of LinearLR"):
            scheduler.load_state_dict(state)


def test_a_mixture_of_two_states_is_told_by_its_digest():
    mixed = {**after(LINEAR, 3).state_dict(), "total_steps": 12}
    with pytest.raises(olm.StateError, match="the state mixes two schedules"):
        after({**LINEAR, "total_steps": 12}, 0).load_state_dict(mixed)
    with pytest.raises(olm.SpecError, match="digest"):
        olm.build(mixed, optimizer_of(0.5))


def test_a_state_of_another_schedule_is_refused_with_every_difference():
    state = after({**LINEAR, "end_lr": 0.01}, 4, 0.5, 0.1).state_dict()
    live = after({**LINEAR, "total_steps": 20}, 0, 0.5, 0.2)
    with pytest.raises(olm.StateError) as caught:
        live.load_state_dict(state)
    assert str(caught.value).splitlines() == [
        "this state is of another schedule",
        "  total_steps: the checkpoint has 10, this scheduler 20",
        "  end_lr: the checkpoint has 0.01, this scheduler 0.0",
        "  base_lrs[1]: the checkpoint has 0.1, this scheduler 0.2",
        "  the rate at step 5: 0.255, 0.055 by the checkpoint, 0.375, 0.15 by this scheduler",
        'to go on with the checkpoint\'s: on_change="checkpoint"; '
        'with this one\'s, from step 4 on: on_change="spec"',
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"schedulers": [{"kind": "WarmupLR", "warmup_steps": 4}, LINEAR]},
            "schedulers[0].warmup_steps: the checkpoint has 3, this scheduler 4",
        ),
        (
            {"schedulers": [LINEAR, LINEAR]},
            "schedulers[0].kind: the checkpoint has WarmupLR, this scheduler LinearLR",
        ),
        (
            {"schedulers": [LINEAR, LINEAR, LINEAR], "milestones": [3, 5]},
            "schedulers: the checkpoint has 2 items, this scheduler 3",
        ),
        ({"milestones": [4]}, "milestones[0]: the checkpoint has 3, this scheduler 4"),
    ],
)
def test_a_difference_deep_inside_is_named_by_its_path(change, line):
    with pytest.raises(olm.StateError) as caught:
        after({**NESTED, **change}, 0).load_state_dict(after(NESTED, 4).state_dict())
    assert line in str(caught.value)


def next_rates(state, live):
    """The line of the error about the rates at the next step, if it has one."""
    with pytest.raises(olm.StateError) as caught:
        live.load_state_dict(state)
    return [line for line in str(caught.value).splitlines() if "the rate at step" in line]


def test_the_next_rates_are_left_out_where_they_are_equal():
    ended = after(LINEAR, 12, 0.5).state_dict()
    assert next_rates(ended, after({**LINEAR, "total_steps": 8}, 0, 0.5)) == []


def test_the_next_rates_have_enough_digits_to_differ():
    long, longer = ({**LINEAR, "total_steps": steps} for steps in (2_000_000, 2_000_001))
    state = after(long, 4, 0.5, 0.5).state_dict()
    assert next_rates(state, after(longer, 0, 0.5, 0.5)) == [
        f"  the rate at step 5: 0.49999875 by the checkpoint, {0.5 - 2.5 / 2_000_001} by this "
        "scheduler"
    ]


def test_with_checkpoint_the_old_schedule_goes_on_and_the_next_state_says_so(caplog):
    state = after(LINEAR, 4, 0.5).state_dict()
    live = after({**LINEAR, "total_steps": 20}, 0, 0.2)
    with caplog.at_level(logging.WARNING, "olm"):
        live.load_state_dict(state, on_change="checkpoint")
    assert live.state_dict() == state
    assert live.optimizer.param_groups[0]["initial_lr"] == 0.5
    assert trained(live, 6) == wanted(LINEAR, 6, (0.5,), start=4)
    assert caplog.messages == [
        "on_change='checkpoint': total_steps: the checkpoint has 10, this scheduler 20; "
        "base_lrs[0]: the checkpoint has 0.5, this scheduler 0.2; "
        "the rate at step 5: 0.25 by the checkpoint, 0.15 by this scheduler"
    ]


def test_with_spec_the_new_schedule_goes_on_from_the_same_step():
    longer = {**LINEAR, "total_steps": 20}
    live = after(longer, 0, 0.2)
    live.load_state_dict(after(LINEAR, 4, 0.5).state_dict(), on_change="spec")
    assert live.last_epoch == 4
    assert trained(live, 20) == wanted(longer, 20, (0.2,), start=4)


def test_with_spec_even_another_kind_goes_on():
    cosine = {"kind": "CosineAnnealingLR", "T_max": 20}
    live = after(cosine, 0)
    live.load_state_dict(after(LINEAR, 4).state_dict(), on_change="spec")
    assert trained(live, 20) == wanted(cosine, 20, (0.5,), start=4)
    with pytest.raises(olm.StateError, match="kind: the checkpoint has LinearLR, this scheduler"):
        live.load_state_dict(after(LINEAR, 4).state_dict(), on_change="checkpoint")


def test_with_spec_the_new_rate_survives_an_optimizer_state_that_is_loaded_afterwards():
    old = after(LINEAR, 4, 0.5)
    live = after({**LINEAR, "total_steps": 20}, 0, 0.2)
    live.load_state_dict(old.state_dict(), on_change="spec")
    live.optimizer.load_state_dict(old.optimizer.state_dict())
    assert live.optimizer.param_groups[0]["initial_lr"] == 0.2
    assert trained(live, 20) == wanted({**LINEAR, "total_steps": 20}, 20, (0.2,), start=4)
    twin = copy.deepcopy(live)
    twin.optimizer.load_state_dict(old.optimizer.state_dict())
    assert rates_of(twin.optimizer) == rates_of(live.optimizer)


def test_a_scheduler_that_outlives_loading_is_still_freed():
    gc.collect()
    gc.disable()
    try:
        live = after({**LINEAR, "total_steps": 20}, 0)
        live.load_state_dict(after(LINEAR, 4).state_dict(), on_change="spec")
        optimizer, gone = live.optimizer, weakref.ref(live)
        del live
        assert gone() is None
        optimizer.load_state_dict(after(LINEAR, 4).optimizer.state_dict())
    finally:
        gc.enable()


def test_building_from_a_state_holds_its_base_rates_against_the_optimizers():
    state = after(LINEAR, 4, 0.5).state_dict()
    with pytest.raises(olm.StateError, match=r"base_lrs\[0\]: the checkpoint has 0.5, .* 0.2"):
        olm.build(state, optimizer := optimizer_of(0.2))
    assert "initial_lr" not in optimizer.param_groups[0]
    with pytest.raises(olm.StateError, match="1 param group, this optimizer 2"):
        olm.build(state, optimizer_of(0.5, 0.5), on_change="checkpoint")
    kept = olm.build(state, optimizer_of(0.2), on_change="spec")
    assert trained(kept, 8) == wanted(LINEAR, 8, (0.2,), start=4)
    taken = olm.build(state, optimizer_of(0.2), on_change="checkpoint")
    assert trained(taken, 8) == wanted(LINEAR, 8, (0.5,), start=4)


def test_the_side_to_choose_is_one_of_three():
    with pytest.raises(ValueError, match='on_change must be "error", "checkpoint" or "spec"'):
        after(LINEAR, 0).load_state_dict(after(LINEAR, 1).state_dict(), on_change="both")


ORDERS = [
    order
    for order in permutations(["build", "load optimizer", "load scheduler"])
    if order.index("build") < order.index("load scheduler")
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("document", EXAMPLES)
def test_any_order_of_building_and_loading_is_right_from_the_next_step_on(document, order):
    old = after(document, 7, *BASES)
    optimizer, scheduler = optimizer_of(*BASES), None
    for act in order:
        if act == "build":
            scheduler = olm.build(document, optimizer)
        elif act == "load optimizer":
            optimizer.load_state_dict(copy.deepcopy(old.optimizer.state_dict()))
        else:
            scheduler.load_state_dict(old.state_dict())
    assert trained(scheduler, 20) == wanted(document, 20, start=7)


def test_loading_is_absolute_and_idempotent_and_sets_the_rates_at_once():
    state = after(LINEAR, 4).state_dict()
    live = after(LINEAR, 9)
    for _ in range(3):
        live.load_state_dict(state)
        assert live.state_dict() == state
        assert rates_of(live.optimizer) == [0.5 * 0.6]


def test_a_state_shares_nothing_with_the_scheduler_in_either_direction():
    scheduler = after(NESTED, 4)
    state = scheduler.state_dict()
    kept = copy.deepcopy(state)
    scheduler.load_state_dict(state)
    state["base_lrs"][0] = 9.0
    state["schedulers"][1]["total_steps"] = 9
    state["milestones"].append(7)
    assert scheduler.state_dict() == kept


UPSTREAM = {
    "total_steps": 10,
    "end_lr": 0,
    "start_factor": 1.0,
    "base_lrs": [0.5],
    "last_epoch": 4,
    "_step_count": 5,
    "_is_initial": False,
    "_last_lr": [0.3],
}


def test_a_state_by_openlanguagemodel_is_read():
    live = after(LINEAR, 0)
    live.load_state_dict(UPSTREAM)
    assert live.state_dict() == after(LINEAR, 4).state_dict()
    with pytest.raises(olm.StateError, match="total_steps: the checkpoint has 10"):
        after({**LINEAR, "total_steps": 12}, 0).load_state_dict(UPSTREAM)


@pytest.mark.parametrize(
    ("ours", "make"),
    [
        (
            {"kind": "ConstantLR", "factor": 0.25, "total_iters": 6},
            lambda optimizer: torch.optim.lr_scheduler.ConstantLR(optimizer, 0.25, 6),
        ),
        (
            {"kind": "CosineAnnealingLR", "T_max": 10, "eta_min": 0.1},
            lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10, 0.1),
        ),
    ],
)
def test_a_state_by_torchs_class_of_the_same_name_and_arguments_is_read(ours, make):
    theirs = make(optimizer_of(0.5))
    rates = trained(theirs, 4)
    live = after(ours, 0)
    live.load_state_dict(theirs.state_dict())
    assert live.last_epoch == 4
    assert rates == [pytest.approx(rate) for rate in wanted(ours, 4, (0.5,))]
    assert trained(live, 4) == wanted(ours, 4, (0.5,), start=4)


def test_a_state_by_torchs_class_of_the_same_name_and_other_arguments_is_refused():
    theirs = torch.optim.lr_scheduler.LinearLR(optimizer_of(0.5))
    with pytest.raises(olm.StateError, match="`total_iters`: unknown, did you mean `total_steps`"):
        after(LINEAR, 0).load_state_dict(theirs.state_dict())


def test_a_scheduler_that_has_not_begun_writes_nothing():
    optimizer = SGD([torch.zeros(1)], lr=0.5)
    parts = [schedulers.LinearLR(optimizer, 4), schedulers.CosineAnnealingLR(optimizer, 4)]
    sequence = torch.optim.lr_scheduler.SequentialLR(optimizer, parts, [3])
    assert [part.last_epoch for part in parts] == [0, -1]
    later = parts[1].state_dict()
    assert later["last_epoch"] == -1
    optimizer.param_groups[0]["lr"] = 0.123
    parts[1].load_state_dict(later)
    assert rates_of(optimizer) == [0.123]
    assert sequence.last_epoch == 0


@pytest.mark.parametrize(("step", "lr"), [(4, 0.06), (-1, 0.1)])
def test_a_state_knows_of_a_group_with_which_no_step_was_taken(step, lr):
    scheduler = after(LINEAR, 4)
    scheduler.load_state_dict({**scheduler.state_dict(), "last_epoch": step})
    scheduler.optimizer.add_param_group({"params": [torch.zeros(1)], "lr": lr})
    state = scheduler.state_dict()
    assert (state["last_epoch"], state["base_lrs"]) == (step, [0.5, 0.1])
    assert "initial_lr" not in scheduler.optimizer.param_groups[1]
    scheduler.load_state_dict(state)
    other = after(LINEAR, 0, 0.5, 0.1)
    other.load_state_dict(state)
    for resumed in (scheduler, other):
        assert resumed.state_dict() == state
        resumed.step()
        assert rates_of(resumed.optimizer) == wanted(LINEAR, 1, (0.5, 0.1), start=step + 1)[0]
        assert [group["initial_lr"] for group in resumed.optimizer.param_groups] == [0.5, 0.1]


def test_a_base_rate_that_an_optimizers_state_is_too_early_to_have_is_not_lost():
    """Else a second scheduler would take the rate at which the first one stands for the base."""
    early = after(LINEAR, 4)
    early.optimizer.add_param_group({"params": [torch.zeros(2)], "lr": 0.06})
    assert "initial_lr" not in early.optimizer.state_dict()["param_groups"][1]
    live = after(LINEAR, 0, 0.5, 0.1)
    live.load_state_dict(early.state_dict())
    live.optimizer.load_state_dict(early.optimizer.state_dict())
    trained(live, 2)
    assert olm.build(LINEAR, live.optimizer).base_lrs == [0.5, 0.1]


def test_there_is_no_step_beyond_the_last_that_a_state_can_say():
    scheduler = after(LINEAR, 0)
    last = {**scheduler.state_dict(), "last_epoch": MAX_STEPS - 1}
    scheduler.load_state_dict(last)
    scheduler.step()
    before = snapshot(scheduler)
    assert olm.parse(scheduler.state_dict()).last_epoch == MAX_STEPS
    for _ in range(2):
        with pytest.raises(olm.RateError, match="step 9,007,199,254,740,993 is too large"):
            scheduler.step()
        assert snapshot(scheduler) == before


class Around(SGD):
    """An optimizer around another one that is none by itself, such as timm's Lookahead."""

    def __init__(self, inner):
        self.inner, self.defaults, self.state = inner, inner.defaults, inner.state
        self.param_groups = inner.param_groups


def test_an_optimizer_without_hooks_is_scheduled_all_the_same():
    scheduler = olm.build(LINEAR, Around(optimizer_of(0.5)))
    state = scheduler.state_dict()
    scheduler.load_state_dict({**state, "last_epoch": 4})
    assert rates_of(scheduler.optimizer) == [0.5 * 0.6]


def test_a_choice_that_build_was_told_holds_for_states_that_are_loaded_later():
    """Trainers call `load_state_dict` with nothing but the state."""
    state = after(LINEAR, 3).state_dict()
    longer = {**LINEAR, "total_steps": 20}
    for choice, total in (("spec", 20), ("checkpoint", 10)):
        scheduler = olm.build(longer, optimizer_of(0.5), on_change=choice)
        scheduler.load_state_dict(state)
        assert (scheduler.last_epoch, scheduler.schedule.total_steps) == (3, total)
    undecided = olm.build(longer, optimizer_of(0.5))
    with pytest.raises(olm.StateError, match="total_steps: the checkpoint has 10"):
        undecided.load_state_dict(state)
