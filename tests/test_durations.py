"""Durations: how they are written, what waits for them, and what a clock makes of them."""

import copy
import json
import pickle
import re
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from olm.checking.check import check
from olm.checking.fix import fixed_text
from olm.fields.durations import THE_REST, Duration, duration, exact, hint_of, pattern
from olm.fields.types import MAX_STEPS, StepCount, step_fields
from olm.kinds import KINDS
from olm.problem import SpecError, dotted, quantity
from olm.schedule.clock import Clock
from olm.schedule.schedule import validate
from olm.spec.digest import digest
from olm.spec.spec import parse
from olm.text.document import read

from .strategies import (
    BAD_DURATIONS,
    CATALOGUE,
    GOOD_DURATIONS,
    clocks,
    in_steps,
    schedules,
    with_durations,
)

drawn = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=200)

HOLD = {"kind": "HoldLR"}


def phases(*lengths, schedulers=None):
    """A sequence of phases, which hold unless they are given."""
    children = schedulers or [HOLD] * len(lengths)
    return parse({"kind": "PhasesLR", "schedulers": children, "lengths": list(lengths)}).schedule


def linear(total_steps):
    return {"kind": "LinearLR", "total_steps": total_steps}


def problem_of(function, *arguments):
    """The one problem for which something is refused."""
    with pytest.raises(SpecError) as error:
        function(*arguments)
    (problem,) = error.value.problems
    return problem


# How they are written


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("2000st", "2000", "st"),
        ("3%", "3/100", "dur"),
        ("0%", "0", "dur"),
        ("12.5%", "1/8", "dur"),
        ("0.02dur", "1/50", "dur"),
        ("2ep", "2", "ep"),
        ("0.1ep", "1/10", "ep"),
        ("1.5e6sp", "1500000", "sp"),
        ("20e9tok", "20000000000", "tok"),
        ("1E-2tok", "1/100", "tok"),
        ("1e+3sp", "1000", "sp"),
        ("-3ep", "-3", "ep"),
    ],
)
def test_a_duration_is_exactly_the_number_that_is_written_and_its_unit(text, amount, unit):
    made = duration(text)
    assert (made.terms, made.text) == (((Fraction(amount), unit),), text)
    assert (str(made), repr(made)) == (text, repr(text))


@pytest.mark.parametrize(
    ("text", "terms", "words"),
    [
        ("20ep-1st", {"ep": 20, "st": -1}, "20 epochs minus 1 step"),
        ("3%+200st", {"dur": "3/100", "st": 200}, "3% of the run plus 200 steps"),
        ("1e-5ep-1e-1st", {"ep": "1/100000", "st": "-1/10"}, "1e-5 epochs minus 1e-1 steps"),
        ("0.5dur-1%", {"dur": "49/100"}, "50% of the run minus 1% of the run"),
        ("1ep-1ep", {"ep": 0}, "1 epoch minus 1 epoch"),
        ("-1ep+3st", {"ep": -1, "st": 3}, "-1 epoch plus 3 steps"),
        ("2000st", {"st": 2000}, "2,000 steps"),
        ("rest", {}, "the remaining steps"),
    ],
)
def test_a_duration_is_a_sum_of_terms_each_exactly_as_it_is_written(text, terms, words):
    made = duration(text)
    assert made.terms == tuple((Fraction(amount), unit) for unit, amount in terms.items())
    assert (str(made), made.words, made.is_rest) == (text, words, text == "rest")


def test_sums_are_equal_if_they_have_the_same_value_under_every_clock():
    for same in (["20ep-1st", "-1st+20ep", "10ep-1st+10ep", "20ep-1st+0%"], ["2ep", "1ep+1ep"]):
        assert len({duration(text) for text in same}) == 1
    assert duration("20ep-1st") != duration("20ep+1st")
    assert duration("2000st") != 2000


def test_a_sum_is_counted_term_by_term_and_its_end_is_rounded_once():
    clock = Clock(total_steps=1000, steps_per_epoch=12.5)
    assert clock.steps("2ep-1st") == 24
    assert clock.steps("1ep+0.25%-0.5st") == Fraction(29, 2)
    plan = KINDS["LinearLR"](total_steps="1ep+0.25%-0.5st").plan(clock)
    assert str(plan) == "total_steps: 1ep+0.25%-0.5st is 15 steps, rounded up from 14.5"
    assert KINDS["LinearLR"](total_steps="2000st").resolve(Clock()).total_steps == 2000


@pytest.mark.parametrize("text", ["3%+1ep", "1ep+3%"])
def test_a_sum_needs_all_that_its_terms_need(text):
    schedule = KINDS["WarmupLR"](warmup_steps=text)
    assert Clock(steps_per_epoch=10).lacks(duration(text)) == "total_steps"
    problem = problem_of(schedule.resolve, Clock(total_steps=100))
    assert (problem.code, problem.path) == ("clock", ("warmup_steps",))
    assert problem.message == f"warmup_steps: {text} needs a clock with steps_per_epoch"


@pytest.mark.parametrize(
    ("kind", "fields", "path", "least", "steps"),
    [
        ("LinearLR", {"total_steps": "1ep-9999st"}, ("total_steps",), 1, -9899),
        ("LinearLR", {"total_steps": "1ep-100st"}, ("total_steps",), 1, 0),
        ("WarmupLR", {"warmup_steps": "1ep-2ep"}, ("warmup_steps",), 0, -100),
        ("MultiStepLR", {"milestones": [5, "1ep-101st"]}, ("milestones", 1), 0, -1),
        (
            "WarmupStableDecayLR",
            {"warmup_steps": 1, "total_steps": "9ep", "decay_steps": "1ep-101st"},
            ("decay_steps",),
            1,
            -1,
        ),
    ],
)
def test_a_difference_below_the_minimum_of_its_field_is_an_error(kind, fields, path, least, steps):
    problem = problem_of(KINDS[kind](**fields).resolve, Clock(steps_per_epoch=100))
    assert (problem.code, problem.path) == ("range", path)
    assert problem.message.endswith(f"must be at least {least}, found {steps}")
    assert f"is {quantity(steps, 'step')}" in problem.hint


