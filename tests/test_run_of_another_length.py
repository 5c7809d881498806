"""Durations in torch schedulers: counted by a clock, in a state, and in a run of another length."""

import copy
import json
import logging
import pickle

import pytest
import yaml

import olm
from olm.kinds import KINDS
from olm.problem import LISTED
from olm.spec.digest import digest
from olm.train import schedulers
from training import optimizer_of, rates_of, trained, wanted

RUN = olm.Clock(total_steps=1000, steps_per_epoch=100)
LONGER = olm.Clock(total_steps=2000, steps_per_epoch=100)
SAME = olm.Clock(total_steps=1000, steps_per_epoch=100, tokens_per_step=5e6)
WRITTEN = {"kind": "WarmupCosineScheduler", "warmup_steps": "3%", "total_steps": "1dur"}
IN_STEPS = {"kind": "WarmupCosineScheduler", "warmup_steps": 30, "total_steps": 1000}
IN_LONGER = {"kind": "WarmupCosineScheduler", "warmup_steps": 60, "total_steps": 2000}
PHASES = {
    "kind": "PhasesLR",
    "schedulers": [
        {"kind": "WarmupLR", "warmup_steps": "rest"},
        {"kind": "HoldLR"},
        {"kind": "LinearLR", "total_steps": "rest"},
    ],
    "lengths": ["10%", "2ep", "rest"],
}
SEQUENCE = {
    "kind": "SequentialLR",
    "schedulers": [
        {"kind": "WarmupLR", "warmup_steps": "5%"},
        {"kind": "ReduceLROnPlateau", "factor": 0.5, "patience": 0},
    ],
    "milestones": ["5%"],
}
DOCUMENTS = [
    pytest.param(document, id=document["kind"]) for document in (WRITTEN, PHASES, SEQUENCE)
]
SIDES = 'to go on with the checkpoint\'s: on_change="checkpoint"; '


def at_step(document, steps, *bases, clock=RUN):
    """A scheduler of a document, after some steps."""
    scheduler = olm.build(document, optimizer_of(*(bases or (0.5,))), clock=clock)
    trained(scheduler, steps)
    return scheduler


def snapshot(optimizer):
    return str([{**group} for group in optimizer.param_groups])


@pytest.mark.parametrize("form", ["mapping", "Spec", "Schedule", "file"])
def test_a_spec_in_any_form_is_counted_by_the_clock(form, tmp_path):
    path = tmp_path / "run.olm.yaml"
    path.write_text(yaml.safe_dump(WRITTEN))
    spec = {
        "mapping": WRITTEN,
        "Spec": olm.parse(WRITTEN),
        "Schedule": olm.parse(WRITTEN).schedule,
        "file": path,
    }[form]
    scheduler = olm.build(spec, optimizer_of(0.5, 0.1), clock=RUN)
    assert type(scheduler) is schedulers.WarmupCosineScheduler
    assert trained(scheduler, 60) == wanted(IN_STEPS, 60, (0.5, 0.1))


@pytest.mark.parametrize(
    ("clock", "missing"),
    [
        (None, {"10%": "total_steps", "2ep": "steps_per_epoch", "rest": "total_steps"}),
        (olm.Clock(total_steps=1000), {"2ep": "steps_per_epoch"}),
        (olm.Clock(steps_per_epoch=10), {"10%": "total_steps", "rest": "total_steps"}),
    ],
)
def test_without_a_sufficient_clock_each_duration_is_listed_and_nothing_changes(clock, missing):
    document = {**PHASES, "schedulers": [{"kind": "HoldLR"}] * 3}
    optimizer = optimizer_of(0.5)
    before = snapshot(optimizer), optimizer.step
    with pytest.raises(olm.SpecError) as caught:
        olm.build(document, optimizer, clock=clock)
    lengths = document["lengths"]
    assert [problem.message for problem in caught.value.problems] == [
        f"lengths[{lengths.index(text)}]: {text} needs a clock with {field}"
        for text, field in missing.items()
    ]
    assert (snapshot(optimizer), optimizer.step) == before


