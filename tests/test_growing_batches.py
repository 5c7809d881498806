"""Clocks of runs whose batch or sequence length changes, and curves along samples and tokens."""

import json
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from olm.problem import OlmError, SpecError
from olm.schedule.clock import Clock
from olm.spec.spec import parse

RUNS = {
    run["name"]: run
    for run in json.loads((Path(__file__).parent / "peers" / "megatron.json").read_text())["runs"]
}
"""Whole runs of Megatron's calculator of batches, some with the rates of its scheduler."""


def of_megatron(run, **more):
    """The clock of a run of Megatron."""
    batches = run["batches"]
    ramp = {
        "start": batches["start_global_batch_size"],
        "end": batches["global_batch_size"],
        "by": batches["batch_size_increment"],
        "over": f"{batches['ramup_samples']}sp",
    }
    return Clock(total_steps=f"{run['samples']}sp", batch_ramp=ramp, **more)


def one_by_one(stages, steps):
    """The samples before each step, by a loop over the steps; stages are (samples, batch)."""
    seen, before = 0, []
    for _ in range(steps):
        before.append(seen)
        seen += [batch for begin, batch in stages if begin <= seen][-1]
    return before


@st.composite
def plans(draw):
    """Stages, each with the samples after which it begins and its batch."""
    begins = draw(st.lists(st.integers(1, 500), unique=True, max_size=6))
    return [(begin, draw(st.integers(1, 40))) for begin in [0, *sorted(begins)]]


def clock_of(stages, **more):
    listed = [{"from": f"{begin}sp", "samples": batch} for begin, batch in stages]
    return Clock(batch_stages=listed, **more)


def refused(**fields):
    """The place and the message of the only problem of a clock."""
    with pytest.raises(SpecError) as error:
        Clock(**fields)
    (problem,) = error.value.problems
    return ".".join(map(str, problem.path)), problem.message


# The batch


@pytest.mark.parametrize("name", RUNS)
def test_a_ramp_has_the_batches_of_megatrons_calculator_at_every_step(name):
    run = RUNS[name]
    clock = of_megatron(run)
    stages = [*run["stages"], [run["steps"], 0, 0]]
    for (first, batch, samples), (after, _, _) in pairwise(stages):
        for step in {first, (first + after) // 2, after - 1}:
            assert clock.batch_at(step) == batch
            assert clock.samples_at(step) == samples + (step - first) * batch
    assert ceil(clock.step_at(f"{run['samples']}sp")) == run["steps"]
    assert of_megatron(run, rounding="down").total_steps == run["whole_steps"]
    assert of_megatron(run, rounding="up").total_steps == run["steps"]


def test_the_numbers_of_gpt_3_by_hand():
    ramp = {"start": 16, "end": 1536, "by": 16, "over": "12e9tok"}
    clock = Clock(total_steps="300e9tok", tokens_per_sample=2048, batch_ramp=ramp)
    assert clock.total_steps == 111_355
    assert (clock.batch_at(10_000), clock.samples_at(10_000)) == (128, 432_272)
    assert clock.tokens_at(10_000) == 432_272 * 2048
    assert clock.step_at("375e6tok") == Fraction(10_794_031, 1536)
    assert clock.accumulate_at(10_000, micro_batch=1, world_size=64) == 2
    with pytest.raises(OlmError, match="the batch of step 0, 16, is not a multiple of 64"):
        clock.accumulate_at(0, micro_batch=1, world_size=64)
    clock.check_batches(micro_batch=1, world_size=16)
    with pytest.raises(OlmError, match="the batch of step 3,855, 32, is not a multiple of 48"):
        Clock(
            batch_stages=[{"from": 0, "samples": 48}, {"from": 3855, "samples": 32}]
        ).check_batches(micro_batch=3, world_size=16)


@settings(deadline=None, max_examples=300)
@given(plans(), st.integers(0, 60))
def test_stages_are_those_of_a_loop_over_the_steps(stages, step):
    clock = clock_of(stages)
    before = one_by_one(stages, step + 2)
    assert [clock.samples_at(at) for at in range(step + 2)] == before
    assert clock.batch_at(step) == before[step + 1] - before[step]
    assert clock.step_at(f"{before[step]}sp") == step
    assert clock.step_at(f"{before[step] + 1}sp") == step + Fraction(1, clock.batch_at(step))


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 60),
    st.integers(1, 9),
    st.integers(1, 12),
    st.integers(1, 3000),
    st.booleans(),
    st.integers(0, 200),
)
def test_a_ramp_is_the_formula_by_hand(start, by, count, over, falls, step):
    low, high = start, start + by * count
    first, last = (high, low) if falls else (low, high)
    ramp = {"start": first, "end": last, "by": by, "over": f"{over}sp"}
    sign = -1 if falls else 1
    by_hand = [(Fraction(k * over, count), first + sign * k * by) for k in range(count + 1)]
    before = one_by_one(by_hand, step + 2)
    clock = Clock(batch_ramp=ramp)
    assert [clock.samples_at(at) for at in (0, step, step + 1)] == [0, before[step], before[-1]]


