"""Clocks: the values that they accept, and whether they count like a real run."""

import json
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.data import BatchSampler, DataLoader, DistributedSampler, IterableDataset

from olm.checking.check import Options, check
from olm.fields.durations import exact
from olm.fields.types import MAX_STEPS
from olm.kinds import KINDS
from olm.problem import OlmError, SpecError
from olm.schedule.clock import Clock
from olm.spec.digest import digest
from olm.spec.load import loads
from olm.spec.spec import parse
from olm.text.document import read

drawn = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=200)

LINEAR = {"kind": "LinearLR", "total_steps": "50%"}
RUN = {"total_steps": 1000, "steps_per_epoch": 12.5, "samples_per_step": 8, "tokens_per_step": 80}


def refused(function, *arguments, **named):
    """The invalid fields, each with its message."""
    with pytest.raises(SpecError) as error:
        function(*arguments, **named)
    return {problem.path[0]: problem.message for problem in error.value.problems}


def named_in(function, **named):
    """The fields of a contradiction, starting with the one at which it is reported."""
    with pytest.raises(SpecError) as error:
        function(**named)
    (problem,) = error.value.problems
    return [problem.path[0], *(also[0] for also in problem.also)]


# A clock


@pytest.mark.parametrize("field", RUN)
@pytest.mark.parametrize(
    "value", [0, -1, True, "8", "3%", float("nan"), float("inf"), 2**53 + 1, 10**400, [1], 1j]
)
def test_a_clock_rejects_numbers_that_count_nothing_and_names_the_field(field, value):
    assert [*refused(Clock, **{field: value})] == [field]


@pytest.mark.parametrize(
    ("field", "least"),
    [("total_steps", 1), ("steps_per_epoch", 1e-6), ("samples_per_step", 1)],
)
def test_a_clock_accepts_its_bounds(field, least):
    assert getattr(Clock(**{field: least}), field) == least
    assert getattr(Clock(**{field: MAX_STEPS}), field) == MAX_STEPS


def test_total_steps_are_whole_and_other_numbers_may_be_averages():
    assert [*refused(Clock, total_steps=2.5)] == ["total_steps"]
    assert [*refused(Clock, samples_per_step=0.5)] == ["samples_per_step"]
    clock = Clock(steps_per_epoch=2.5, samples_per_step=8.5, tokens_per_step=100.25)
    assert clock.steps("2ep") == 5
    assert clock.steps("17sp") == 2
    assert clock.steps("401tok") == 4
    assert Clock(steps_per_epoch=0.1).steps("1ep") == Fraction(1, 10)


@pytest.mark.parametrize(
    ("clock", "duration", "exactly", "steps"),
    [
        # Exactly a half, which each of these floats is slightly below.
        ({"steps_per_epoch": 1.7}, "5ep", Fraction(17, 2), 9),
        ({"steps_per_epoch": 0.7}, "5ep", Fraction(7, 2), 4),
        ({"steps_per_epoch": 4 / 3}, "1.125ep", Fraction(3, 2), 2),
        ({"steps_per_epoch": 10 / 3}, "0.45ep", Fraction(3, 2), 2),
        ({"samples_per_step": 1.1}, "1.65sp", Fraction(3, 2), 2),
        ({"tokens_per_step": 2049.3}, "3073.95tok", Fraction(3, 2), 2),
        # More digits than a simple fraction has: the number as written.
        ({"steps_per_epoch": 1.234567890123}, "1ep", Fraction(1234567890123, 10**12), 1),
        ({"steps_per_epoch": 1234567.1234567}, "1ep", Fraction(12345671234567, 10**7), 1234567),
    ],
)
def test_a_clock_counts_by_the_number_that_was_written_not_by_the_float(
    clock, duration, exactly, steps
):
    assert Clock(**clock).steps(duration) == exactly
    warmup = KINDS["WarmupLR"](warmup_steps=duration).resolve(Clock(**clock))
    assert warmup.warmup_steps == steps


