"""States of other schedulers: those of torch continue in parallel, others are recorded here."""

import copy
import io
import json
import logging
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch.optim import SGD, lr_scheduler

import olm
from olm.foreign import states
from olm.foreign.states import readers, writer_of
from training import optimizer_of, rates_of, trained

BASES = (0.5, 0.1)
STILL = {"cycle_momentum": False}


def leaf(name, kind="", unsaid=(), **fields):
    """A spec, and a factory of the equivalent torch scheduler."""
    make = getattr(lr_scheduler, name)
    return {"kind": kind or name, **fields}, lambda it: make(it, **fields, **dict(unsaid))


def in_turn(milestones, *pairs):
    document = {
        "kind": "SequentialLR",
        "schedulers": [document for document, _ in pairs],
        "milestones": milestones,
    }
    return document, lambda it: lr_scheduler.SequentialLR(
        it, [make(it) for _, make in pairs], milestones
    )


def together(*pairs):
    document = {"kind": "ChainedScheduler", "schedulers": [document for document, _ in pairs]}
    return document, lambda it: lr_scheduler.ChainedScheduler([make(it) for _, make in pairs])


RISE = leaf("LinearLR", "LinearFactorLR", start_factor=0.25, end_factor=1.0, total_iters=6)
COSINE = leaf("CosineAnnealingLR", T_max=40, eta_min=0.0)
FALL = leaf("ExponentialLR", gamma=0.9)
STEPS = leaf("StepLR", step_size=3, gamma=0.5)
MILESTONES = leaf("MultiStepLR", milestones=[3, 5, 5, 12], gamma=0.5)
WAVES = leaf("CosineAnnealingWarmRestarts", T_0=3, T_mult=2, eta_min=0.01)
CYCLE = leaf("CyclicLR", unsaid=STILL, base_lr=0.1, max_lr=0.5, step_size_up=4)
ONE_CYCLE = leaf("OneCycleLR", unsaid=STILL, max_lr=0.5, total_steps=33)
PAIRS = {
    "ConstantLR": leaf("ConstantLR", factor=0.25, total_iters=6),
    "LinearLR": RISE,
    "CosineAnnealingLR": leaf("CosineAnnealingLR", T_max=40, eta_min=0.01),
    "PolynomialLR": leaf("PolynomialLR", total_iters=20, power=2.0),
    "StepLR": STEPS,
    "MultiStepLR": MILESTONES,
    "ExponentialLR": FALL,
    "WarmRestarts": WAVES,
    "WarmRestarts of one length": leaf("CosineAnnealingWarmRestarts", T_0=4),
    "CyclicLR": CYCLE,
    "CyclicLR down slowly": leaf(
        "CyclicLR", unsaid=STILL, base_lr=0.1, max_lr=0.5, step_size_up=3, step_size_down=7
    ),
    "CyclicLR written in full": leaf(
        "CyclicLR", unsaid=STILL, base_lr=0.1, max_lr=0.5, step_size_up=3, step_size_down=3
    ),
    "CyclicLR halving": leaf(
        "CyclicLR", unsaid=STILL, base_lr=0.1, max_lr=0.5, step_size_up=3, mode="triangular2"
    ),
    "CyclicLR falling": leaf(
        "CyclicLR",
        unsaid=STILL,
        base_lr=0.1,
        max_lr=0.5,
        step_size_up=3,
        mode="exp_range",
        gamma=0.9,
    ),
    "OneCycleLR": ONE_CYCLE,
    "OneCycleLR by epochs": leaf(
        "OneCycleLR", unsaid=STILL, max_lr=0.5, epochs=5, steps_per_epoch=7, pct_start=0.35
    ),
    "OneCycleLR in three phases": leaf(
        "OneCycleLR",
        unsaid=STILL,
        max_lr=0.5,
        total_steps=34,
        three_phase=True,
        anneal_strategy="linear",
        div_factor=7.0,
    ),
    "SequentialLR": in_turn([6], RISE, COSINE),
    "SequentialLR of three": in_turn([6, 12], RISE, WAVES, MILESTONES),
    "SequentialLR with a cycle": in_turn([6], RISE, CYCLE),
    "ChainedScheduler": together(RISE, MILESTONES, FALL),
    "ChainedScheduler nested": together(together(RISE, FALL), COSINE),
    "ChainedScheduler of one": together(WAVES),
}


