"""Properties of every kind, for all its examples: a new kind is tested before it has a test."""

import json
import pickle
from itertools import permutations

import numpy as np
import pytest
from pydantic import ValidationError

from olm.fields.types import step_fields
from olm.kinds import GROUPS, KINDS
from olm.schedule.schedule import MAX_DEPTH, Schedule, validate
from olm.spec.digest import digest
from olm.spec.root_keys import STATE_KEYS
from olm.spec.spec import Spec, parse

EXAMPLES = [
    pytest.param(model(**example), id=f"{kind}-{index}")
    for kind, model in KINDS.items()
    for index, example in enumerate(model.examples)
]
BASES = (1.0, 0.1, 3e-4, 0.0)


def steps_of(schedule: Schedule) -> np.ndarray:
    """The steps around all changes of a schedule, in ascending order."""
    marks = [0, *schedule.marks()]
    near = {mark + offset for mark in marks for offset in (-1, 0, 1, 7)}
    inner = np.linspace(0, marks[-1], 50).astype(int)
    return np.unique([step for step in (*near, *inner) if step >= 0])


@pytest.mark.parametrize("model", KINDS.values(), ids=KINDS)
def test_a_kind_is_documented_where_it_is_defined(model):
    assert model.examples
    assert ">>>" in model.__doc__
    assert "Source:" in model.__doc__
    assert model.words
    assert model.group in GROUPS


def test_no_kind_is_a_prefix_of_another_so_that_editors_can_distinguish_them():
    assert not [(a, b) for a, b in permutations(KINDS, 2) if b.startswith(a)]


@pytest.mark.parametrize("model", KINDS.values(), ids=KINDS)
def test_no_field_has_the_name_of_a_root_key(model):
    assert not {*model.model_fields} & {*STATE_KEYS, *Spec.model_fields, "$schema"}


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_the_sentence_takes_its_numbers_from_the_fields(schedule):
    assert schedule.words.format(**dict(schedule))


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("schedule", EXAMPLES)
def test_rates_are_finite_and_never_negative_and_hold_from_the_horizon_on(schedule, base):
    rates = schedule.lr(steps_of(schedule), base)
    assert np.isfinite(rates).all()
    assert (rates >= 0).all()
    if (end := schedule.holds_from()) is not None:
        later = {schedule.lr(end + steps, base) for steps in (0, 1, 10, 10**9)}
        assert later == {schedule.lr(end, base)}


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_a_schedule_without_a_horizon_has_a_length_to_show(schedule):
    assert schedule.horizon() > 0
    if schedule.holds_from() is None and not schedule.children():
        looked_at, later = np.arange(schedule.horizon()), 7 * schedule.horizon()
        assert len({*schedule.lr(looked_at, 1.0)}) > 1
        assert len({*schedule.lr(later + looked_at, 1.0)}) > 1


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_a_step_has_the_same_rate_as_scalar_and_in_arrays(schedule):
    """Alone, in blocks of every length and offset, as a list, and with other base rates."""
    steps = steps_of(schedule)
    alone = [schedule.lr(int(step), 0.3) for step in steps]
    assert all(type(rate) is float for rate in alone)
    assert schedule.lr(steps, 0.3).tolist() == alone
    assert schedule.lr(list(map(int, steps)), 0.3).tolist() == alone
    assert schedule.lr(steps[:, None], np.array([0.7, 0.3]))[:, 1].tolist() == alone
    for length in (1, 2, 3, 4, 5, 7, 8, 9, 16, 17):
        for start in range(0, len(steps) - length, 3):
            block = slice(start, start + length)
            assert schedule.lr(steps[block], 0.3).tolist() == alone[block]


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_a_schedule_is_a_value(schedule):
    again = validate(schedule.model_dump(mode="json"))
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert {again: 1}[schedule] == 1
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert schedule.model_copy() == schedule
    with pytest.raises(ValidationError):
        schedule.kind = "other"


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_a_schedule_survives_json_and_keeps_its_digest(schedule):
    text = json.dumps(schedule.model_dump(mode="json"), allow_nan=False)
    assert parse(json.loads(text)).schedule == schedule
    assert digest(parse(json.loads(text)).schedule) == digest(schedule)


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_the_digest_changes_with_every_field_and_not_with_a_default_written_out(schedule):
    defaults = {
        name: field.default
        for name, field in type(schedule).model_fields.items()
        if name != "kind" and not field.is_required()
    }
    short = {k: v for k, v in dict(schedule).items() if k not in defaults or v != defaults[k]}
    assert digest(type(schedule)(**short)) == digest(schedule)
    for name in step_fields(type(schedule)):
        if isinstance(steps := getattr(schedule, name), int):
            assert digest(schedule.model_copy(update={name: steps + 1})) != digest(schedule)


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_a_copy_with_a_changed_field_is_validated(schedule):
    with pytest.raises(ValidationError, match="no field `colour`"):
        schedule.model_copy(update={"colour": "red"})
    for name in step_fields(type(schedule)):
        with pytest.raises(ValidationError, match=name):
            schedule.model_copy(update={name: -(2**60)})


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_every_kind_can_be_a_part_of_every_composition_down_to_the_deepest_level(schedule):
    nest = schedule
    while nest.depth < MAX_DEPTH:
        nest = KINDS["SequentialLR"](schedulers=[nest], milestones=[])
    assert nest.lr([0, 1, 5], 0.3).tolist() == schedule.lr([0, 1, 5], 0.3).tolist()
    assert nest.marks() == schedule.marks()
    assert parse(nest.model_dump()).schedule == nest
    with pytest.raises(ValidationError, match="16"):
        KINDS["SequentialLR"](schedulers=[nest], milestones=[])
    with pytest.raises(ValidationError, match="16"):
        KINDS["SequentialLR"](schedulers=[nest.model_dump()], milestones=[])