@pytest.mark.parametrize("length", [1, 3, 50, 100, 391, 1000])
def test_an_epoch_in_hundredths_is_the_steps_that_it_is_on_paper(length):
    """As floats, 0.07 × 100 is above 7, and a run of 0.07 epochs would have 8 steps."""
    for hundredths in range(1, 1200):
        steps = -(-hundredths * length // 100)
        run = {"dataset_size": length, "batch_size": 1, "epochs": hundredths / 100}
        assert Clock.of_run(**run, max_steps=steps).total_steps == steps
        assert Clock.of_run(**run).total_steps == steps


@pytest.mark.parametrize("parts", [3, 6, 7, 9, 11, 13, 37, 99])
def test_an_epoch_in_parts_is_the_steps_that_it_is_on_paper(parts):
    for whole in range(1, 5 * parts):
        run = {"dataset_size": 5 * parts, "batch_size": 1, "epochs": whole / parts}
        assert Clock.of_run(**run).total_steps == 5 * whole


def test_an_integral_float_is_an_integer():
    clock = Clock(total_steps=1e3, steps_per_epoch=250.0, tokens_per_step=4e6)
    assert repr(clock) == "Clock(total_steps=1000, steps_per_epoch=250, tokens_per_step=4000000)"
    assert clock == Clock(total_steps=1000, steps_per_epoch=250, tokens_per_step=4_000_000)


def test_numpy_numbers_are_accepted_and_numpy_bools_are_not():
    clock = Clock(
        total_steps=np.int64(9), steps_per_epoch=np.float32(2.5), samples_per_step=np.uint8(3)
    )
    assert clock.known == {"total_steps": 9, "steps_per_epoch": 2.5, "samples_per_step": 3}
    assert {type(value) for value in clock.known.values()} == {int, float}
    json.dumps(clock.known)
    assert {*refused(Clock, total_steps=np.True_, steps_per_epoch=np.False_)} == {
        "total_steps",
        "steps_per_epoch",
    }
    of_run = Clock.of_run(dataset_size=np.int64(100), batch_size=np.int32(10), epochs=np.float64(2))
    assert of_run.total_steps == 20


def test_a_sample_has_at_least_one_token():
    assert named_in(Clock, samples_per_step=8, tokens_per_step=7) == [
        "tokens_per_step",
        "samples_per_step",
    ]
    assert Clock(samples_per_step=8, tokens_per_step=8)


def test_an_unknown_field_is_reported():
    assert [*refused(Clock, steps=5)] == ["steps"]
    assert [*refused(Clock.of_run, dataset_size=True, batch_size=False)] == [
        "dataset_size",
        "batch_size",
    ]


def test_a_clock_cannot_count_without_the_necessary_field():
    clock = Clock(total_steps=100)
    assert clock.steps("0.5%") == Fraction(1, 2)
    for text, told in (
        ("2ep", "2ep needs a clock with steps_per_epoch"),
        ("2sp", "2sp needs a clock with samples_per_step"),
        ("2tok", "2tok needs a clock with tokens_per_step"),
        ("rest", "the length of `rest` depends on where it starts"),
        ("2 ep", "must be a duration such as 3%, 2ep or 20e9tok, found the string '2 ep'"),
    ):
        with pytest.raises(OlmError) as error:
            clock.steps(text)
        assert str(error.value) == told


# A clock over another


def test_the_clock_of_the_caller_wins_and_that_of_the_spec_completes_it():
    mine, specs = Clock(total_steps=500), Clock(total_steps=1000, steps_per_epoch=100)
    assert mine.over(specs) == Clock(total_steps=500, steps_per_epoch=100)
    assert mine.over(None) is mine
    spec = parse(LINEAR | {"clock": specs.known})
    assert spec.resolve().schedule.total_steps == 500
    assert spec.resolve(mine).schedule.total_steps == 250
    assert mine.differences(specs) == [
        "total_steps: the spec was written for 1,000, this run has 500"
    ]


def test_clocks_that_contradict_each_other_are_a_problem_at_the_one_in_the_spec():
    text = "kind: LinearLR\ntotal_steps: 2e9tok\nclock: {samples_per_step: 1000}\n"
    clock = Clock(tokens_per_step=100)
    with pytest.raises(SpecError) as error:
        loads(text).resolve(clock)
    (problem,) = error.value.problems
    assert (problem.code, problem.path) == ("rule", ("clock", "tokens_per_step"))
    assert problem.also == (("clock", "samples_per_step"),)
    assert problem.hint == "one is from this run, the other from the spec"
    (found,) = check(read(text, "a.olm.yaml"), Options(clock=clock)).problems
    assert (found.code, found.place.line) == ("rule", 3)


# A run against reality

sizes = st.integers(1, 60)


def ranks(size, batch_size, world_size, drop_last):
    """The loader of each process of a run."""
    data = torch.arange(size)
    for rank in range(world_size):
        sampler = DistributedSampler(data, num_replicas=world_size, rank=rank)
        yield DataLoader(data, batch_size=batch_size, sampler=sampler, drop_last=drop_last)


def trained(loader, accumulate, epochs=1):
    """The number of optimizer steps of a loop that steps at the end of each epoch."""
    steps = 0
    for _ in range(epochs):
        waiting = 0
        for _ in loader:
            waiting += 1
            if waiting == accumulate:
                steps, waiting = steps + 1, 0
        steps += waiting > 0
    return steps


@drawn
@given(sizes, st.integers(1, 12), st.integers(1, 8), st.integers(1, 5), st.booleans())
def test_a_run_has_as_many_steps_as_its_clock_counts(size, batch, world, accumulate, drop_last):
    loaders = [*ranks(size, batch, world, drop_last)]
    steps = {trained(loader, accumulate) for loader in loaders}
    named = {"batch_size": batch, "accumulate": accumulate, "world_size": world}
    if steps == {0}:
        told = named_in(Clock.of_run, dataset_size=size, drop_last=drop_last, **named)
        assert told == ["dataset_size", "batch_size", "world_size", "drop_last"]
        return
    clock = Clock.of_run(dataset_size=size, drop_last=drop_last, epochs=3, **named)
    assert {clock.steps_per_epoch} == steps
    assert clock.total_steps == trained(loaders[0], accumulate, epochs=3)
    assert clock.samples_per_step == batch * accumulate * world
    for loader in loaders:
        of_loader = Clock.of_run(
            dataloader=loader, epochs=3, accumulate=accumulate, world_size=world
        )
        assert of_loader == clock


@drawn
@given(st.integers(1, 5), sizes, st.floats(0.01, 5))
def test_a_fractional_number_of_epochs_ends_with_the_step_that_reaches_it(
    accumulate, batches, epochs
):
    loader = DataLoader(torch.arange(batches))
    clock = Clock.of_run(dataloader=loader, epochs=epochs, accumulate=accumulate)
    assert clock.total_steps == ceil(exact(epochs) * clock.steps_per_epoch)


def test_a_training_loop_ends_with_its_schedule():
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    loader = DataLoader(torch.ones(103, 1), batch_size=5, drop_last=False)
    clock = Clock.of_run(dataloader=loader, epochs=3, accumulate=4)
    from olm.train.schedulers import build

    scheduler = build({"kind": "LinearLR", "total_steps": "100%"}, optimizer, clock=clock)
    rates = []
    for _ in range(3):
        for number, batch in enumerate(loader, 1):
            model(batch).sum().backward()
            if number % 4 == 0 or number == len(loader):
                rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                optimizer.zero_grad()
                scheduler.step()
    assert len(rates) == clock.total_steps == 18
    assert min(rates) > 0
    assert optimizer.param_groups[0]["lr"] == 0


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(10))