def stepped(make, steps, *bases, of=SGD):
    """A torch scheduler after some steps."""
    scheduler = make(optimizer_of(*(bases or BASES), make=of))
    trained_by_torch(scheduler, steps)
    return scheduler


def trained_by_torch(scheduler, steps):
    rates = []
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
        rates.append(rates_of(scheduler.optimizer))
    return rates


def through_torch(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


def through_json(state):
    return json.loads(json.dumps(state))


def snapshot(scheduler):
    return str((scheduler.state_dict(), scheduler.get_last_lr(), rates_of(scheduler.optimizer)))


def near(rates):
    return [pytest.approx(row, rel=1e-11, abs=1e-15) for row in rates]


@pytest.mark.parametrize("through", [copy.deepcopy, through_torch, through_json])
@pytest.mark.parametrize("steps", [0, 1, 5, 6, 7, 13, 20])
@pytest.mark.parametrize("name", PAIRS)
def test_a_state_of_torch_continues_like_the_scheduler_of_torch(name, steps, through):
    document, make = PAIRS[name]
    theirs = stepped(make, steps)
    state = through(theirs.state_dict())
    kept = copy.deepcopy(state)
    live = olm.build(document, optimizer_of(*BASES))
    live.load_state_dict(state)
    assert str(state) == str(kept)
    assert live.last_epoch == steps
    assert live.schedule == olm.parse(document).schedule
    assert rates_of(live.optimizer) == near([rates_of(theirs.optimizer)])[0]
    assert trained_by_torch(live, 10) == near(trained_by_torch(theirs, 10))


@pytest.mark.parametrize("name", PAIRS)
def test_the_next_state_is_ours_and_resumes_to_the_bit(name):
    document, make = PAIRS[name]
    live = olm.build(document, optimizer_of(*BASES))
    live.load_state_dict(stepped(make, 7).state_dict())
    again = olm.build(live.state_dict(), optimizer_of(*BASES))
    assert trained(again, 9) == trained(live, 9)
    assert again.state_dict() == live.state_dict()


def test_hyperparameters_that_differ_are_listed_and_a_side_can_be_chosen():
    theirs = stepped(in_turn([6], RISE, STEPS)[1], 9)
    other = in_turn([8], RISE, leaf("StepLR", step_size=4, gamma=0.5))[0]
    live = olm.build(other, optimizer_of(0.5, 0.2))
    before = snapshot(live)
    with pytest.raises(olm.StateError) as caught:
        live.load_state_dict(theirs.state_dict())
    assert str(caught.value).splitlines()[1:4] == [
        "  schedulers[1].step_size: the checkpoint has 3, this scheduler 4",
        "  milestones[0]: the checkpoint has 6, this scheduler 8",
        "  base_lrs[1]: the checkpoint has 0.1, this scheduler 0.2",
    ]
    assert snapshot(live) == before
    live.load_state_dict(theirs.state_dict(), on_change="checkpoint")
    assert trained_by_torch(live, 9) == near(trained_by_torch(theirs, 9))
    kept = olm.build(other, optimizer_of(0.5, 0.2))
    kept.load_state_dict(stepped(in_turn([6], RISE, STEPS)[1], 9).state_dict(), on_change="spec")
    wanted = olm.parse(other).lr([[step] for step in range(10, 13)], [0.5, 0.2]).tolist()
    assert trained_by_torch(kept, 3) == wanted


def test_a_part_of_another_kind_is_named_by_its_path():
    theirs = stepped(in_turn([6], RISE, STEPS)[1], 3)
    live = olm.build(in_turn([6], FALL, STEPS)[0], optimizer_of(*BASES))
    with pytest.raises(olm.StateError, match=r"schedulers\[0\]\.kind: the checkpoint has Linear"):
        live.load_state_dict(theirs.state_dict())


def test_with_spec_only_the_step_of_a_state_of_another_kind_is_used():
    live = olm.build(FALL[0], optimizer_of(*BASES))
    state = stepped(STEPS[1], 4).state_dict()
    with pytest.raises(olm.StateError, match="this is not a state of ExponentialLR"):
        live.load_state_dict(state)
    live.load_state_dict(state, on_change="spec")
    assert rates_of(live.optimizer) == [0.5 * 0.9**4, 0.1 * 0.9**4]


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 11])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_plateau_of_torch_continues_with_its_counters_and_reductions(mode, steps):
    fields = {"factor": 0.5, "patience": 1, "cooldown": 1, "min_lr": 0.02, "mode": mode}
    metrics = [1.0, 1.1, 1.2, 1.3, 0.9, 0.95, 1.0, 1.0, 1.0, float("nan"), 1.0, 0.1] * 2
    theirs = lr_scheduler.ReduceLROnPlateau(optimizer_of(*BASES), **fields)
    for metric in metrics[:steps]:
        theirs.step(metric)
    for through in (through_torch, through_json):
        live = olm.build({"kind": "ReduceLROnPlateau", **fields}, optimizer_of(*BASES))
        live.load_state_dict(through(theirs.state_dict()))
        beside = copy.deepcopy(theirs)
        assert rates_of(live.optimizer) == rates_of(beside.optimizer)
        for metric in metrics[steps:]:
            beside.step(metric)
            live.optimizer.step()
            live.step(metric)
            assert rates_of(live.optimizer) == rates_of(beside.optimizer)
        assert live.last_epoch == beside.last_epoch