def test_an_expectation_before_the_run_is_an_error():
    rates = [{"step": "1ep-9999st", "lr": 0}]
    expect = {"base_lr": 1, "rates": rates}
    spec = parse(linear(5) | {"expect": expect, "clock": {"steps_per_epoch": 10}})
    problem = problem_of(spec.resolve)
    assert (problem.code, problem.path) == ("range", ("expect", "rates", 0, "step"))
    assert problem.message == "step must be at least 0, found -9989"


@pytest.mark.parametrize("text", GOOD_DURATIONS)
def test_what_is_well_written_is_a_duration(text):
    assert duration(text).text == text


@pytest.mark.parametrize("text", [*BAD_DURATIONS, ""])
def test_what_is_nearly_well_written_is_none(text):
    assert duration(text) is None


def test_the_same_share_is_the_same_however_it_is_written():
    same = ["3%", "0.03dur", "3.0%", "3e0%", "0.3E1%"]
    assert len({duration(text) for text in same}) == 1
    assert KINDS["WarmupLR"](warmup_steps="3%") == KINDS["WarmupLR"](warmup_steps="0.03dur")
    assert duration("3%") != duration("3ep")
    assert duration("0ep") != duration("0tok")
    assert duration("3ep") != 3


RIGHT = {
    "10 %": "10%",
    "10 percent": "10%",
    "3 pct": "3%",
    "2 epochs": "2ep",
    "2Epoch": "2ep",
    "+3%": "3%",
    " 3%": "3%",
    "20Btok": "20e9tok",
    "20 billion tokens": "20e9tok",
    "1.5M samples": "1.5e6sp",
    "5k sequences": "5e3sp",
    "2T tokens": "2e12tok",
    "1_000 steps": "1000",
    "10ba": "10",
    "1.5k iterations": "1500",
    ".5dur": "0.5dur",
    "5.ep": "5ep",
    "REST": "rest",
    "3EP": "3ep",
    "20 epochs - 1 step": "20ep-1st",
    "20ep-1": "20ep-1st",
    "3 % + 1.5k steps": "3%+1500st",
    "1e-5 epochs + 1_000": "1e-5ep+1000st",
}


@pytest.mark.parametrize(("text", "right"), RIGHT.items())
def test_what_is_nearly_a_duration_is_fixed(text, right):
    assert hint_of(text) == (f"write {right}", right)
    data = f"kind: PhasesLR\nschedulers: [{{kind: HoldLR}}]\nlengths: ['{text}']\n".encode()
    (problem,) = check(read(data, "a.olm.yaml")).problems
    assert (problem.code, problem.path) == ("duration", ("lengths", 0))
    assert problem.hint == f"write {right}"
    fixed, count = fixed_text(data, "a.olm.yaml")
    assert (count, check(read(fixed, "a.olm.yaml")).problems) == (1, ())
    (length,) = yaml.safe_load(fixed)["lengths"]
    assert str(length) == right


@pytest.mark.parametrize(
    "text", [*BAD_DURATIONS, "-5 epochs", "2 weeks", "1.5 steps", "9e99 steps"]
)
def test_what_a_hint_says_to_write_can_stand_there(text):
    hint, right = hint_of(text)
    if right is None:
        assert not hint.startswith("write")
    else:
        KINDS["WarmupLR"](warmup_steps=int(right) if right.isdigit() else right)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("-3ep", "a duration must not be negative"),
        ("-3 epochs", "a duration must not be negative"),
        ("90 min", "durations are not in units of time"),
        ("2h", "durations are not in units of time"),
        ("2 weeks", ""),
        ("1.5 steps", ""),
        ("1e1000ep", ""),
    ],
)
def test_what_has_no_right_form_is_told_why_if_that_is_clear(text, hint):
    assert hint_of(text) == (hint, None)
    data = f"kind: WarmupLR\nwarmup_steps: {text}\n".encode()
    assert fixed_text(data, "a.olm.yaml") == (data, 0)


def refused(kind, **fields):
    """The places and messages for which a kind refuses its fields."""
    with pytest.raises(ValidationError) as error:
        KINDS[kind](**fields)
    return {detail["loc"]: detail["msg"] for detail in error.value.errors()}


def test_what_must_be_above_zero_is_no_empty_duration():
    for text in ("0%", "0.0ep", "0e9tok"):
        assert KINDS["WarmupLR"](warmup_steps=text).warmup_steps.is_zero
        told = refused("LinearLR", total_steps=text)
        assert told == {("total_steps",): f"must be above 0, found the string '{text}'"}


def test_only_a_shift_goes_back():
    assert KINDS["TimeLR"](scheduler=linear(5), shift="-3%").shift.share == Fraction(-3, 100)
    assert ("total_steps",) in refused("LinearLR", total_steps="-3%")
    assert ("milestones", 0) in refused("MultiStepLR", milestones=["-3%"])


def test_a_step_at_which_something_happens_is_not_the_rest():
    told = "must be a step, and `rest` is a length"
    assert refused("MultiStepLR", milestones=[1, "rest"]) == {("milestones", 1): told}
    assert refused("TimeLR", scheduler=linear(5), last="rest") == {("last",): told}
    assert refused("TimeLR", scheduler=linear(5), shift="rest") == {("shift",): told}


@pytest.mark.parametrize("rest", [True, False])
@pytest.mark.parametrize("least", [1, 0, -MAX_STEPS])
def test_the_pattern_of_a_schema_takes_what_the_field_does(least, rest):
    takes = re.compile(pattern(zero=least <= 0, negative=least < 0, rest=rest))
    field = StepCount(least, MAX_STEPS, rest=rest)

    def is_taken(text):
        try:
            return field(text) is not None
        except PydanticCustomError:
            return False

    taken = {text for text in [*GOOD_DURATIONS, *BAD_DURATIONS, ""] if is_taken(text)}
    assert taken == {text for text in [*GOOD_DURATIONS, *BAD_DURATIONS, ""] if takes.search(text)}
    assert taken <= {*GOOD_DURATIONS}
    assert taken > {"3%", "1e99tok"}


# As a value