class SizedStream(Stream):
    def __len__(self):
        return 10


def test_a_run_over_a_stream_is_counted_in_steps():
    loader = DataLoader(Stream(), batch_size=4)
    clock = Clock.of_run(dataloader=loader, max_steps=50, sequence_length=16)
    assert clock.known == {"total_steps": 50, "samples_per_step": 4, "tokens_per_step": 64}
    assert named_in(Clock.of_run, dataloader=loader, epochs=3) == ["epochs", "dataloader"]
    sized = DataLoader(SizedStream(), batch_size=4)
    assert Clock.of_run(dataloader=sized, epochs=2).total_steps == trained(sized, 1, epochs=2) == 6


def test_a_loader_with_a_batch_sampler_provides_what_it_knows():
    data = list(range(10))
    batches = BatchSampler(data, batch_size=4, drop_last=True)
    loader = DataLoader(data, batch_sampler=batches)
    assert Clock.of_run(dataloader=loader, drop_last=True).known == {
        "steps_per_epoch": 2,
        "samples_per_step": 4,
    }
    told = named_in(Clock.of_run, dataloader=loader, drop_last=False)
    assert told == ["drop_last", "dataloader"]
    assert Clock.of_run(dataloader=DataLoader(data, batch_size=None)).known == {
        "steps_per_epoch": 10
    }
    assert Clock.of_run(dataloader=[data, data]).known == {"steps_per_epoch": 2}
    assert Clock.of_run(dataloader=[data, data], batch_size=10).samples_per_step == 10


