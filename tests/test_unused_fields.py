"""Every field of a kind changes the rates, with every choice in another field or by declaration."""

from typing import Literal, get_args, get_origin

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from pydantic import ValidationError

from olm.problem import SpecError
from olm.schedule.schedule import Schedule
from strategies import CATALOGUE, _values, schedules

LEAVES_ALONE = {kind for kind, model in CATALOGUE.items() if model.group == "metric-driven"}
"""The kinds whose rates depend on metrics, and their fields on them: each has its own tests."""

SEARCH = settings(
    max_examples=300,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def values_of(model):
    """A strategy for the values of each field of a kind."""
    return {
        name: _values(field.annotation, field.metadata, schedules(1), False)
        for name, field in model.model_fields.items()
        if name != "kind"
    }


def choices(model):
    """Each value of each field that is a choice, as a mapping with this field."""
    for name, field in model.model_fields.items():
        if name != "kind" and get_origin(field.annotation) is Literal:
            yield from ({name: value} for value in get_args(field.annotation))


def cases(model):
    """Each field of a kind, with each choice in another field."""
    return [
        (name, choice)
        for choice in [*choices(model)] or [{}]
        for name in model.model_fields
        if name != "kind" and name not in choice
    ]


@st.composite
def pairs(draw, model, values, name, choice):
    """The fields of two schedules that differ in one field, with a choice in another field."""
    fields = {**draw(st.sampled_from(model.examples)), **choice}
    for other in values.keys() - choice.keys() - {name}:
        if draw(st.integers(0, 3)) == 0:
            fields[other] = draw(values[other])
    first = fields.get(name)
    if isinstance(first, list) and not isinstance(first[-1], list) and draw(st.booleans()):
        # Lists that belong together have the same length.
        if isinstance(first[-1], dict):
            last = (draw(values[name]) or first)[-1]
        else:
            last = draw(st.just(first[-1]) | values_near(first))
        return fields, {**fields, name: [*first[:-1], last]}
    return {**fields, name: draw(values[name])}, {**fields, name: draw(values[name])}


def values_near(numbers):
    """Another last item of a list of numbers."""
    last = numbers[-1]
    return st.sampled_from([last + type(last)(1), last * 2])


def differ(model, pair):
    """Whether two valid schedules have another rate at some step."""
    try:
        first, second = (model(**fields).in_steps() for fields in pair)
    except (ValidationError, SpecError):
        return False
    marks = [mark for schedule in (first, second) for mark in schedule.marks()[:50]]
    near = {*range(60), *(mark + by for mark in marks for by in (-1, 0, 1) if mark)}
    steps = np.array(sorted(near), float)
    with np.errstate(all="ignore"):
        rates = [schedule.evaluate(steps, np.array([0.3])) for schedule in (first, second)]
    return not np.array_equal(*rates, equal_nan=True)


def counts(model, values, name, choice):
    """Whether a field changes a rate, with a choice in another field and any others."""
    try:
        find(pairs(model, values, name, choice), lambda pair: differ(model, pair), settings=SEARCH)
    except NoSuchExample:
        return False
    return True


def undeclared(model):
    """The fields whose effect is not what the kind declares, each with the choice."""
    values = values_of(model)
    for name, choice in cases(model):
        declared, uses = model.counts_with.get(name, ("", ()))
        used = declared not in choice or choice[declared] in uses
        if counts(model, values, name, choice) != used:
            yield name, choice


@pytest.mark.parametrize("kind", sorted({*CATALOGUE} - LEAVES_ALONE))
def test_a_field_changes_the_rates_exactly_with_the_choices_that_the_kind_declares(kind):
    assert [*undeclared(CATALOGUE[kind])] == []


def test_a_kind_that_forgets_to_declare_a_field_is_found(monkeypatch):
    monkeypatch.setattr(CATALOGUE["CyclicLR"], "counts_with", Schedule.counts_with)
    assert [*undeclared(CATALOGUE["CyclicLR"])] == [
        ("gamma", {"mode": mode}) for mode in ("triangular", "triangular2")
    ]