@pytest.mark.parametrize("text", ["3%", "0.03dur", "2ep", "rest"])
def test_a_duration_is_copied_and_pickled_as_it_is_written(text):
    made = duration(text)
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert (other, other.text, hash(other)) == (made, text, hash(made))
    with pytest.raises(AttributeError):
        made.terms = ()


@pytest.mark.parametrize(
    "operation",
    [
        lambda one: one + 1,
        lambda one: 1 + one,
        lambda one: one - 1,
        lambda one: one * 2,
        lambda one: 2.0 * one,
        lambda one: one < 1,
        lambda one: one >= duration("2%"),
        lambda one: max(one, 1),
        lambda one: np.asarray([1.0]) * one,
        int,
        float,
        range,
    ],
)
def test_a_duration_has_no_order_and_is_no_number(operation):
    with pytest.raises(TypeError):
        operation(duration("3%"))


@drawn
@given(st.data())
def test_a_schedule_with_durations_goes_through_every_format(data):
    document = data.draw(with_durations(data.draw(schedules()), data.draw(clocks())))
    spec = parse(document)
    assert spec.model_dump(mode="json") == document
    assert json.loads(spec.model_dump_json()) == document
    assert json.loads(spec.schedule.model_dump_json()) == document
    assert yaml.safe_load(yaml.safe_dump(spec.model_dump(mode="json"))) == document
    for other in (
        parse(spec.model_dump()),
        parse(json.loads(spec.model_dump_json())),
        pickle.loads(pickle.dumps(spec)),
        copy.deepcopy(spec),
        spec.model_copy(),
    ):
        assert other == spec
        assert other.schedule.durations() == spec.schedule.durations()
        assert hash(other.schedule) == hash(spec.schedule)
        assert digest(other.schedule) == digest(spec.schedule)


def test_a_duration_may_be_given_as_one():
    made = KINDS["WarmupLR"](warmup_steps=duration("3%"))
    assert made == KINDS["WarmupLR"](warmup_steps="3%")
    assert isinstance(made.warmup_steps, Duration)
    assert phases(1, THE_REST).lengths[1] is THE_REST


# Rules


RUN = Clock(total_steps=1000, steps_per_epoch=500, samples_per_step=8, tokens_per_step=80)

BROKEN = [
    (
        {"kind": "WarmupCosineScheduler", "warmup_steps": "3ep", "total_steps": "100%"},
        [("warmup_steps",), ("total_steps",)],
        "warmup_steps: 3ep is 1,500 steps; total_steps: 100% is 1,000 steps",
    ),
    (
        {"kind": "WarmupCosineScheduler", "warmup_steps": 1500, "total_steps": "0.9999dur"},
        [("warmup_steps",), ("total_steps",)],
        "total_steps: 0.9999dur is 1,000 steps, rounded up from 999.9",
    ),
    (
        {"kind": "MultiStepLR", "milestones": ["2ep", 10, "3%"]},
        [("milestones", 1), ("milestones", 0)],
        "milestones[0]: 2ep is 1,000 steps",
    ),
    (
        {"kind": "TimeLR", "scheduler": HOLD, "first": "2ep", "last": 30},
        [("first",), ("last",)],
        "first: 2ep is 1,000 steps",
    ),
    (
        {"kind": "InverseSqrtLR", "warmup_steps": "0%"},
        [("warmup_steps",), ("timescale",)],
        "warmup_steps: 0% is 0 steps",
    ),
    (
        {
            "kind": "WarmupStableDecayLR",
            "warmup_steps": "60%",
            "total_steps": "2ep",
            "decay_steps": "60%",
        },
        [("decay_steps",), ("warmup_steps",), ("total_steps",)],
        "warmup_steps: 60% is 600 steps; total_steps: 2ep is 1,000 steps; "
        "decay_steps: 60% is 600 steps",
    ),
]


@pytest.mark.parametrize(("document", "places", "hint"), BROKEN)
def test_a_rule_waits_for_a_clock_and_then_says_what_the_durations_are(document, places, hint):
    schedule = parse(document).schedule
    problem = problem_of(schedule.resolve, RUN)
    assert (problem.code, [problem.path, *problem.also]) == ("rule", places)
    assert problem.hint == hint


@pytest.mark.parametrize(("document", "places", "hint"), BROKEN)
def test_a_rule_of_a_child_is_told_of_at_the_child(document, places, hint):
    sequence = {"kind": "SequentialLR", "schedulers": [HOLD, document], "milestones": [500]}
    problem = problem_of(parse(sequence).schedule.resolve, RUN)
    where = ("schedulers", 1)
    assert [problem.path, *problem.also] == [where + place for place in places]


def test_all_that_is_wrong_is_told_at_once():
    clock = Clock(total_steps=1000)
    document = {
        "kind": "ChainedScheduler",
        "schedulers": [
            {"kind": "WarmupCosineScheduler", "warmup_steps": "150%", "total_steps": 1000},
            linear("2ep"),
            linear("20e9tok"),
            linear("110%"),
        ],
    }
    with pytest.raises(SpecError) as error:
        parse(document).resolve(clock)
    assert [(problem.code, problem.path[1]) for problem in error.value.problems] == [
        ("rule", 0),
        ("clock", 1),
        ("clock", 2),
    ]


def test_texts_are_never_compared_as_texts_where_something_else_is_wrong():
    # As texts, "9%" is above "10%"; as durations they wait.
    fields = {"warmup_steps": "9%", "total_steps": "10%", "min_lr": -1}
    assert [*refused("WarmupCosineScheduler", **fields)] == [("min_lr",)]
    assert [*refused("MultiStepLR", milestones=["9%", "10%"], gamma=-1)] == [("gamma",)]
    assert [*refused("PhasesLR", schedulers=[HOLD], lengths=["9%"], x=1)] == [("x",)]
    # What needs no clock does not wait, however much else is wrong.
    told = refused("PhasesLR", schedulers=[HOLD] * 2, lengths=["rest", "rest"], x=1)
    assert told[("lengths",)] == "only one of lengths (rest, rest) can be `rest`"
    told = refused("WarmupCosineScheduler", warmup_steps=9, total_steps=8, min_lr=-1)
    assert {*told} == {("warmup_steps",), ("min_lr",)}