@settings(deadline=None, max_examples=100)
@given(plans(), st.lists(st.tuples(st.integers(1, 400), st.integers(1, 64)), max_size=3))
def test_stages_of_the_batch_and_of_the_sequence_length_go_together(stages, lengths):
    begins = {0: 16, **dict(sorted(lengths))}
    listed = [{"from": begin, "tokens": tokens} for begin, tokens in begins.items()]
    clock = clock_of(stages, tokens_per_sample=listed)
    tokens = 0
    for step in range(80):
        length = [size for begin, size in begins.items() if begin <= step][-1]
        assert clock.tokens_at(step) == tokens
        assert clock.tokens_per_sample_at(step) == length
        tokens += clock.batch_at(step) * length


def test_one_stage_is_a_constant_batch():
    staged = Clock(total_steps="1e6tok", batch_stages=[{"from": 0, "samples": 32}],
                   tokens_per_sample=128, samples_per_epoch=1000)  # fmt: skip
    constant = Clock(total_steps="1e6tok", samples_per_step=32, tokens_per_sample=128,
                     samples_per_epoch=1000)  # fmt: skip
    assert staged.total_steps == constant.total_steps == 244
    for duration in ("3%", "2ep", "5000sp", "12345tok", "2ep-1st", "7st"):
        assert staged.steps(duration, 17) == constant.steps(duration, 17)


def test_a_step_of_tokens_and_the_sequence_length_give_the_samples():
    clock = Clock(tokens_per_step=2**20, tokens_per_sample=2048)
    assert (clock.batch_at(3), clock.samples_at(3), clock.tokens_at(3)) == (512, 1536, 3 * 2**20)
    # The tokens of a step stay equal while the sequences grow.
    grows = [{"from": 0, "tokens": 1024}, {"from": 10, "tokens": 2048}]
    clock = Clock(tokens_per_step=2**20, tokens_per_sample=grows)
    assert [clock.batch_at(step) for step in (9, 10)] == [1024, 512]
    assert clock.tokens_at(20) == 20 * 2**20


def test_a_share_in_a_stage_is_of_the_samples_of_the_run():
    """The ramp of nanochat#851: a quarter of the batch for 3 %, half of it up to 10 %."""
    quarter = 2**18
    stages = [
        {"from": 0, "tokens": quarter},
        {"from": "3%", "tokens": 2 * quarter},
        {"from": "10%", "tokens": 4 * quarter},
    ]
    clock = Clock(total_steps="50e9tok", batch_stages=stages)
    assert clock.total_steps == 55_314
    assert [clock.step_at(share) for share in ("0%", "100%")] == [0, 55_314]
    firsts = [clock.units("tokens").firsts, clock.units("tokens").sizes]
    assert firsts == [(0, 5_723, 12_399), (quarter, 2 * quarter, 4 * quarter)]


def test_durations_with_a_ramp_depend_on_where_they_start():
    clock = clock_of([(0, 10), (100, 20)])
    assert [clock.steps("100sp", start) for start in (0, 5, 10)] == [10, Fraction(15, 2), 5]
    assert clock.steps_until(15, "100sp") == 5
    assert clock.steps_until(10, "100sp") == 10
    schedule = parse({
        "kind": "SequentialLR",
        "schedulers": [{"kind": "WarmupLR", "warmup_steps": "50sp"},
                       {"kind": "LinearLR", "total_steps": "100sp"}],
        "milestones": ["50sp"],
    }).schedule  # fmt: skip
    counted = schedule.resolve(clock)
    assert counted.milestones == (5,)
    assert counted.schedulers[0].warmup_steps == 5
    # 50 samples in 5 steps of 10, and 50 in 2.5 steps of 20: step 12.5 of the run, 7.5 of its own.
    assert counted.schedulers[1].total_steps == 8