def test_each_child_gets_only_its_own_steps(monkeypatch):
    seen = []
    constant = KINDS["ConstantLR"]
    formula = constant.formula
    monkeypatch.setattr(
        constant, "formula", lambda self, step, base: seen.append(step) or formula(self, step, base)
    )
    parts = [constant(total_iters=count) for count in (1, 2, 3)]
    KINDS["SequentialLR"](schedulers=parts, milestones=[2, 5]).lr(np.arange(7), 0.3)
    assert [block.tolist() for block in seen] == [[0, 1], [0, 1, 2], [0, 1]]


@pytest.mark.parametrize(
    ("step", "base"),
    [
        *((step, 0.1) for step in (-1, 0.5, [0, -3], "3", True, float("nan"), None)),
        *((0, base) for base in (-0.1, float("nan"), float("inf"), "0.1", None)),
    ],
)
def test_impossible_steps_and_base_rates_are_rejected(step, base):
    with pytest.raises(ValueError, match=r"(step|base) must be"):
        KINDS["LinearLR"](total_steps=3).lr(step, base)


def test_a_rate_that_overflows_is_an_error_that_names_the_step():
    schedule = KINDS["ConstantLR"](factor=10.0, total_iters=3)
    assert schedule.lr(3, 1e308) == 1e308
    with pytest.raises(ValueError, match=r"ConstantLR: the rate at step 2 would be inf"):
        schedule.lr([3, 2, 1], 1e308)


def test_two_models_cannot_have_one_kind():
    with pytest.raises(TypeError, match=r"two models of the kind LinearLR: olm"):
        type("Other", (KINDS["LinearLR"],), {"__module__": "acme"})


def test_a_long_schedule_is_exact_at_its_end():
    longest = KINDS["LinearLR"](total_steps=2**53, end_lr=0.1)
    assert longest.lr(2**53, 0.5) == 0.1
    assert longest.lr(2**52, 0.5) == pytest.approx(0.3, rel=1e-15)


def test_the_base_class_of_kinds_is_no_kind():
    with pytest.raises(TypeError, match="Schedule is not a kind itself"):
        Schedule(kind="LinearLR", total_steps=3)