def test_only_one_stage_can_be_the_rest():
    fields = {"warmup_steps": 1, "hold_steps": "rest", "decay_steps": "rest"}
    told = "only one of warmup_steps (1), hold_steps (rest) and decay_steps (rest) can be `rest`"
    assert [*refused("TriStageLR", **fields).values()] == [told]
    assert refused("PhasesLR", schedulers=[HOLD] * 2, lengths=["rest", "rest"])


def test_the_rest_ends_where_the_stages_after_it_must_begin():
    clock = Clock(total_steps=125, steps_per_epoch=30)
    for lengths, counted in [
        (["10%", "rest", "20%"], (13, 87, 25)),
        (["rest", "10%"], (113, 12)),
        (["rest", "1ep", 5], (90, 30, 5)),
        (["rest", "200%"], None),
    ]:
        schedule = phases(*lengths)
        if counted is None:
            assert problem_of(schedule.resolve, clock).path == ("lengths", 0)
        else:
            assert schedule.resolve(clock).lengths == counted
    stages = {"warmup_steps": "10%", "hold_steps": "rest", "decay_steps": "50%"}
    made = KINDS["TriStageLR"](**stages).resolve(Clock(total_steps=1000))
    assert (made.warmup_steps, made.hold_steps, made.decay_steps) == (100, 400, 500)


# What a clock makes of them: the rules of it, by hand


def steps_of(text, clock):
    """A duration in steps, exactly."""
    if split := re.fullmatch(r"(.*(?:%|dur|ep|sp|tok|st))([+-].*)", text):
        first, last = split.groups()
        return steps_of(first, clock) + steps_of(last, clock)
    if text.endswith("%"):
        return Fraction(Decimal(text[:-1])) / 100 * clock.total_steps
    number, unit = next(
        (text[: -len(unit)], unit)
        for unit in ("dur", "ep", "sp", "tok", "st")
        if text.endswith(unit)
    )
    amount = Fraction(Decimal(number))
    return {
        "st": lambda: amount,
        "dur": lambda: amount * clock.total_steps,
        "ep": lambda: amount * exact(clock.steps_per_epoch),
        "sp": lambda: amount / exact(clock.samples_per_step),
        "tok": lambda: amount / exact(clock.tokens_per_step),
    }[unit]()


ENDS = {
    "WarmupStableDecayLR": ("warmup_steps", "decay_steps"),
    "WarmupDecayLR": ("warmup_steps", None),
    "WarmupCosineScheduler": ("warmup_steps", None),
    "FlatCosineLR": ("flat_steps", None),
}
"""The kinds whose first stage, and whose last one if it has a length, fit into `total_steps`."""

IN_STEPS = {name for model in CATALOGUE.values() for name in step_fields(model)}
STARTS = {"SequentialLR": "milestones", "ContinueLR": "milestones", "PhasesLR": "lengths"}
STAGES = {"PhasesLR": ["lengths"], "TriStageLR": ["warmup_steps", "hold_steps", "decay_steps"]}


def squeezed(parts, lengths, spans, over, least):
    """Lengths that are shorter together: the last first, which keep a step; then the shortest."""
    lengths = [*lengths]
    written = [index for index, part in enumerate(parts) if isinstance(part, str)]
    shortest = sorted(written, key=spans.__getitem__)
    for index, keeps in [*((i, 1) for i in written[::-1]), *((i, least[i]) for i in shortest)]:
        while over > 0 and lengths[index] > keeps:
            lengths[index], over = lengths[index] - 1, over - 1
    return lengths


def pushed(values, points):
    """Ends of which each is a step above the one before, if that is so as they are written."""
    before = None
    for value, (exactly, step) in zip(values, points, strict=True):
        after = step
        if before and isinstance(value, str) and exactly > before[0]:
            after = max(step, before[1] + 1)
        before = (exactly, after)
        yield before


def nearest(exactly):
    return floor(exactly + Fraction(1, 2))


WAYS = {"nearest": nearest, "up": ceil, "down": floor}


def by_hand(document, clock, start=Fraction(0), begin=0, end=None, way="nearest"):
    """A document with numbers in place of its durations.

    Args:
        document: a schedule.
        clock: the run.
        start: where the schedule begins, in the run, before that was rounded.
        begin: where it does.
        end: where its turn is over.
        way: how the ends are rounded.
    """
    whole = WAYS[way]

    def ends(value, exactly, steps, later=()):
        """Where something that begins at exactly, or rounded at steps, ends: both of these."""
        if not isinstance(value, str):
            return exactly + value, steps + value
        if value == "rest":
            stop = end - sum(one if isinstance(one, int) else steps_of(one, clock) for one in later)
            rounded = whole(Fraction(stop)) - begin
            is_left = stop > start + exactly
            return stop - start, max(rounded, steps + 1) if is_left else rounded
        lasts = steps_of(value, clock)
        rounded = whole(start + exactly + lasts) - begin
        if lasts == 0:
            rounded = steps
        return exactly + lasts, max(rounded, steps + 1) if lasts > 0 else rounded

    made, exactly = dict(document), {}
    for name in IN_STEPS & {*document}:
        values = document[name] if isinstance(document[name], list) else [document[name]]
        if values != [None]:
            exactly[name] = [ends(value, Fraction(0), 0) for value in values]
            if document["kind"] in ("SequentialLR", "ContinueLR", "TableLR"):
                exactly[name] = [*pushed(values, exactly[name])]
            rounded = [step for _, step in exactly[name]]
            made[name] = rounded if isinstance(document[name], list) else rounded[0]
    stages = STAGES.get(document["kind"], [])
    if stages:
        parts = [
            part
            for name in stages
            for part in (document[name] if isinstance(document[name], list) else [document[name]])
        ]
        points = [(Fraction(0), 0)]
        for index, part in enumerate(parts, 1):
            points.append(ends(part, *points[-1], parts[index:]))
        over = points[-1][1] - (whole(start + points[-1][0]) - begin)
        lengths = [later - earlier for (_, earlier), (_, later) in pairwise(points)]
        spans = [later - earlier for (earlier, _), (later, _) in pairwise(points)]
        single = len(stages) == 1
        least = [1] * len(parts) if single else [0, 0, 1]
        lengths = squeezed(parts, lengths, spans, over, least)
        made |= {stages[0]: lengths} if single else dict(zip(stages, lengths, strict=True))
        points = [(exact, sum(lengths[:index])) for index, (exact, _) in enumerate(points)]
        exactly["lengths"] = points[1:]
    if document["kind"] in ENDS:
        first, last = ENDS[document["kind"]]
        (written, total), (least, early) = exactly["total_steps"][0], exactly[first][0]
        parts, lengths, spans = [document[first]], [early], [least]
        if last is not None:
            late = document[last]
            spans.append(end - start if late == "rest" else exactly[last][0][0])
            if isinstance(late, str) and late != "rest":
                begins = nearest(start + written - spans[1]) - begin
                lasts = total - begins if way == "nearest" else whole(spans[1])
                made[last] = max(lasts, 1) if spans[1] > 0 else lasts
            parts.append(late)
            lengths.append(made[last])
        over = sum(lengths) + (last is None) - total
        if sum(spans) <= written if last else sum(spans) < written:
            lengths = squeezed(parts, lengths, spans, over, [0, 1])
            made |= dict(zip(ENDS[document["kind"]], lengths, strict=False))
    starts = STARTS.get(document["kind"])
    for name in ("schedulers", "scheduler"):
        children = document.get(name, [])
        turns = [(Fraction(0), 0), *exactly.get(starts, [])]
        over = end
        if document["kind"] == "RepeatLR":
            over = begin + made["period"]
        single = isinstance(children, dict)
        done = []
        for index, child in enumerate([children] if single else children):
            one, rounded = turns[index] if starts else turns[0]
            later = [begin + two for _, two in turns[index + 1 :] if two > rounded]
            until = later[0] if starts and later else over
            done.append(by_hand(child, clock, start + one, begin + rounded, until, way))
        if children:
            made[name] = done[0] if single else done
    return made