@pytest.mark.parametrize(
    ("fields", "place", "message"),
    [
        (
            {"batch_ramp": {"start": 16, "end": 30, "by": 16, "over": 100}},
            "batch_ramp.by",
            "by (16) must divide the difference between start (16) and end (30)",
        ),
        (
            {"batch_ramp": {"start": 16, "end": 16, "by": 16, "over": 100}},
            "batch_ramp.start",
            "start (16) must differ from end (16): for a constant batch, use samples_per_step",
        ),
        (
            {"batch_ramp": {"start": 16, "end": 32, "by": 16, "over": "3%"}, "total_steps": 100},
            "batch_ramp.over",
            "a share of the run, 3%, needs total_steps in samples, tokens or epochs, found 100",
        ),
        (
            {"batch_stages": [{"from": 0, "samples": 3}, {"from": 5, "samples": 4},
                              {"from": 2, "samples": 5}]},
            "batch_stages.2.from",
            "from must be above that of the stage before, found 2",
        ),
        (
            {"batch_stages": [{"from": 0, "samples": 3}, {"from": 100, "samples": 4},
                              {"from": "20sp", "samples": 5}]},
            "batch_stages.2.from",
            "from must be reached after that of the stage before",
        ),
        (
            {"batch_stages": [{"from": 7, "samples": 3}]},
            "batch_stages.0.from",
            "from must be 0 in the first stage, found 7",
        ),
        (
            {"batch_stages": [{"from": 0, "samples": 3, "tokens": 6}]},
            "batch_stages.0.samples",
            "give samples (3) or tokens (6), not both",
        ),
        (
            {"batch_stages": [{"from": 0, "samples": 3}, {"from": 9, "tokens": 6}]},
            "batch_stages.1.tokens",
            "tokens must be samples, as in the first stage: all stages have the same unit",
        ),
        ({"batch_stages": []}, "batch_stages", "must have at least 1 item, found none"),
        (
            {"total_steps": "1ep-9st", "steps_per_epoch": 3},
            "total_steps",
            "total_steps must be from 1 to 9,007,199,254,740,992 steps, "
            "found 1ep-9st, which is -6 steps",
        ),
        (
            {"total_steps": "50%"},
            "total_steps",
            "total_steps must not be a share of itself, found the string '50%'",
        ),
        (
            {"samples_per_epoch": 9, "steps_per_epoch": 3},
            "samples_per_epoch",
            "give samples_per_epoch (9) or steps_per_epoch (3), not both",
        ),
        (
            {"samples_per_step": 2, "tokens_per_step": 9, "tokens_per_sample": 4},
            "tokens_per_step",
            "tokens_per_step (9) must be samples_per_step (2) times tokens_per_sample (4)",
        ),
    ],
)  # fmt: skip
def test_a_clock_that_contradicts_itself_is_an_error_with_its_place(fields, place, message):
    found = refused(**fields)
    assert found[0] == place
    assert found[1].endswith(message)


@pytest.mark.parametrize("field", ["samples_per_step", "tokens_per_step", "steps_per_epoch"])
def test_a_ramp_excludes_what_is_true_of_a_part_of_the_run_only(field):
    ramp = {"start": 16, "end": 32, "by": 16, "over": 100}
    assert refused(batch_ramp=ramp, **{field: 32})[0] == "batch_ramp"
    stages = [{"from": 0, "samples": 3}]
    assert refused(batch_stages=stages, **{field: 32})[0] == "batch_stages"