def plateau(steps, **fields):
    theirs = lr_scheduler.ReduceLROnPlateau(optimizer_of(*BASES), patience=0, **fields)
    for metric in range(steps):
        theirs.step(metric)
    return theirs.state_dict()


PLATEAU = {"kind": "ReduceLROnPlateau", "patience": 0}


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (plateau(3, min_lr=[0.1, 0.2]), "min_lrs: it differs between param groups"),
        ({**plateau(3), "_last_lr": [0.3, 0.1]}, "num_reductions: torch does not save how often"),
        ({**plateau(3), "_last_lr": [0.005]}, "num_reductions"),
        ({**plateau(3), "factor": "0.1"}, "factor"),
        ({**plateau(3), "factor": "half"}, "is not a state of torch's ReduceLROnPlateau"),
        ({**plateau(3), "num_bad_epochs": -1}, "num_bad_epochs"),
        ({**plateau(3), "last_epoch": None}, "last_epoch"),
    ],
)
def test_missing_settings_of_a_plateau_are_not_guessed(state, error):
    live = olm.build(PLATEAU, optimizer_of(*BASES))
    before = snapshot(live)
    with pytest.raises(olm.StateError, match=error):
        live.load_state_dict(state)
    assert snapshot(live) == before


class Peaks:
    """A user-defined function object with attributes."""

    def __init__(self):
        self.height = 0.5

    def __call__(self, step):
        return self.height


def changed(pair, steps=5, **keys):
    return {**stepped(pair[1], steps).state_dict(), **keys}


def cyclic(**arguments):
    arguments = {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 4, **STILL, **arguments}
    return stepped(
        lambda it: lr_scheduler.CyclicLR(it, **arguments),
        6,
        of=lambda groups: SGD(groups, momentum=0.9),
    ).state_dict()


def one_cycle(**arguments):
    arguments = {"max_lr": 0.5, "total_steps": 33, **STILL, **arguments}
    return stepped(
        lambda it: lr_scheduler.OneCycleLR(it, **arguments),
        6,
        of=lambda groups: SGD(groups, momentum=0.9),
    ).state_dict()


SEQUENCE = in_turn([6], RISE, STEPS)
SET_BY_TWO = together(WAVES, FALL)
FLOOR = leaf("CosineAnnealingLR", T_max=40, eta_min=0.01)


def swapped(state, index, **keys):
    return [{**part, **(keys if at == index else {})} for at, part in enumerate(state)]