def resolved(schedule, clock, way="nearest"):
    try:
        return schedule.resolve(clock, way)
    except SpecError:
        return None


def valid(document):
    try:
        return validate(document)
    except ValidationError:
        return None


@settings(drawn, max_examples=500)
@given(st.data())
def test_a_schedule_that_a_clock_has_counted_is_the_one_with_the_numbers_put_in_by_hand(data):
    clock = data.draw(clocks())
    document = data.draw(with_durations(data.draw(schedules()), clock))
    schedule = validate(document)
    way = data.draw(st.sampled_from([*WAYS]))
    counted = resolved(schedule, clock, way)
    numbers = valid(by_hand(document, clock, end=clock.total_steps, way=way))
    assert counted == numbers
    assume(counted)
    assert not counted.durations()
    assert counted.resolve(clock) is counted
    assert digest(counted) == digest(numbers)
    marks = [mark for mark in counted.marks() if mark < 10**6]
    steps = sorted({step for mark in [0, *marks] for step in range(max(mark - 3, 0), mark + 4)})
    bases = np.array([0.5, 0.1])
    rates = counted.evaluate(np.array(steps)[:, None], bases)
    by_numbers = numbers.evaluate(np.array(steps)[:, None], bases)
    assert np.array_equal(rates, by_numbers, equal_nan=True)


@drawn
@given(st.data())
def test_a_spec_that_was_counted_tells_what_was_written_and_may_be_a_state(data):
    clock = data.draw(clocks())
    document = data.draw(with_durations(data.draw(schedules()), clock))
    spec = parse(document | {"clock": clock.known})
    try:
        counted = spec.resolve()
    except SpecError:
        return
    assert counted.written.schedule == spec.schedule
    assert counted.is_counted
    assert counted.resolve() is counted
    assert counted.resolve(Clock(total_steps=1)) is counted
    assert counted.clock == clock
    assert [path for path, _ in counted.durations] == [
        dotted(path) for path, _ in spec.schedule.durations()
    ]
    position = {"last_epoch": 3, "base_lrs": (0.1,), "digest": digest(counted.schedule)}
    state = counted.model_copy(update=position)
    assert parse(json.loads(json.dumps(state.model_dump(mode="json")))) == state
    assert parse(state.model_dump()).written.schedule == spec.schedule
    assert state.resolve(Clock()) is state


# Stages


@st.composite
def shares(draw):
    """Percentages of at least 1 that sum to 100, in hundredths of a per cent."""
    cuts = draw(st.lists(st.integers(1, 99 * 100), min_size=1, max_size=11, unique=True))
    parts = np.diff([0, *sorted(cuts), 100 * 100]).tolist()
    assume(min(parts) >= 100)
    return [f"{Decimal(part) / 100}%" for part in parts]


totals = st.integers(100, 10**9) | st.integers(100, 1000)


@drawn
@given(shares(), totals, st.sampled_from(["share", "rest", "ends"]))
def test_phases_of_all_of_a_run_cover_every_step_once_whatever_its_length(parts, total, child):
    children = [linear("rest" if child == "rest" else part) for part in parts]
    written = [*parts[:-1], "rest"] if child == "ends" else parts
    counted = phases(*written, schedulers=children).resolve(Clock(total_steps=total))
    assert sum(counted.lengths) == total
    for part, length in zip(parts, counted.lengths, strict=True):
        assert length > 0
        assert abs(length - Fraction(part[:-1]) / 100 * total) < 1
    assert [phase.total_steps for phase in counted.schedulers] == [*counted.lengths]
    starts = [start for start, _, _ in counted.parts()]
    assert [end for _, end, _ in counted.parts()] == [*starts[1:], total]


@drawn
@given(shares(), totals, st.integers(0, 10**6), st.integers(2, 5))
def test_a_sequence_within_a_sequence_ends_where_its_turn_does(parts, total, before, deep):
    """Whatever precedes it, with an end that falls between two steps."""
    inner = {"kind": "PhasesLR", "schedulers": [linear("rest")] * len(parts), "lengths": parts}
    for _ in range(deep - 1):
        inner = {"kind": "PhasesLR", "schedulers": [inner], "lengths": ["100%"]}
    lead = f"{before}tok"
    outer = (
        phases(lead, "100%", schedulers=[HOLD, inner])
        if before
        else phases("100%", schedulers=[inner])
    )
    counted = outer.resolve(Clock(total_steps=total, tokens_per_step=999))
    length, sequence = counted.lengths[-1], counted.schedulers[-1]
    while len(sequence.schedulers) == 1:
        assert sequence.lengths == (length,)
        (sequence,) = sequence.schedulers
    assert sum(sequence.lengths) == length
    assert [one.total_steps for one in sequence.schedulers] == [*sequence.lengths]


