"""The root key `rounding`: how the ends of durations are rounded, and where that is recorded."""

import json
from fractions import Fraction
from math import ceil, floor
from random import Random

import pytest
import torch
import yaml

import olm
from olm.checking.check import check
from olm.checking.fix import fixed_text
from olm.cli import main
from olm.fields.rounding import MEANT, WAYS
from olm.kinds import KINDS
from olm.problem import SpecError, StateError
from olm.schedule.clock import Clock
from olm.spec.digest import digest
from olm.spec.spec import parse
from olm.text.document import read

HOLD = {"kind": "HoldLR"}
STAGES = {
    "kind": "WarmupStableDecayLR",
    "warmup_steps": "10%",
    "total_steps": "100%",
    "decay_steps": "25%",
}
BY_HAND = {"nearest": lambda x: floor(x + Fraction(1, 2)), "up": ceil, "down": floor}
every_way = pytest.mark.parametrize("way", WAYS)


def optimizer():
    return torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=1.0)


def built(way=None, total=15, **more):
    document = STAGES | ({} if way is None else {"rounding": way})
    return olm.build(document, optimizer(), clock={"total_steps": total}, **more)


def lengths(spec, total):
    schedule = parse(spec).resolve(Clock(total_steps=total)).schedule
    return schedule.warmup_steps, schedule.total_steps, schedule.decay_steps


# The numbers


def test_thousands_of_warm_ups_are_the_ceiling_floor_or_nearest_of_an_exact_fraction():
    random = Random(14)
    for _ in range(3000):
        per_step = random.choice([3, 7, 10, 64, 999, 10**6 + 3])
        samples = random.choice([random.randrange(50), random.randrange(10**9)])
        warmup = KINDS["WarmupLR"](warmup_steps=f"{samples}sp")
        clock = Clock(samples_per_step=per_step)
        for way, whole in BY_HAND.items():
            steps = max(whole(Fraction(samples, per_step)), min(samples, 1))
            assert warmup.resolve(clock, way).warmup_steps == steps


@every_way
def test_it_is_the_end_of_a_stage_that_is_rounded_so_that_stages_leave_no_step_out(way):
    random, whole = Random(15), BY_HAND[way]
    for _ in range(500):
        per_step = random.choice([3, 7, 64, 999])
        amounts = [random.randrange(per_step, 9 * per_step) for _ in range(3)]
        document = {"kind": "PhasesLR", "schedulers": [HOLD] * 3, "rounding": way}
        spec = parse(document | {"lengths": [f"{amount}sp" for amount in amounts]})
        counted = spec.resolve(Clock(samples_per_step=per_step)).schedule.lengths
        ends = [whole(Fraction(sum(amounts[:index]), per_step)) for index in range(4)]
        assert counted == tuple(ends[index + 1] - ends[index] for index in range(3))


@pytest.mark.parametrize(("way", "whole"), [("up", ceil), ("down", floor)])
def test_the_length_of_a_decay_that_is_counted_back_is_rounded_as_the_warm_up_is(way, whole):
    for total in range(8, 400):
        warm, end, decay = lengths(STAGES | {"rounding": way}, total)
        assert (warm, end) == (max(whole(Fraction(total, 10)), 1), total)
        assert decay == whole(Fraction(total, 4))


def test_a_decay_between_two_steps_of_a_run_by_hand():
    written = {**STAGES, "total_steps": "1ep", "decay_steps": "0.5ep", "warmup_steps": 1}
    clock = Clock(steps_per_epoch=15.5)
    plans = {way: parse(written | {"rounding": way}).plan(clock) for way in WAYS}
    assert str(plans["up"]).splitlines() == [
        "total_steps: 1ep is 16 steps, rounded up from 15.5",
        "decay_steps: 0.5ep is 8 steps, from step 8, rounded up from 7.75",
    ]
    assert str(plans["down"]).splitlines() == [
        "total_steps: 1ep is 15 steps, rounded down from 15.5",
        "decay_steps: 0.5ep is 7 steps, from step 8, rounded up from 7.75",
    ]


def test_stages_that_are_all_of_a_run_fit_in_it_though_both_are_rounded_up():
    halves = {**STAGES, "warmup_steps": "50%", "decay_steps": "50%"}
    assert lengths(halves | {"rounding": "up"}, 15) == (8, 15, 7)
    # Rounded down, they leave a step between them.
    assert lengths(halves | {"rounding": "down"}, 15) == (7, 15, 7)