def test_the_clock_of_the_spec_counts_unless_the_caller_has_another(caplog):
    document = {**WRITTEN, "clock": {"total_steps": 1000, "steps_per_epoch": 100}}
    with caplog.at_level(logging.INFO, "olm"):
        assert olm.build(document, optimizer_of(0.5)).schedule == olm.parse(IN_STEPS).schedule
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "warmup_steps: 3% is 30 steps\ntotal_steps: 1dur is 1,000 steps"),
    ]
    caplog.clear()
    with caplog.at_level(logging.INFO, "olm"):
        scheduler = olm.build(document, optimizer_of(0.5), clock=olm.Clock(total_steps=2000))
    assert scheduler.schedule == olm.parse(IN_LONGER).schedule
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "total_steps" in caplog.messages[0]
    assert "1,000" in caplog.messages[0]
    assert "2,000" in caplog.messages[0]
    epochs = {**document, "total_steps": "2ep", "warmup_steps": 1}
    scheduler = olm.build(epochs, optimizer_of(0.5), clock=olm.Clock(total_steps=2000))
    assert scheduler.schedule.total_steps == 200


def test_a_spec_in_steps_has_no_plan_to_log_and_needs_no_clock(caplog):
    with caplog.at_level(logging.INFO, "olm"):
        plain = olm.build(IN_STEPS, optimizer_of(0.5))
        clocked = olm.build(IN_STEPS, optimizer_of(0.5), clock=LONGER)
    assert not caplog.records
    assert plain.state_dict() == clocked.state_dict()
    assert "durations" not in plain.state_dict()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_state_is_the_schedule_in_steps_with_the_durations_as_written(document):
    state = at_step(document, 7).state_dict()
    in_steps = olm.parse(document).schedule.resolve(RUN)
    written = olm.parse(document).schedule.durations()
    assert olm.parse(state).digest == digest(in_steps)
    durations = state.pop("durations")
    assert [text for _, text in durations] == [one.text for _, one in written]
    assert state == at_step(in_steps, 7).state_dict()