def test_tokens_are_those_of_all_processes_and_micro_batches():
    clock = Clock.of_run(
        max_steps=10, batch_size=4, accumulate=8, world_size=16, sequence_length=2048
    )
    assert clock.tokens_per_step == 4 * 8 * 16 * 2048
    assert clock.steps(f"{10 * clock.tokens_per_step}tok") == 10


LOADER = DataLoader(list(range(10)), batch_size=4)
EMPTY = DataLoader(list(range(3)), batch_size=4, drop_last=True)

CONTRADICTIONS = [
    ({"dataset_size": 10, "dataloader": LOADER, "batch_size": 4}, ["dataset_size", "dataloader"]),
    ({"epochs": 3}, ["epochs", "dataset_size", "dataloader"]),
    ({"dataset_size": 10}, ["dataset_size", "batch_size"]),
    ({"dataloader": LOADER, "batch_size": 5}, ["batch_size", "dataloader"]),
    ({"dataloader": LOADER, "drop_last": True}, ["drop_last", "dataloader"]),
    ({"sequence_length": 16}, ["sequence_length", "batch_size", "dataloader"]),
    ({"sequence_length": 16, "dataloader": [1]}, ["sequence_length", "batch_size", "dataloader"]),
    ({"dataloader": LOADER, "epochs": 2, "max_steps": 5}, ["epochs", "max_steps"]),
    (
        {"dataset_size": 3, "batch_size": 4, "drop_last": True},
        ["dataset_size", "batch_size", "world_size", "drop_last"],
    ),
    ({"dataloader": EMPTY}, ["dataloader"]),
    ({"dataloader": []}, ["dataloader"]),
]


@pytest.mark.parametrize(("named", "fields"), CONTRADICTIONS)
def test_a_contradictory_run_is_rejected_with_every_field_named(named, fields):
    assert named_in(Clock.of_run, **named) == fields
    with pytest.raises(SpecError) as error:
        Clock.of_run(**named)
    (problem,) = error.value.problems
    assert all(field in problem.message for field in fields)
    assert len(problem.message) < 250


@pytest.mark.parametrize(
    ("make", "named", "message"),
    [
        (Clock, {"total_step": 10}, "a clock has no field `total_step` (did you mean"),
        (Clock, {"total_steps": 0}, "total_steps must be at least 1, found 0"),
        (Clock.of_run, {"dataset_size": 3}, "dataset_size (3) also needs batch_size (left out)"),
        (Clock.of_run, {"max_steps": 2.5}, "max_steps must be a whole number, found 2.5"),
    ],
)
def test_an_invalid_clock_is_an_error_of_olm(make, named, message):
    with pytest.raises(SpecError) as error:
        make(**named)
    assert message in str(error.value)
    assert "validation error" not in str(error.value)


def test_redundant_fields_that_agree_are_accepted():
    clock = Clock.of_run(dataloader=LOADER, batch_size=4, drop_last=False, epochs=2, max_steps=6)
    assert clock == Clock(total_steps=6, steps_per_epoch=3, samples_per_step=4)
    assert Clock.of_run() == Clock()


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3"])
@pytest.mark.parametrize(
    "field",
    ["dataset_size", "max_steps", "batch_size", "accumulate", "world_size", "sequence_length"],
)
def test_a_count_of_a_run_is_a_whole_number_above_zero(field, value):
    assert field in refused(Clock.of_run, **{field: value})