GUESSED = {
    "a scale_fn of one's own": (CYCLE, cyclic(scale_fn=Peaks()), "scale_fn"),
    "a lambda for a scale_fn": (CYCLE, cyclic(scale_fn=lambda step: 0.5), "_last_lr: torch's Cyc"),
    "a scale_fn of the steps": (
        CYCLE,
        cyclic(scale_fn=lambda step: 1.0, scale_mode="iterations"),
        "scale_fn",
    ),
    "momentum that cycles": (CYCLE, cyclic(cycle_momentum=True), "cycle_momentum: torch's cycle"),
    "momentum in one cycle": (ONE_CYCLE, one_cycle(cycle_momentum=True), "cycle_momentum"),
    "a lowest rate for each group": (CYCLE, cyclic(base_lr=[0.1, 0.2]), "base_lrs: it differs"),
    "a highest rate for each group": (CYCLE, cyclic(max_lr=[0.5, 0.4]), "max_lrs: it differs"),
    "one cycle for each group": (ONE_CYCLE, one_cycle(max_lr=[0.5, 0.4]), "base_lrs: it differs"),
    "another max_lr or div_factor": (ONE_CYCLE, one_cycle(max_lr=0.6), "does not say which"),
    "another max_lr and div_factor": (
        ONE_CYCLE,
        one_cycle(max_lr=1.0, div_factor=50.0),
        "_last_lr: torch's OneCycleLR set the rates",
    ),
    "phases of no share": (
        ONE_CYCLE,
        one_cycle() | {"_schedule_phases": [{"end_step": 3.3}, {"end_step": 30}]},
        "no pct_start gives phases",
    ),
    "a cosine at its end, which rises again": (
        COSINE,
        changed(COSINE, 40),
        "T_max: torch's rate rises again after step 40",
    ),
    "a cosine beyond its end": (COSINE, changed(COSINE, 43), "rises again"),
    "half steps between restarts": (WAVES, changed(WAVES, T_cur=1.5), "T_cur: at step 5 it"),
    "a rate set by hand": (FALL, changed(FALL, _last_lr=[0.4, 0.1]), "_last_lr: torch's Expon"),
    "milestones that a round through JSON had switched off": (
        MILESTONES,
        changed(MILESTONES, 7, _last_lr=[0.5, 0.1]),
        "_last_lr: torch's MultiStepLR set the rates",
    ),
    "a part at another step": (
        SEQUENCE,
        changed(SEQUENCE, 9)
        | {"_schedulers": swapped(changed(SEQUENCE, 9)["_schedulers"], 1, last_epoch=2)},
        r"_schedulers\[1\]\.last_epoch: at step 9 of the sequence it would be 3, found 2",
    ),
    "parts with base rates of their own": (
        SEQUENCE,
        changed(SEQUENCE, 9)
        | {"_schedulers": swapped(changed(SEQUENCE, 9)["_schedulers"], 0, base_lrs=[1, 1])},
        "base_lrs: the schedulers have different base rates",
    ),
    "an unknown part": (
        SEQUENCE,
        changed(SEQUENCE, 9)
        | {"_schedulers": swapped(changed(SEQUENCE, 9)["_schedulers"], 1, colour=1)},
        r"_schedulers\[1\]: this is not a state of any class that is known",
    ),
    "parts that are no states": (SEQUENCE, changed(SEQUENCE, _schedulers=[3]), r"_schedulers\[0\]"),
    "a milestone that is no step": (SEQUENCE, changed(SEQUENCE, _milestones=["6"]), "_milestones"),
    "a product in which one sets the rate": (
        SET_BY_TWO,
        changed(SET_BY_TWO),
        r"_schedulers\[0\]: torch's CosineAnnealingWarmRestarts sets the rate",
    ),
    "a product with a floor in it": (
        together(FALL, FLOOR),
        changed(together(FALL, FLOOR)),
        r"_schedulers\[1\]: torch's CosineAnnealingLR sets the rate",
    ),
    "a product at two steps": (
        together(FALL, STEPS),
        {"_schedulers": [changed(FALL, 3), changed(STEPS, 4)]},
        r"last_epoch: the schedulers stand at different steps: \[3, 4\]",
    ),
    "a milestone that is no number": (
        MILESTONES,
        changed(MILESTONES, milestones={"soon": 1}),
        "milestones must count whole numbers|milestones: must count whole numbers",
    ),
    "half a milestone": (MILESTONES, changed(MILESTONES, milestones={3: 0.5}), "whole number"),
    "nothing for a base rate": (FALL, changed(FALL, base_lrs=[]), "base_lrs: must be a list"),
    "text for a base rate": (FALL, changed(FALL, base_lrs=["0.5", 0.1]), r"base_lrs\[0\]: must"),
    "a step that is none": (FALL, changed(FALL, last_epoch=2.5), "last_epoch must be a whole"),
    "text for a length": (COSINE, changed(COSINE, T_max="40"), "T_max must be a whole number"),
    "phases that are none": (
        ONE_CYCLE,
        one_cycle() | {"_schedule_phases": [3]},
        "is not a state of torch's OneCycleLR",
    ),
}