def test_the_durations_of_a_state_are_pairs_of_a_path_and_a_text():
    assert at_step(PHASES, 3).state_dict()["durations"] == [
        ["lengths[0]", "10%"],
        ["lengths[1]", "2ep"],
        ["lengths[2]", "rest"],
        ["schedulers[0].warmup_steps", "rest"],
        ["schedulers[2].total_steps", "rest"],
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_state_with_durations_is_plain_json_and_builds_its_schedule(document, tmp_path):
    scheduler = at_step(document, 60, 0.5, 0.1)
    state = scheduler.state_dict()
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    assert olm.parse(state).model_dump() == state
    assert olm.loads(yaml.safe_dump(state)).model_dump() == state
    olm.save_state(scheduler, path := tmp_path / "state.json")
    for again in (state, olm.parse(state), path):
        for clock in (None, RUN, SAME):
            built = olm.build(again, optimizer_of(0.5, 0.1), clock=clock)
            assert built.state_dict() == state
            assert rates_of(built.optimizer) == rates_of(scheduler.optimizer)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_a_copy_keeps_the_durations(clone):
    scheduler = at_step(WRITTEN, 5)
    assert clone(scheduler).state_dict() == scheduler.state_dict()


def build_again(state, document, optimizer, **said):
    return olm.build(state, optimizer, clock=LONGER, **said)


def build_and_load(state, document, optimizer, **said):
    """Resume like a trainer: build from the current spec, then load the state of the checkpoint."""
    scheduler = olm.build(document, optimizer, clock=LONGER, **said)
    scheduler.load_state_dict(state)
    return scheduler


WAYS = [build_again, build_and_load]


@pytest.mark.parametrize("resume", WAYS)
def test_a_run_of_another_length_is_rejected_with_the_changes_and_the_next_rate(resume):
    state = at_step(WRITTEN, 50, 0.5, 0.1).state_dict()
    given = copy.deepcopy(state)
    with pytest.raises(olm.StateError) as caught:
        resume(state, WRITTEN, optimizer_of(0.5, 0.1))
    theirs, ours = (
        ", ".join(f"{olm.parse(document).lr(51, base):.6g}" for base in (0.5, 0.1))
        for document in (IN_STEPS, IN_LONGER)
    )
    assert str(caught.value).splitlines() == [
        "this state is of a run of another length",
        "  warmup_steps: the checkpoint has 30, this scheduler 60 (3%)",
        "  total_steps: the checkpoint has 1000, this scheduler 2000 (1dur)",
        f"  the rate at step 51: {theirs} by the checkpoint, {ours} by this scheduler",
        f'{SIDES}with this one\'s, from step 50 on: on_change="spec"',
    ]
    assert state == given


@pytest.mark.parametrize("resume", WAYS)
def test_only_changes_are_listed_in_a_composition(resume):
    with pytest.raises(olm.StateError) as caught:
        resume(at_step(PHASES, 50).state_dict(), PHASES, optimizer_of(0.5))
    assert str(caught.value).splitlines()[1:-2] == [
        "  schedulers[0].warmup_steps: the checkpoint has 100, this scheduler 200 (rest)",
        "  schedulers[2].total_steps: the checkpoint has 700, this scheduler 1600 (rest)",
        "  lengths[0]: the checkpoint has 100, this scheduler 200 (10%)",
        "  lengths[2]: the checkpoint has 700, this scheduler 1600 (rest)",
    ]


@pytest.mark.parametrize("resume", WAYS)
@pytest.mark.parametrize("side", ["spec", "checkpoint"])
def test_the_chosen_side_continues_from_the_same_step(resume, side, caplog):
    state = at_step(WRITTEN, 50).state_dict()
    with caplog.at_level(logging.WARNING, "olm"):
        scheduler = resume(state, WRITTEN, optimizer_of(0.5), on_change=side)
    document = IN_LONGER if side == "spec" else IN_STEPS
    assert trained(scheduler, 100) == wanted(document, 100, (0.5,), start=50)
    assert scheduler.state_dict()["durations"] == state["durations"]
    (message,) = caplog.messages
    assert message.startswith(f"on_change={side!r}: warmup_steps: the checkpoint has 30")


@pytest.mark.parametrize("side", ["spec", "checkpoint"])
def test_a_plateau_keeps_its_counters_in_the_longer_run(side):
    scheduler = at_step(SEQUENCE, 60)
    for metric in (1.0, 2.0):
        scheduler.observe(metric)
    assert rates_of(scheduler.optimizer) == [0.25]
    for resume in WAYS:
        resumed = resume(scheduler.state_dict(), SEQUENCE, optimizer_of(0.5), on_change=side)
        plateau = resumed.schedule.schedulers[1]
        assert plateau == scheduler.schedule.schedulers[1]
        assert resumed.schedule.milestones == ((100,) if side == "spec" else (50,))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_run_of_the_same_length_is_no_difference(document):
    state = at_step(document, 60).state_dict()
    loaded = olm.build(document, optimizer_of(0.5), clock=SAME)
    for _ in range(2):
        loaded.load_state_dict(state)
        assert loaded.state_dict() == state


def test_another_text_for_the_same_number_of_steps_is_no_difference():
    state = at_step(WRITTEN, 5).state_dict()
    for document in (IN_STEPS, {**IN_STEPS, "total_steps": "10ep"}):
        scheduler = olm.build(document, optimizer_of(0.5), clock=RUN)
        scheduler.load_state_dict(state)
        assert scheduler.state_dict() == state


def test_both_texts_are_reported_where_they_and_the_numbers_differ():
    state = at_step(WRITTEN, 5).state_dict()
    other = olm.build(
        {**IN_STEPS, "warmup_steps": "1ep", "total_steps": 500}, optimizer_of(0.5), clock=RUN
    )
    with pytest.raises(olm.StateError) as caught:
        other.load_state_dict(state)
    assert str(caught.value).splitlines()[:3] == [
        "this state is of another schedule",
        "  warmup_steps: the checkpoint has 30, this scheduler 100 (written 3% there, 1ep here)",
        "  total_steps: the checkpoint has 1000, this scheduler 500 "
        "(written 1dur there, in steps here)",
    ]


def test_another_base_rate_is_not_called_another_length():
    state = at_step(WRITTEN, 5).state_dict()
    with pytest.raises(olm.StateError, match="of another schedule\n  base_lrs"):
        olm.build(state, optimizer_of(0.4), clock=RUN)
    with pytest.raises(olm.StateError, match="of another schedule\n  warmup_steps"):
        olm.build(state, optimizer_of(0.4), clock=LONGER)


def test_the_message_stays_short_with_many_groups():
    many = [0.001 * (index + 1) for index in range(100)]
    state = at_step(WRITTEN, 5, *many).state_dict()
    with pytest.raises(olm.StateError) as caught:
        olm.build(state, optimizer_of(*many), clock=LONGER)
    assert len(str(caught.value)) < 500
    assert "5.83333e-05" not in str(caught.value)
    with pytest.raises(olm.StateError) as caught:
        olm.build(state, optimizer_of(*(2 * rate for rate in many)), clock=LONGER)
    lines = str(caught.value).splitlines()
    # The next rates are the same: half as far in a warm-up to twice the rate.
    assert len(lines) == LISTED + 3
    assert lines[-2] == f"  ... and {102 - LISTED} more"


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("steps", [0, 1, 77])
def test_an_error_changes_neither_the_scheduler_nor_the_optimizer(document, steps):
    state = at_step(document, 50).state_dict()
    live = at_step(document, steps, clock=LONGER)
    before = live.state_dict(), live.get_last_lr(), snapshot(live.optimizer)
    with pytest.raises(olm.StateError):
        live.load_state_dict(state)
    assert (live.state_dict(), live.get_last_lr(), snapshot(live.optimizer)) == before
    optimizer = optimizer_of(0.5)
    before = snapshot(optimizer)
    with pytest.raises(olm.StateError):
        olm.build(state, optimizer, clock=LONGER)
    assert snapshot(optimizer) == before


def test_a_clock_without_the_fields_that_a_state_needs_is_rejected():
    state = at_step(PHASES, 50).state_dict()
    with pytest.raises(olm.SpecError, match=r"lengths\[1\]: 2ep needs a clock with steps_per"):
        olm.build(state, optimizer := optimizer_of(0.5), clock=olm.Clock(total_steps=2000))
    assert "initial_lr" not in optimizer.param_groups[0]


def test_a_run_that_is_too_short_for_its_schedule_is_rejected():
    state = at_step({**WRITTEN, "warmup_steps": "2ep"}, 50).state_dict()
    with pytest.raises(olm.SpecError, match="2ep is 200 steps"):
        olm.build(state, optimizer_of(0.5), clock=olm.Clock(total_steps=150, steps_per_epoch=100))


def test_with_spec_the_new_length_survives_an_optimizer_state_and_the_next_checkpoint():
    old = at_step(WRITTEN, 50)
    live = olm.build(old.state_dict(), optimizer_of(0.5), clock=LONGER, on_change="spec")
    live.optimizer.load_state_dict(copy.deepcopy(old.optimizer.state_dict()))
    assert trained(live, 10) == wanted(IN_LONGER, 10, (0.5,), start=50)
    again = olm.build(live.state_dict(), optimizer_of(0.5), clock=LONGER)
    assert trained(again, 10) == wanted(IN_LONGER, 10, (0.5,), start=60)
    with pytest.raises(olm.StateError, match="has 60, this scheduler 30"):
        olm.build(live.state_dict(), optimizer_of(0.5), clock=RUN)


@pytest.mark.parametrize("kind", ["WarmupLR", "LinearLR", "MultiStepLR", "SequentialLR"])
def test_a_torch_class_takes_steps_and_refers_durations_to_build(kind):
    fields = {
        "WarmupLR": {"warmup_steps": "3%"},
        "LinearLR": {"total_steps": "2ep"},
        "MultiStepLR": {"milestones": ["10%", 200]},
        "SequentialLR": {"schedulers": [{"kind": "HoldLR"}] * 2, "milestones": ["10%"]},
    }[kind]
    assert set(fields) <= set(KINDS[kind].model_fields)
    optimizer = optimizer_of(0.5)
    before = snapshot(optimizer)
    with pytest.raises(olm.SpecError, match=r"needs a clock with .*olm\.build"):
        getattr(schedulers, kind)(optimizer, **fields)
    assert snapshot(optimizer) == before