def test_a_clock_names_the_field_that_it_lacks():
    ramp = {"start": 16, "end": 32, "by": 16, "over": "5e6tok"}
    clock = Clock(total_steps="300e6tok", batch_ramp=ramp)
    assert clock.total_steps is None
    for duration in ("3%", "5tok", "5sp"):
        with pytest.raises(OlmError, match=f"{duration} needs a clock with tokens_per_sample"):
            clock.steps(duration)
    with pytest.raises(OlmError, match="2ep needs a clock with samples_per_epoch"):
        clock_of([(0, 3), (9, 4)]).steps("2ep")
    for step in (-1, 2.5, True, None):
        with pytest.raises(OlmError, match="must be a whole number of at least 0"):
            clock_of([(0, 3)]).batch_at(step)


def test_a_clock_replaces_the_whole_question_that_another_one_answers():
    ramp = {"start": 16, "end": 32, "by": 16, "over": 100}
    planned = Clock(batch_ramp=ramp, samples_per_epoch=900)
    constant = Clock(samples_per_step=8, steps_per_epoch=5, total_steps=70)
    assert planned.over(constant).known == {**planned.known, "total_steps": 70}
    assert constant.yielding().over(planned).known == {**planned.known, "total_steps": 70}
    assert Clock(samples_per_step=8).over(Clock(batch_ramp=ramp)) == Clock(samples_per_step=8)
    assert Clock(total_steps="3ep").over(Clock(total_steps=5, steps_per_epoch=7)).total_steps == 21
    with pytest.raises(SpecError, match="one is from this run, the other from the spec"):
        Clock(steps_per_epoch=5).over(Clock(batch_ramp=ramp))


# A curve along tokens


def of_gpt_3(run):
    """Megatron's schedule of a run, in samples."""
    rates = run["rates"]
    warmup, decay = rates["lr_warmup_steps"], rates["lr_decay_steps"]
    floor_of = rates["min_lr"] / rates["max_lr"]
    return {
        "kind": "TimeLR",
        "axis": "samples",
        "scheduler": {
            "kind": "PhasesLR",
            "lengths": [warmup, decay - warmup],
            "schedulers": [
                {"kind": "RampLR", "total_steps": warmup, "start_factor": 0.0, "end_factor": 1.0},
                {"kind": "RampLR", "total_steps": "rest", "ease": "cosine", "end_factor": floor_of},
            ],
        },
    }


@pytest.mark.parametrize("name", [name for name, run in RUNS.items() if run["rates"]])
def test_a_curve_along_samples_has_the_rates_of_megatrons_scheduler(name):
    run = RUNS[name]
    spec = parse({**of_gpt_3(run), "clock": of_megatron(run).known}).resolve()
    steps, _, rates = zip(*run["at"], strict=True)
    ours = spec.lr([*steps], run["rates"]["max_lr"])
    assert np.abs(ours - rates).max() <= 1e-15 * run["rates"]["max_lr"]


@settings(deadline=None, max_examples=100)
@given(plans(), st.integers(1, 2000), st.integers(0, 100))
def test_a_curve_along_samples_is_the_curve_at_the_samples_that_were_seen(stages, total, step):
    clock = clock_of(stages)
    line = {"kind": "LinearLR", "total_steps": f"{total}sp"}
    spec = parse({"kind": "TimeLR", "axis": "samples", "scheduler": line, "clock": clock.known})
    seen = one_by_one(stages, step + 1)[step]
    by_hand = parse({**line, "total_steps": total}).lr(seen, 0.5)
    assert spec.lr(step, 0.5) == by_hand


@settings(deadline=None, max_examples=60)
@given(plans(), st.integers(1, 30), st.integers(0, 60))
def test_an_axis_that_starts_later_counts_from_there(stages, begin, step):
    clock = clock_of(stages)
    along = {"kind": "TimeLR", "axis": "samples",
             "scheduler": {"kind": "LinearLR", "total_steps": 700}}  # fmt: skip
    spec = parse({
        "kind": "SequentialLR",
        "schedulers": [{"kind": "HoldLR"}, along],
        "milestones": [begin],
        "clock": clock.known,
    })  # fmt: skip
    before = one_by_one(stages, begin + step + 1)
    line = parse({"kind": "LinearLR", "total_steps": 700})
    assert spec.lr(begin + step, 0.5) == line.lr(before[-1] - before[begin], 0.5)