@pytest.mark.parametrize(("pair", "state", "error"), GUESSED.values(), ids=GUESSED)
def test_a_number_that_would_be_guessed_is_named_and_nothing_changes(pair, state, error):
    live = olm.build(pair[0], optimizer_of(*BASES))
    before, kept = snapshot(live), copy.deepcopy(str(state))
    with pytest.raises(olm.StateError, match=error):
        live.load_state_dict(state)
    assert snapshot(live) == before
    assert str(state) == kept


def test_the_rates_of_a_cycle_continue_without_its_momentum_on_request():
    live = olm.build(ONE_CYCLE[0], optimizer_of(*BASES))
    live.load_state_dict({**one_cycle(cycle_momentum=True), "cycle_momentum": False})
    assert live.last_epoch == 6


def test_a_cosine_at_its_end_continues_if_only_the_step_matters():
    live = olm.build(COSINE[0], optimizer_of(*BASES))
    live.load_state_dict(changed(COSINE, 43), on_change="spec")
    assert (live.last_epoch, rates_of(live.optimizer)) == (43, [0.0, 0.0])


def test_tensors_for_rates_are_read_as_numbers():
    theirs = stepped(FALL[1], 7, torch.tensor(0.5), torch.tensor(0.25))
    state = theirs.state_dict()
    assert isinstance(state["base_lrs"][0], torch.Tensor)
    live = olm.build(FALL[0], optimizer_of(0.5, 0.25))
    live.load_state_dict(through_torch(state))
    assert live.state_dict()["base_lrs"] == [0.5, 0.25]
    assert rates_of(live.optimizer) == [0.5 * 0.9**7, 0.25 * 0.9**7]


def linear_with_warmup(step):
    return step / 3 if step < 3 else max(0.0, (20 - step) / 17)


WARMUP = {
    "kind": "WarmupDecayLR",
    "warmup_steps": 3,
    "total_steps": 20,
    "decay": "linear",
    "end_factor": 0.0,
}
TRANSFORMERS = {
    "base_lrs": [0.5, 0.1],
    "last_epoch": 5,
    "_step_count": 6,
    "_is_initial": False,
    "_get_lr_called_within_step": False,
    "_last_lr": [0.4411764705882353, 0.08823529411764706],
    "lr_lambdas": [{}, {}],
}
"""The state of `get_linear_schedule_with_warmup(optimizer, 3, 20)` of transformers 5.23.0."""


def test_a_lambda_state_gives_the_step_and_the_scheduler_the_schedule(caplog):
    live = olm.build(WARMUP, optimizer_of(*BASES))
    with caplog.at_level(logging.WARNING, "olm"):
        live.load_state_dict(TRANSFORMERS)
    assert caplog.messages == [
        "torch's LambdaLR does not save the schedule: it is this scheduler's"
    ]
    theirs = stepped(lambda it: lr_scheduler.LambdaLR(it, linear_with_warmup), 5)
    assert theirs.state_dict() == {**TRANSFORMERS, "lr_lambdas": [None, None]}
    assert trained_by_torch(live, 20) == near(trained_by_torch(theirs, 20))


def test_a_lambda_state_with_other_rates_is_of_another_schedule():
    live = olm.build({**WARMUP, "total_steps": 30}, optimizer_of(*BASES))
    before = snapshot(live)
    for on_change in ("error", "checkpoint"):
        with pytest.raises(olm.StateError, match="_last_lr: torch's LambdaLR set the rates"):
            live.load_state_dict(TRANSFORMERS, on_change=on_change)
    assert snapshot(live) == before
    live.load_state_dict(TRANSFORMERS, on_change="spec")
    assert rates_of(live.optimizer) == [live.schedule.lr(5, base) for base in BASES]