def test_a_duration_above_0_has_a_step_and_a_shift_is_rounded_as_it_lies_on_the_axis():
    for way in WAYS:
        short = KINDS["WarmupLR"](warmup_steps="0.1%")
        assert short.resolve(Clock(total_steps=100), way).warmup_steps == 1
        none = KINDS["WarmupLR"](warmup_steps="0%")
        assert none.resolve(Clock(total_steps=100), way).warmup_steps == 0
    time = KINDS["TimeLR"](scheduler={"kind": "LinearLR", "total_steps": 5}, shift="-2.5%")
    shifts = {way: time.resolve(Clock(total_steps=100), way).shift for way in WAYS}
    assert shifts == {"nearest": -2, "up": -2, "down": -3}


def test_no_float_is_between_a_duration_and_its_steps():
    """0.07 * 100 is 7.000000000000001 as a float, and 0.29 * 100 is 28.999999999999996."""
    clock = Clock(total_steps=100)
    assert KINDS["WarmupLR"](warmup_steps="7%").resolve(clock, "up").warmup_steps == 7
    assert KINDS["WarmupLR"](warmup_steps="29%").resolve(clock, "down").warmup_steps == 29
    near = Fraction(1, 10**16)
    assert KINDS["WarmupLR"](warmup_steps="7%+1e-16st").resolve(clock, "up").warmup_steps == 8
    assert Clock(total_steps=100).steps("7%+1e-16st") == 7 + near


@every_way
def test_targets_and_expectations_are_rounded_as_the_learning_rate_is(way):
    line = {"kind": "LinearLR", "total_steps": "50%"}
    document = line | {
        "rounding": way,
        "also": [{"set": "weight_decay", "schedule": line}],
        "expect": {"base_lr": 1.0, "rates": [{"step": "50%", "lr": 0.0}]},
    }
    spec = parse(document).resolve(Clock(total_steps=15))
    steps = {"nearest": 8, "up": 8, "down": 7}[way]
    assert spec.schedule.total_steps == spec.also[0].schedule.total_steps == steps
    assert spec.expect.rates[0].step == steps


# A document and its errors


@pytest.mark.parametrize("word", [*MEANT, "Up", "DOWN", "nearst"])
def test_the_word_of_another_library_is_an_error_with_the_right_word(word):
    data = yaml.safe_dump(STAGES | {"rounding": word}).encode()
    (problem,) = check(read(data, "a.olm.yaml")).problems
    meant = MEANT.get(word, {"Up": "up", "DOWN": "down", "nearst": "nearest"}.get(word))
    assert (problem.code, problem.path) == ("choice", ("rounding",))
    assert problem.message == (
        f"rounding must be 'nearest', 'up' or 'down', found the string '{word}'"
    )
    assert problem.hint == f"did you mean `{meant}`?"
    fixed, count = fixed_text(data, "a.olm.yaml")
    assert (count, yaml.safe_load(fixed)["rounding"]) == (1, meant)


@pytest.mark.parametrize("value", [1, True, ["up"], "sideways", ""])
def test_anything_else_is_an_error_that_lists_the_words(value):
    with pytest.raises(SpecError) as raised:
        parse(STAGES | {"rounding": value})
    (problem,) = raised.value.problems
    assert (problem.code, problem.path) == ("choice", ("rounding",))
    assert "must be 'nearest', 'up' or 'down'" in problem.message


def test_only_the_root_has_a_rounding():
    inner = {"kind": "LinearLR", "total_steps": 5, "rounding": "up"}
    with pytest.raises(SpecError, match="only the root of a document has it"):
        parse({"kind": "PhasesLR", "schedulers": [inner], "lengths": [5]})


def test_the_nearest_step_is_the_default_and_is_not_written():
    written = parse(STAGES | {"rounding": "nearest"})
    assert written == parse(STAGES)
    assert "rounding" not in written.model_dump()
    assert parse(STAGES | {"rounding": "up"}).model_dump()["rounding"] == "up"


# A state


def test_a_state_keeps_the_rounding_beside_its_durations_unless_it_is_the_default():
    assert built("up").state_dict()["rounding"] == "up"
    plain = built().state_dict()
    assert json.dumps(built("nearest").state_dict()) == json.dumps(plain)
    assert "rounding" not in plain
    in_steps = {"kind": "LinearLR", "total_steps": 5, "rounding": "up"}
    assert "rounding" not in olm.build(in_steps, optimizer()).state_dict()