def test_steps_samples_and_tokens_are_exact_along_an_axis():
    clock = Clock(
        total_steps="1e6tok",
        tokens_per_sample=100,
        batch_stages=[{"from": 0, "samples": 10}, {"from": 20, "samples": 20}],
        samples_per_epoch=70,
    )
    durations = ["10st", "30st", "2000tok", "30sp", "2ep", "1%", "2ep-1st"]
    warmups = [{"kind": "WarmupLR", "warmup_steps": text} for text in durations]
    counted = [
        parse({"kind": "TimeLR", "axis": "tokens", "scheduler": warmup})
        .resolve(clock)
        .schedule.scheduler.warmup_steps
        for warmup in warmups
    ]
    assert counted == [10_000, 40_000, 2000, 3000, 14_000, 10_000, 13_000]


def test_a_fine_ramp_is_kept_by_its_numbers():
    """DeepSeek-V3's batch grows "gradually" from 3072 to 15360 over 469B tokens."""
    clock = Clock(
        total_steps="14.8e12tok",
        tokens_per_sample=4096,
        batch_ramp={"start": 3072, "end": 15360, "by": 1, "over": "469e9tok"},
    )
    spec = parse({"kind": "TimeLR", "axis": "tokens",
                  "scheduler": {"kind": "LinearLR", "total_steps": "100%"}})  # fmt: skip
    made = spec.resolve(clock).schedule
    assert made.per_step.as_document() == {
        "start": 3072 * 4096, "end": 15360 * 4096, "by": 4096, "over": 469 * 10**9, "begin": 0,
    }  # fmt: skip
    assert made.scheduler.total_steps == 14_800_000_000_000
    assert parse(made.model_dump()).schedule == made
    for step in (0, 1, 9_999, 15_000, 200_000):
        assert made.lr(step, 1.0) == 1 - clock.tokens_at(step) / 14.8e12


def test_an_axis_without_a_clock_is_an_error_that_names_the_field():
    spec = parse({"kind": "TimeLR", "axis": "tokens",
                  "scheduler": {"kind": "LinearLR", "total_steps": 9}})  # fmt: skip
    assert not spec.is_counted
    with pytest.raises(SpecError, match="axis: the number of tokens in a step needs a clock with"):
        spec.lr(0, 0.1)


def test_what_has_no_place_in_the_run_is_refused_while_the_batch_changes():
    clock = clock_of([(0, 10), (100, 20)])
    line = {"kind": "LinearLR", "total_steps": "30sp"}
    for schedule, place in [
        ({"kind": "StepLR", "step_size": "100sp"}, "step_size"),
        ({"kind": "RepeatLR", "period": "90sp", "scheduler": {"kind": "HoldLR"}}, "period"),
        ({"kind": "RepeatLR", "period": 9, "scheduler": line}, "scheduler.total_steps"),
        ({"kind": "TimeLR", "shift": "9sp", "scheduler": {"kind": "HoldLR"}}, "shift"),
        ({"kind": "TimeLR", "every": 2, "scheduler": line}, "scheduler.total_steps"),
        ({"kind": "RepeatLR", "period": 9, "scheduler":
          {"kind": "TimeLR", "axis": "samples", "scheduler": line}}, "scheduler.axis"),
    ]:  # fmt: skip
        with pytest.raises(SpecError) as error:
            parse(schedule).resolve(clock)
        (problem,) = error.value.problems
        assert (problem.code, ".".join(map(str, problem.path))) == ("varying-batch", place)
        assert parse(schedule).resolve(Clock(samples_per_step=10)).is_counted


def test_an_axis_inside_an_axis_is_an_error():
    inner = {"kind": "TimeLR", "axis": "tokens", "scheduler": {"kind": "HoldLR"}}
    with pytest.raises(SpecError, match="must not be inside another axis"):
        parse({"kind": "TimeLR", "axis": "samples", "scheduler": inner})


def test_marks_and_ends_of_a_curve_along_samples_are_in_steps():
    made = parse({
        "kind": "TimeLR",
        "axis": "samples",
        "scheduler": {"kind": "LinearLR", "total_steps": 140},
        "clock": clock_of([(0, 10), (100, 20)]).known,
    }).resolve().schedule  # fmt: skip
    assert (made.marks(), made.holds_from(), made.ends_at()) == ([12], 12, 12)
    assert made.part_steps(11) == [120]
    assert floor(made.per_step.plan.step_at(139)) == 11