def test_the_base_rates_of_a_lambda_state_are_compared():
    live = olm.build(WARMUP, optimizer_of(0.5, 0.2))
    with pytest.raises(olm.StateError, match=r"base_lrs\[1\]: the checkpoint has 0.1"):
        live.load_state_dict(TRANSFORMERS)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"lr_lambdas": [None, {"height": 0.5}]}, r"lr_lambdas\[1\]: it is an object with conten"),
        ({"lr_lambdas": None}, "lr_lambdas: must be a list"),
        ({"last_epoch": "5"}, "last_epoch must be a whole number"),
    ],
)
def test_a_lambda_state_with_more_or_less_than_its_step_is_rejected(change, error):
    live = olm.build(WARMUP, optimizer_of(*BASES))
    with pytest.raises(olm.StateError, match=error):
        live.load_state_dict({**TRANSFORMERS, **change})


def test_counters_of_a_plateau_are_not_guessed_from_a_lambda_state():
    live = olm.build(PLATEAU, optimizer_of(*BASES))
    with pytest.raises(olm.StateError, match="remembers of its metrics"):
        live.load_state_dict({**TRANSFORMERS, "_last_lr": [0.5, 0.1]})


def test_a_lambda_state_in_a_sequence_takes_the_schedule_of_its_position():
    document = in_turn([4], RISE, (WARMUP, None))[0]
    theirs = stepped(
        lambda it: lr_scheduler.SequentialLR(
            it, [RISE[1](it), lr_scheduler.LambdaLR(it, linear_with_warmup)], [4]
        ),
        9,
    )
    live = olm.build(document, optimizer_of(*BASES))
    live.load_state_dict(theirs.state_dict())
    assert trained_by_torch(live, 9) == near(trained_by_torch(theirs, 9))
    other = olm.build(FALL[0], optimizer_of(*BASES))
    with pytest.raises(olm.StateError, match=r"_schedulers\[1\]\.lr_lambdas: a function"):
        other.load_state_dict(theirs.state_dict(), on_change="spec")


OPENLANGUAGEMODEL = {
    "LinearLR": {
        "total_steps": 10,
        "end_lr": 0.01,
        "start_factor": 0.5,
        "_last_lr": [0.13, 0.030000000000000002],
    },
    "LinearDecayLR": {"total_steps": 10, "_last_lr": [0.25, 0.05]},
    "CosineAnnealingLR": {"T_max": 5, "eta_min": 0.01, "_last_lr": [0.01, 0.01]},
    "WarmupLR": {"warmup_steps": 4, "start_lr": 0, "_last_lr": [0.5, 0.1]},
    "WarmupCosineScheduler": {
        "warmup_steps": 3,
        "total_steps": 10,
        "min_lr": 0,
        "_last_lr": [0.4058724504646834, 0.08117449009293669],
    },
}
"""States of OpenLanguageModel 2.2.1 after five steps, without the keys of all schedulers."""
AFTER_FIVE = {"base_lrs": [0.5, 0.1], "last_epoch": 5, "_step_count": 6, "_is_initial": False}


@pytest.mark.parametrize("kind", OPENLANGUAGEMODEL)
def test_a_state_of_openlanguagemodel_resumes_to_the_bit_even_at_the_end(kind):
    state = {**OPENLANGUAGEMODEL[kind], **AFTER_FIVE}
    fields = {name: value for name, value in OPENLANGUAGEMODEL[kind].items() if name[0] != "_"}
    live = olm.build({"kind": kind, **fields}, optimizer_of(*BASES))
    live.load_state_dict(state)
    assert rates_of(live.optimizer) == state["_last_lr"]
    assert live.last_epoch == 5


TIMM = {
    "param_group_field": "lr",
    "_initial_param_group_field": "initial_lr",
    "base_values": [0.5, 0.1],
    "metric": None,
    "t_in_epochs": False,
    "noise_range_t": None,
    "noise_pct": 0.67,
    "noise_type": "normal",
    "noise_std": 1.0,
    "noise_seed": 42,
    "decay_t": 4,
    "decay_rate": 0.5,
    "warmup_t": 0,
    "warmup_lr_init": 0.0,
    "warmup_prefix": True,
    "warmup_steps": [1, 1],
}
"""The state of `StepLRScheduler(optimizer, decay_t=4, decay_rate=0.5, t_in_epochs=False)` of timm
1.0.31 after five updates, with the rates 0.25 and 0.05."""