@drawn
@given(shares().filter(lambda parts: len(parts) == 3), totals)
def test_three_stages_of_all_of_a_run_cover_it(parts, total):
    names = ["warmup_steps", "hold_steps", "decay_steps"]
    counted = KINDS["TriStageLR"](**dict(zip(names, parts, strict=True))).resolve(
        Clock(total_steps=total)
    )
    lengths = [getattr(counted, name) for name in names]
    assert sum(lengths) == total
    for part, length in zip(parts, lengths, strict=True):
        assert abs(length - Fraction(part[:-1]) / 100 * total) < 1
    last = KINDS["TriStageLR"](**dict(zip(names, [*parts[:2], "rest"], strict=True)))
    assert last.resolve(Clock(total_steps=total)) == counted


SPLITS = [("50%", "50%"), ("10%", "90%"), ("90%", "10%"), ("33.4%", "66.6%"), ("99.9%", "0.1%")]
EVERY_LENGTH = range(1, 2001)


@pytest.mark.parametrize(("first", "last"), [*SPLITS, ("0.1%", "99.9%"), ("7%", "93%")])
def test_a_warm_up_and_a_decay_of_all_of_a_run_cover_every_run_however_long(first, last):
    """The decay is counted back from the end: of 15 steps, a half begins at step 8 and has 7."""
    kind = KINDS["WarmupStableDecayLR"]
    written = kind(warmup_steps=first, total_steps="100%", decay_steps=last)
    for total in EVERY_LENGTH:
        counted = written.resolve(Clock(total_steps=total))
        assert counted.warmup_steps + counted.decay_steps == counted.total_steps == total
        for text, steps in ((first, counted.warmup_steps), (last, counted.decay_steps)):
            on_paper = Fraction(text[:-1]) / 100 * total
            assert steps >= 1 or total == 1
            assert abs(steps - on_paper) < 1