def test_a_state_with_a_rounding_is_a_spec_that_resumes():
    scheduler = built("down", total=30)
    scheduler.optimizer.step()
    scheduler.step()
    state = json.loads(json.dumps(scheduler.state_dict()))
    assert state["rounding"] == "down"
    other = built("down", total=30)
    other.load_state_dict(state)
    assert other.state_dict() == state
    assert parse(yaml.safe_load(yaml.safe_dump(state))).model_dump() == state
    assert olm.build(parse(state), optimizer()).state_dict() == state


def test_a_run_that_begins_at_a_known_step_keeps_the_rounding():
    spec = STAGES | {"rounding": "up", "optimizer": {"lr": 1.0}}
    state = olm.build(spec, optimizer(), clock={"total_steps": 15}, step=3).state_dict()
    assert (state["rounding"], state["last_epoch"]) == ("up", 3)


def test_the_digest_is_that_of_the_steps_whatever_the_rounding():
    up, nearest = built("up").state_dict(), built("nearest", total=20).state_dict()
    assert up["digest"] == digest(parse(up).schedule)
    same = built("up", total=20).state_dict()
    assert same["digest"] == nearest["digest"]
    assert {**same, "rounding": None} != nearest


def test_another_rounding_is_a_difference_on_load_only_where_the_steps_differ():
    built("up", total=20).load_state_dict(built("down", total=20).state_dict())
    scheduler = built("up")
    before = scheduler.state_dict()
    with pytest.raises(StateError) as raised:
        scheduler.load_state_dict(built("down").state_dict())
    first, *lines = str(raised.value).splitlines()
    assert first == "this state is of a run of another length or rounding"
    assert lines[0] == (
        "  warmup_steps: the checkpoint has 1, this scheduler 2 (10%, rounded down there, up here)"
    )
    assert scheduler.state_dict() == before


@pytest.mark.parametrize(("side", "way", "steps"), [("checkpoint", "down", 1), ("spec", "up", 2)])
def test_the_chosen_side_of_a_load_brings_its_rounding(side, way, steps):
    scheduler = built("up")
    scheduler.load_state_dict(built("down").state_dict(), on_change=side)
    state = scheduler.state_dict()
    assert (state["rounding"], state["warmup_steps"]) == (way, steps)


def test_a_state_is_counted_again_with_its_own_rounding():
    state = built("down", total=15).state_dict()
    longer = olm.build(parse(state), optimizer(), clock={"total_steps": 19}, on_change="spec")
    assert longer.schedule.warmup_steps == 1
    assert longer.state_dict()["rounding"] == "down"


# The commands


def written(folder, name, document):
    path = folder / name
    path.write_text(yaml.safe_dump(document))
    return str(path)


def test_show_prints_the_rounding_of_a_spec_and_of_a_state(tmp_path, capsys):
    spec = written(tmp_path, "a.olm.yaml", STAGES | {"rounding": "up"})
    main(["show", spec, "--total-steps", "15", "--base-lr", "1"])
    assert "rounded up from 1.5" in capsys.readouterr().out
    state = tmp_path / "state.json"
    state.write_text(json.dumps(built("up").state_dict()))
    main(["state", str(state)])
    assert "decay_steps: 25%, rounded up" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("total", "summary", "shown"),
    [
        ("13", "only the rounding differs", True),
        ("20", "no differences", False),
        (None, "no differences except in rounding", True),
    ],
)
def test_diff_prints_the_rounding_where_steps_differ_or_are_unknown(
    tmp_path, capsys, total, summary, shown
):
    a = written(tmp_path, "a.olm.yaml", STAGES | {"rounding": "up"})
    b = written(tmp_path, "b.olm.yaml", STAGES)
    options = [] if total is None else ["--total-steps", total]
    assert main(["diff", a, b, "--base-lr", "1", *options]) == int(shown)
    out = capsys.readouterr().out
    assert summary in out
    assert ("rounding: a.olm.yaml has up, b.olm.yaml nearest" in out) == shown
    main(["diff", a, b, "--base-lr", "1", "--json", *options])
    found = json.loads(capsys.readouterr().out).get("rounding")
    difference = {"path": "rounding", "a": "up", "b": "nearest", "only_in": None}
    assert found == ([difference] if shown else None)