def test_a_timm_state_needs_a_step_and_the_scheduler_gives_the_schedule(caplog):
    live = olm.build({"kind": "StepLR", "step_size": 4, "gamma": 0.5}, optimizer_of(*BASES))
    with pytest.raises(olm.StateError, match="last_epoch: timm does not save the step"):
        live.load_state_dict(TIMM)
    with caplog.at_level(logging.WARNING, "olm"):
        live.load_state_dict({**TIMM, "last_epoch": 5})
    assert rates_of(live.optimizer) == [0.25, 0.05]
    assert caplog.messages == [
        "timm's scheduler does not save the schedule: it is this scheduler's"
    ]


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ({**TIMM, "last_epoch": 5, "noise_range_t": [2, 9]}, "noise_range_t: its rates have noise"),
        ({**TIMM, "last_epoch": 5, "param_group_field": "weight_decay"}, "param_group_field"),
        ({"best": 1.0, "last_epoch": 5}, "num_bad_epochs: timm's PlateauLRScheduler saves neither"),
    ],
)
def test_missing_settings_of_timm_are_not_guessed(state, error):
    live = olm.build({"kind": "StepLR", "step_size": 4, "gamma": 0.5}, optimizer_of(*BASES))
    with pytest.raises(olm.StateError, match=error):
        live.load_state_dict(state)


def test_every_state_is_recognized_by_exactly_one_reader():
    states = [make(optimizer_of(*BASES)).state_dict() for _, make in PAIRS.values()]
    states += [TRANSFORMERS, TIMM, plateau(1), {"best": 1.0, "last_epoch": 5}, cyclic()]
    states += [{"last_batch_iteration": 4}]
    states += [{**state, **AFTER_FIVE} for state in OPENLANGUAGEMODEL.values()]
    for state in states:
        assert len([reader for reader in readers() if reader.knows(state)]) == 1
    assert {writer_of(state) for state in states} == {reader.writer for reader in readers()}


def test_a_file_in_the_folder_is_a_library_and_none_is_imported_before_a_state_is_met():
    folder = Path(states.__file__).parent
    names = {file.stem for file in folder.glob("[!_]*.py")}
    assert all(import_module(f"{states.__name__}.{name}").READERS for name in names)
    code = "import sys, olm.train; from olm.foreign import adopt, checkpoints; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {f"{states.__name__}.{name}" for name in names} & {*done.stdout.split()}


def test_a_new_file_in_the_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "acme.py").write_text(
        "from olm.foreign.states import Old, Reader\n"
        "READERS = [Reader(\"acme's\", frozenset({'acme'}), lambda s, _: Old('a', 1, (), None))]\n"
    )
    monkeypatch.setattr(states, "__path__", [*states.__path__, str(tmp_path)])
    readers.cache_clear()
    try:
        assert writer_of({"acme": 1, "last_epoch": 3}) == "acme's"
    finally:
        readers.cache_clear()
        del sys.modules["olm.foreign.states.acme"]


def test_unhashable_or_foreign_mappings_are_recognized_by_no_reader():
    for state in ({}, {3: 4}, {"state": {}, "param_groups": []}, {"weight": torch.zeros(2)}):
        assert writer_of(state) is None


def test_a_momentum_cycle_of_torch_goes_on_as_a_target():
    def optimizer():
        weights = [torch.nn.Parameter(torch.zeros(1))]
        return torch.optim.SGD(weights, lr=0.1, momentum=0.9)

    recipe = Path(__file__).parents[1] / "specs" / "one-cycle-with-momentum.olm.yaml"
    before, after = optimizer(), optimizer()
    cycle = torch.optim.lr_scheduler.OneCycleLR(before, max_lr=0.1, total_steps=1000)
    for _ in range(5):
        before.step()
        cycle.step()
    scheduler = olm.build(recipe, after)
    with pytest.raises(olm.StateError, match="load the optimizer's state first"):
        scheduler.load_state_dict(cycle.state_dict())
    scheduler.load_state_dict(cycle.state_dict(), on_change="spec")
    for _ in range(5, 999):
        for key in ("lr", "momentum"):
            numbers = [each.param_groups[0][key] for each in (after, before)]
            assert numbers[0] == pytest.approx(numbers[1], rel=1e-11)
        after.step()
        scheduler.step()
        before.step()
        cycle.step()