def test_a_run_that_is_too_long_is_rejected():
    long = {"dataset_size": MAX_STEPS, "batch_size": 1, "epochs": 2}
    assert [*refused(Clock.of_run, **long)] == ["total_steps"]


# The root key


def test_a_spec_can_have_a_clock():
    spec = parse(LINEAR | {"clock": RUN})
    assert spec.clock == Clock(**RUN)
    assert spec.model_dump()["clock"] == RUN
    assert parse(json.loads(spec.model_dump_json())) == spec
    assert digest(spec.schedule) == digest(parse(LINEAR).schedule)
    assert spec.lr(250, 1.0) == 0.5
    counted = spec.resolve()
    assert counted.model_dump() == {
        "kind": "LinearLR",
        "total_steps": 500,
        "end_lr": 0.0,
        "start_factor": 1.0,
        "clock": RUN,
        "durations": [["total_steps", "50%"]],
    }


def test_an_empty_clock_equals_no_clock():
    spec = parse(LINEAR | {"clock": {}})
    assert spec.clock == Clock()
    with pytest.raises(SpecError, match="50% needs a clock with total_steps"):
        spec.resolve()


@pytest.mark.parametrize(
    ("clock", "places"),
    [
        (None, [("clock",)]),
        ([], [("clock",)]),
        ("1000", [("clock",)]),
        ({"total_steps": None}, [("clock", "total_steps")]),
        ({"total_steps": "3%"}, [("clock", "total_steps")]),
        ({"total_steps": 0, "steps_per_epoch": -1}, [("clock", name) for name in [*RUN][:2]]),
        ({"steps": 5}, [("clock", "steps")]),
        ({**RUN, "tokens_per_step": 7}, [("clock", "tokens_per_step")]),
    ],
)
def test_errors_in_a_clock_are_reported_inside_it(clock, places):
    with pytest.raises(SpecError) as error:
        parse(LINEAR | {"clock": clock})
    assert [problem.path for problem in error.value.problems] == places


def test_only_the_root_has_a_clock():
    child = {**LINEAR, "clock": RUN}
    with pytest.raises(SpecError, match="only the root of a document has it"):
        parse({"kind": "ChainedScheduler", "schedulers": [child]})


# States


def state(**more):
    schedule = KINDS["MultiStepLR"](milestones=[30, 50])
    document = {**schedule.model_dump(mode="json"), "last_epoch": 3, "base_lrs": [0.1]}
    return {**document, "digest": digest(schedule), **more}


def test_a_state_contains_the_durations_of_its_steps():
    document = state(durations=[["milestones[1]", "5%"]], clock={"total_steps": 1000})
    spec = parse(document)
    assert spec.is_state
    assert spec.written.schedule == KINDS["MultiStepLR"](milestones=[30, "5%"])
    assert spec.model_dump(mode="json") == document
    assert parse(json.loads(spec.model_dump_json())) == spec
    assert spec.digest == state()["digest"]


def test_a_state_is_in_optimizer_steps():
    with pytest.raises(SpecError) as error:
        parse(state(milestones=[30, "5%"]))
    (problem,) = error.value.problems
    assert (problem.code, problem.path) == ("durations", ("milestones", 1))
    assert "steps" in problem.message


@pytest.mark.parametrize(
    ("durations", "place"),
    [
        ({}, ()),
        ([["milestones[0]"]], ()),
        ([["milestones[0]", 30]], ()),
        ([["milestones[0]", "3 %"]], ()),
        ([["milestones[2]", "3%"]], (0,)),
        ([["milestones", "3%"]], (0,)),
        ([["gamma", "3%"]], (0,)),
        ([["milestones[0]", "3%"], ["", "3%"]], (1,)),
        ([["milestones[0]", "3%"], ["[", "3%"]], (1,)),
        ([["milestones[0]", "rest"]], ()),
        ([["milestones[0]", "-3%"]], ()),
    ],
)
def test_durations_of_fields_that_have_none_are_rejected(durations, place):
    with pytest.raises(SpecError) as error:
        parse(state(durations=durations))
    (problem,) = error.value.problems
    assert problem.path == ("durations", *place)