def test_a_decay_with_something_between_begins_at_the_step_nearest_to_what_is_written():
    kind = KINDS["WarmupStableDecayLR"]
    written = kind(warmup_steps="10%", total_steps="100%", decay_steps="20%")
    for total in EVERY_LENGTH:
        counted = written.resolve(Clock(total_steps=total))
        # Half a step is rounded up, and the decay has at least one.
        begins = min((8 * total + 5) // 10, total - 1)
        assert counted.total_steps - counted.decay_steps == begins
        assert counted.warmup_steps == (min(max((total + 5) // 10, 1), begins))


@pytest.mark.parametrize("share", ["0.1%", "3%", "50%", "97%", "99.9%"])
@pytest.mark.parametrize("kind", [kind for kind, (_, last) in ENDS.items() if last is None])
def test_a_first_stage_of_less_than_the_run_leaves_a_step_for_the_rest_of_every_run(kind, share):
    written = KINDS[kind](**{ENDS[kind][0]: share}, total_steps="100%")
    for total in EVERY_LENGTH:
        first = getattr(written.resolve(Clock(total_steps=total)), ENDS[kind][0])
        on_paper = Fraction(share[:-1]) / 100 * total
        assert first == min(max(floor(on_paper + Fraction(1, 2)), 1), total - 1)


@pytest.mark.parametrize(
    "parts", [("10%", "40%", "50%"), ("0.1%", "49.9%", "50%"), ("98%", "1%", "1%")]
)
def test_three_stages_cover_every_run_however_long(parts):
    names = ["warmup_steps", "hold_steps", "decay_steps"]
    tri, sequence = KINDS["TriStageLR"](**dict(zip(names, parts, strict=True))), phases(*parts)
    for total in EVERY_LENGTH:
        clock = Clock(total_steps=total)
        counted = tri.resolve(clock)
        lengths = tuple(getattr(counted, name) for name in names)
        assert sum(lengths) == total
        assert min(lengths) >= 1 or total < 3
        # A phase has a step at least, also where there are fewer steps than phases.
        assert sequence.resolve(clock).lengths == (lengths if total >= 3 else (1, 1, 1))


def test_milestones_that_differ_as_they_are_written_differ_in_every_run():
    """In a run of 30 steps 1 % is 0.3 of a step, and each part of a sequence has a step."""
    texts = ["1%", "2%", "3%", "50%"]
    sequence = parse({"kind": "SequentialLR", "schedulers": [HOLD] * 5, "milestones": texts})
    table = KINDS["TableLR"](milestones=texts, factors=[0.1, 0.2, 0.3, 1.0])
    for total in EVERY_LENGTH:
        clock = Clock(total_steps=total)
        steps = sequence.resolve(clock).schedule.milestones
        assert steps == table.resolve(clock).milestones
        assert steps[0] == max((total + 50) // 100, 1)
        for text, (step, later) in zip(texts[1:], pairwise(steps), strict=True):
            nearest = floor(Fraction(text[:-1]) / 100 * total + Fraction(1, 2))
            assert later == max(nearest, step + 1)
    clock = Clock(total_steps=30)
    assert sequence.resolve(clock).schedule.milestones == (1, 2, 3, 15)
    same = {"kind": "SequentialLR", "schedulers": [HOLD] * 3, "milestones": ["1%", "0.01dur"]}
    assert problem_of(parse(same).schedule.resolve, clock).code == "rule"


@pytest.mark.parametrize("total", [1, 10, 15, 1000])
def test_what_does_not_fit_as_it_is_written_is_refused_however_it_is_rounded(total):
    kind, clock = KINDS["WarmupStableDecayLR"], Clock(total_steps=total)
    written = kind(warmup_steps="60%", total_steps="100%", decay_steps="60%")
    problem = problem_of(written.resolve, clock)
    assert (problem.code, problem.path) == ("rule", ("decay_steps",))
    for first in ("100%", "150%"):
        whole = KINDS["WarmupDecayLR"](warmup_steps=first, total_steps="100%")
        assert problem_of(whole.resolve, clock).path == ("warmup_steps",)


def test_a_decay_that_is_counted_back_is_reported_with_the_step_at_which_it_begins():
    kind = KINDS["WarmupStableDecayLR"]
    written = kind(warmup_steps="50%", total_steps="100%", decay_steps="50%")
    assert str(written.plan(Clock(total_steps=15))).splitlines() == [
        "warmup_steps: 50% is 8 steps, rounded up from 7.5",
        "total_steps: 100% is 15 steps",
        "decay_steps: 50% is 7 steps, from step 8, rounded up from 7.5",
    ]


@drawn
@given(st.data())
def test_stages_are_those_by_hand_also_in_a_sequence_that_begins_between_two_steps(data):
    kind = data.draw(st.sampled_from([*ENDS, "TriStageLR"]))
    clock = data.draw(clocks(longest=data.draw(st.sampled_from([5, 20, 10**6]))))
    share = st.integers(1, 1000).map(lambda tenths: f"{Decimal(tenths) / 10}%")
    amount = share | st.integers(1, 9) | st.sampled_from(["0.5ep", "1000tok"])
    names = step_fields(KINDS[kind])
    document = {"kind": kind, **{name: data.draw(amount) for name in names}}
    if "total_steps" in names:
        document["total_steps"] = data.draw(st.sampled_from(["100%", "90%", "rest"]) | amount)
    if data.draw(st.booleans()):
        lengths = [data.draw(share), "rest"]
        document = {"kind": "PhasesLR", "schedulers": [HOLD, document], "lengths": lengths}
    assume(written := valid(document))
    way = data.draw(st.sampled_from([*WAYS]))
    numbers = valid(by_hand(document, clock, end=clock.total_steps, way=way))
    assert resolved(written, clock, way) == numbers


def test_a_part_of_less_than_a_step_has_one_at_the_cost_of_the_longer_ones():
    clock = Clock(total_steps=100)
    assert phases("0.1%", "99.9%").resolve(clock).lengths == (1, 99)
    assert phases("0.1%", "0.1%", "99.8%").resolve(clock).lengths == (1, 1, 98)
    assert phases("99.9%", "0.1%").resolve(clock).lengths == (99, 1)
    assert phases("99.9%", "rest").resolve(clock).lengths == (99, 1)
    assert phases("98%", "1%", "1%").resolve(Clock(total_steps=10)).lengths == (8, 1, 1)
    assert phases("0.4%", "0.4%", "0.4%", "98.8%").resolve(clock).lengths == (1, 1, 1, 97)


def test_nothing_stays_nothing_after_what_was_made_a_step_long():
    clock = Clock(total_steps=100)
    stages = {"warmup_steps": "0.1%", "hold_steps": "0%", "decay_steps": "99%"}
    counted = KINDS["TriStageLR"](**stages).resolve(clock)
    assert (counted.warmup_steps, counted.hold_steps, counted.decay_steps) == (1, 0, 98)
    child = {"kind": "WarmupLR", "warmup_steps": "0%"}
    counted = phases("0.1%", "rest", schedulers=[HOLD, child]).resolve(clock)
    assert counted.schedulers[1].warmup_steps == 0


# Of any kind, by hand


@pytest.mark.parametrize(
    ("text", "total", "steps"),
    [
        ("3%", 1000, 30),
        ("0.25%", 1000, 3),  # 2.5: a half goes up
        ("0.249%", 1000, 2),
        ("0.01%", 1000, 1),  # 0.1: not zero
        ("1e-99%", 1, 1),
        ("0%", 1000, 0),
        ("33.3333333333333333%", 3, 1),
        ("150%", 3, 5),  # 4.5
    ],
)
def test_a_duration_is_rounded_to_the_nearest_step_and_is_one_at_least(text, total, steps):
    plan = KINDS["WarmupLR"](warmup_steps=text).plan(Clock(total_steps=total))
    assert plan.schedule.warmup_steps == steps
    (one,) = plan.counted
    assert (one.path, one.written.text, one.steps) == (("warmup_steps",), text, steps)
    assert one.exact == Fraction(Decimal(text[:-1])) / 100 * total
    way = "up" if steps > one.exact else "down"
    rounded = f"rounded {way} from {float(one.exact):.10g}"
    assert one.rounding == (rounded if one.exact != steps else "")


def test_the_numbers_of_a_nested_schedule_by_hand():
    inner = {
        "kind": "PhasesLR",
        "schedulers": [HOLD, linear("rest"), linear("0.5ep")],
        "lengths": ["25%", "0.5ep", "rest"],
    }
    middle = {"kind": "SequentialLR", "schedulers": [linear("rest"), inner], "milestones": ["5%"]}
    outer = {
        "kind": "SequentialLR",
        "schedulers": [linear("rest"), middle],
        "milestones": ["0.5ep"],
    }
    counted = parse(outer).resolve(Clock(total_steps=101, steps_per_epoch=12.5)).schedule
    # The middle one begins at 6.25, the inner one at 11.3; its ends are 36.55, 42.8 and the run's.
    assert counted.milestones == (6,)
    assert counted.schedulers[0].total_steps == 6
    middle = counted.schedulers[1]
    assert middle.milestones == (11 - 6,)
    assert middle.schedulers[0].total_steps == 5
    inner = middle.schedulers[1]
    assert inner.lengths == (37 - 11, 43 - 37, 101 - 43)
    assert [one.total_steps for one in inner.schedulers[1:]] == [6, 49 - 43]


def test_the_rest_of_a_turn_needs_no_clock():
    counted = phases(10, 20, schedulers=[linear("rest"), linear("rest")])
    assert [one.total_steps for one in counted.in_steps().schedulers] == [10, 20]
    assert counted.lr(5, 1.0) == 0.5
    repeat = {"kind": "RepeatLR", "scheduler": linear("rest"), "period": 8}
    counted = parse(repeat | {"count": 2}).schedule
    assert counted.in_steps().scheduler.total_steps == 8
    assert counted.lr([4, 12], 1.0).tolist() == [0.5, 0.5]
    sequence = {"kind": "SequentialLR", "schedulers": [linear("rest"), HOLD], "milestones": [7]}
    assert parse(sequence).schedule.in_steps().schedulers[0].total_steps == 7


def test_the_rest_of_a_run_needs_its_length():
    sequence = {
        "kind": "SequentialLR",
        "schedulers": [HOLD, linear("rest")],
        "milestones": ["1ep"],
    }
    schedule = parse(sequence).schedule
    problem = problem_of(schedule.resolve, Clock(steps_per_epoch=30))
    assert (problem.code, problem.path) == ("clock", ("schedulers", 1, "total_steps"))
    assert "rest needs a clock with total_steps" in problem.message
    counted = schedule.resolve(Clock(steps_per_epoch=30, total_steps=100))
    assert counted.schedulers[1].total_steps == 70


def test_what_cannot_be_counted_is_told_once_and_not_for_what_depends_on_it():
    schedule = phases("2ep", "rest", schedulers=[linear("rest"), linear("rest")])
    problem = problem_of(schedule.resolve, Clock(total_steps=100))
    assert problem.path == ("lengths", 0)
    assert problem.message == "lengths[0]: 2ep needs a clock with steps_per_epoch"


def test_no_rest_is_left_where_all_is_taken():
    for lengths, left in ((["100%", "rest"], 0), (["150%", "rest"], -50), ([101, "rest"], -1)):
        problem = problem_of(phases(*lengths).resolve, Clock(total_steps=100))
        assert (problem.code, problem.path) == ("range", ("lengths", 1))
        assert f"found {left}" in problem.message
        assert f"lengths[1]: rest is {left} steps" in problem.hint


def test_children_on_another_clock_count_from_where_it_begins():
    repeat = {"kind": "RepeatLR", "scheduler": linear("10%"), "period": "25%", "count": 4}
    counted = parse(repeat).schedule.resolve(Clock(total_steps=205))
    assert (counted.period, counted.scheduler.total_steps) == (51, 21)
    time = {
        "kind": "TimeLR",
        "scheduler": linear("100%"),
        "shift": "-2.5%",
        "every": "1ep",
        "first": "1%",
        "last": "50%",
    }
    counted = parse(time).schedule.resolve(Clock(total_steps=100, steps_per_epoch=12.5))
    # A half goes up, also below 0.
    assert (counted.shift, counted.every, counted.first, counted.last) == (-2, 13, 1, 50)
    assert counted.scheduler.total_steps == 100


def test_a_schedule_in_tokens_with_a_constant_batch_is_the_one_in_steps():
    batch = 4_194_304
    clock = Clock(tokens_per_step=batch)

    def cosine(warmup, total):
        return KINDS["WarmupCosineScheduler"](warmup_steps=warmup, total_steps=total)

    for warmup, total in ((2000, 500_000), (1, 2), (7, 10**9)):
        tokens = cosine(f"{warmup * batch}tok", f"{total * batch}tok")
        assert tokens.resolve(clock) == cosine(warmup, total)
        samples = cosine(f"{warmup * 1024}sp", f"{total * 1024}sp")
        assert samples.resolve(Clock(samples_per_step=1024)) == cosine(warmup, total)


@drawn
@given(st.data())
def test_any_schedule_in_whole_batches_of_tokens_is_the_one_in_steps(data):
    document = in_steps(data.draw(schedules()).model_dump(mode="json"))
    schedule = parse(document).schedule
    batch = data.draw(st.integers(1, 10**6))
    spec = parse(in_tokens(document, batch))
    assert spec.schedule.resolve(Clock(tokens_per_step=batch)) == schedule


def in_tokens(document, batch):
    """A document in which numbers of steps are numbers of tokens."""
    if isinstance(document, list):
        return [in_tokens(item, batch) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        name: tokens(value, batch) if name in IN_STEPS else in_tokens(value, batch)
        for name, value in document.items()
    }


def tokens(value, batch):
    if isinstance(value, list):
        return [tokens(item, batch) for item in value]
    return value if value is None else f"{value * batch}tok"


# Bounds


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("1.0000000000000002dur", Clock(total_steps=MAX_STEPS)),
        ("1e99ep", Clock(steps_per_epoch=1.5)),
        ("1e99sp", Clock(samples_per_step=1)),
        ("9e15ep", Clock(steps_per_epoch=float(MAX_STEPS))),
    ],
)
def test_a_schedule_that_would_be_too_long_is_refused_with_a_short_message(text, clock):
    problem = problem_of(KINDS["LinearLR"](total_steps=text).resolve, clock)
    assert (problem.code, problem.path) == ("range", ("total_steps",))
    assert problem.message.startswith(f"total_steps must be at most {MAX_STEPS}, found ")
    assert problem.hint == f"total_steps: {text} is beyond 9,007,199,254,740,992 steps"


def test_a_schedule_may_be_as_long_as_there_are_steps():
    assert KINDS["LinearLR"](total_steps="100%").resolve(Clock(total_steps=MAX_STEPS))
    sequence = phases("50%", "rest").resolve(Clock(total_steps=MAX_STEPS))
    assert sequence.lengths == (MAX_STEPS // 2,) * 2
    assert KINDS["LinearLR"](total_steps="1e-99ep").resolve(Clock(steps_per_epoch=1e-6))


def test_a_step_of_an_expectation_that_is_too_far_is_a_problem_and_no_crash():
    rates = [{"step": 3, "lr": 0}, {"step": "1e99ep", "lr": 0}, {"step": "2ep", "lr": 0}]
    text = yaml.safe_dump(
        linear(5) | {"expect": {"base_lr": 1, "rates": rates}, "clock": {"steps_per_epoch": 10}}
    )
    (problem,) = check(read(text, "a.olm.yaml")).problems
    assert (problem.code, problem.path) == ("range", ("expect", "rates", 1, "step"))
    assert len(str(problem)) < 300


def test_a_shift_may_not_be_too_far_back():
    time = KINDS["TimeLR"](scheduler=linear(5), shift="-1e99ep")
    problem = problem_of(time.resolve, Clock(steps_per_epoch=2))
    assert problem.hint == "shift: -1e99ep is beyond 9,007,199,254,740,992 steps"
