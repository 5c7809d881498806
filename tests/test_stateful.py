"""Schedulers under any sequence of operations, against a model: the formula and a counter."""

import copy
import json
import pickle
from dataclasses import dataclass, field, replace

import pytest
import torch
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from jsonschema import Draft7Validator
from torch.optim import SGD

import olm
from olm.fields.durations import duration
from olm.fields.types import MAX_STEPS
from olm.problem import dotted
from olm.schedule.clock import Clock
from olm.schedule.schedule import Schedule
from olm.schedule.step_fields import places, rewritten
from olm.schema.json_schema import schedules_schema
from olm.spec.digest import digest
from olm.spec.memory import forgotten, remembered
from olm.train.schedulers.groups import late_base

from .strategies import CATALOGUE, mutated, schedules

VALIDATOR = Draft7Validator(schedules_schema(CATALOGUE))
SIDES = st.sampled_from(["error", "checkpoint", "spec"])
RATES = st.sampled_from([0.5, 0.1, 3e-4, 0.0]) | st.floats(1e-6, 2.0)
EPOCHS = [Clock(steps_per_epoch=length) for length in (1, 2, 3)]
"""Runs of three lengths. In the first, epochs are steps, so that no schedule changes."""
LAST = st.integers(MAX_STEPS - 2, MAX_STEPS)
"""Steps near the end of a schedule, and the largest step of a state."""
METRICS = st.sampled_from([0.0, 1.0, 2.0, -1.0, float("nan"), float("inf")]) | st.floats(-9, 9)


@st.composite
def in_epochs(draw):
    """A schedule in which some numbers of steps are the same numbers of epochs."""
    schedule = draw(schedules())
    numbers = {path: at(schedule, path) for path in sorted(places(schedule), key=dotted)}
    some = {path: duration(f"{n}ep") for path, n in numbers.items() if draw(st.booleans())}
    return rewritten(schedule, some)


def at(schedule, path):
    """The value at a path in a schedule."""
    for key in path:
        schedule = schedule[key] if isinstance(key, int) else getattr(schedule, key)
    return schedule


class Refused(Exception):
    """The error of the model for a state that cannot be loaded."""


@dataclass
class Model:
    """The model of a scheduler: a schedule with its counters, a step, base rates."""

    schedule: Schedule
    step: int
    bases: list[float]
    groups: list[dict[str, float]] = field(default_factory=list)
    """The param groups: ``lr`` and, if the scheduler has seen them, ``initial_lr``."""
    last: list[float] = field(default_factory=list)
    """The rates that the scheduler set last."""
    outlives: bool = False
    """Whether they survive loading a state of the optimizer."""
    durations: list[list[str]] = field(default_factory=list)
    """The paths and texts of durations."""

    @property
    def all_bases(self):
        """The base rates, including those of groups added later."""
        added = self.groups[len(self.bases) :]
        return [*self.bases, *(late_base(self.schedule.lr, self.step, group) for group in added)]

    @property
    def state(self):
        durations = {"durations": self.durations} if self.durations else {}
        return {
            **self.schedule.model_dump(mode="json"),
            **durations,
            "last_epoch": self.step,
            "base_lrs": self.all_bases,
            "digest": digest(self.schedule),
        }

    def at(self, step, schedule=None):
        """The model after a step: every rate is the formula's. RateError if one is unusable."""
        if step > MAX_STEPS:
            raise olm.RateError
        schedule, bases = schedule or self.schedule, self.all_bases
        rates = [schedule.lr(step, base) for base in bases]
        groups = [
            {"initial_lr": base, **group, "lr": rate}
            for group, base, rate in zip(self.groups, bases, rates, strict=True)
        ]
        return replace(self, schedule=schedule, step=step, bases=bases, groups=groups, last=rates)

    def reasserted(self):
        """The model with its base rates and rates written to the groups."""
        if self.step < 0:
            return self.marked()
        bases = [{"initial_lr": base} for base in self.all_bases]
        return replace(self, bases=self.all_bases, groups=bases).at(self.step)

    def marked(self):
        """The model with its base rates written to the groups that have none."""
        known = [{"initial_lr": base} for base in self.bases]
        known += [{}] * (len(self.groups) - len(known))
        groups = [{**base, **group} for base, group in zip(known, self.groups, strict=True)]
        return replace(self, groups=groups)

    def loaded(self, theirs, side):
        """The model after loading the state of another; Refused if nothing may change."""
        ours, bases = self.schedule, self.all_bases
        if side != "spec" and theirs.schedule.kind != ours.kind:
            raise Refused
        if side != "spec" and len(theirs.all_bases) != len(bases):
            raise Refused
        same = forgotten(theirs.schedule) == forgotten(ours) and theirs.all_bases == bases
        if side == "error" and not same:
            raise Refused
        schedule, bases, durations = (
            (remembered(ours, theirs.schedule), bases, self.durations)
            if side == "spec"
            else (theirs.schedule, theirs.all_bases, theirs.durations)
        )
        new = replace(self, schedule=schedule, bases=list(bases), durations=durations)
        new = replace(new, step=theirs.step)
        return replace(new.reasserted(), outlives=self.outlives or side == "spec")


def built(schedule, bases, clock):
    """The model of a new scheduler."""
    durations = [[dotted(path), one.text] for path, one in schedule.durations()]
    groups = [{} for _ in bases]
    return Model(schedule.resolve(clock), -1, list(bases), groups, durations=durations).at(0)


def optimizer_of(bases, tensors):
    rates = [torch.tensor(base, dtype=torch.float64) if tensors else base for base in bases]
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates]
    return SGD(groups, momentum=0.9)


def plain(value):
    """Whether a value consists only of the exact types of JSON."""
    if type(value) is dict:
        return all(type(key) is str and plain(item) for key, item in value.items())
    if type(value) is list:
        return all(map(plain, value))
    return type(value) in (str, bool, int, float, type(None))


def check(scheduler, model):
    """Assert that a scheduler agrees with the model in every respect."""
    groups = [
        {name: float(group[name]) for name in ("lr", "initial_lr") if name in group}
        for group in scheduler.optimizer.param_groups
    ]
    assert groups == model.groups
    assert scheduler.get_last_lr() == model.last
    assert scheduler.last_epoch == model.step
    assert scheduler.schedule == model.schedule
    assert scheduler.state_dict() == model.state


class Operations(RuleBasedStateMachine):
    """All operations on a scheduler, in any order."""

    saved = Bundle("saved")

    @initialize(
        schedule=schedules() | in_epochs(),
        bases=st.lists(RATES, min_size=1, max_size=3),
        tensors=st.booleans(),
    )
    def build(self, schedule, bases, tensors):
        self.tensors = tensors
        self.begin(schedule, bases)

    def begin(self, schedule, bases, clock=EPOCHS[0]):
        """Build a scheduler and its model, if the first rate is usable."""
        optimizer = optimizer_of(bases, self.tensors)
        try:
            model = built(schedule, bases, clock)
        except (olm.RateError, olm.SpecError) as error:
            with pytest.raises(type(error)):
                olm.build(schedule, optimizer, clock=clock)
            assume(False)
        self.model, self.scheduler = model, olm.build(schedule, optimizer, clock=clock)

    def act(self, change, expect):
        """Apply an operation to both; if the model raises, so must the scheduler."""
        try:
            model = expect()
        except olm.RateError:
            with pytest.raises(olm.RateError):
                change()
        except Refused:
            with pytest.raises(olm.StateError):
                change()
        else:
            change()
            self.model = model

    def step_once(self, metric):
        scheduler, model = self.scheduler, self.model
        scheduler.optimizer.step()
        plateau = model.schedule.kind == "ReduceLROnPlateau"
        if not model.schedule.metric_driven or (metric is None and not plateau):
            self.act(scheduler.step, lambda: model.at(model.step + 1))
        else:
            value = 1.0 if metric is None else metric
            seen = model.schedule.observe(value, max(model.step, 0))
            self.act(lambda: scheduler.step(value), lambda: model.at(model.step + 1, seen))

    @rule(metric=st.none() | METRICS)
    def step(self, metric):
        self.step_once(metric)

    @rule(count=st.integers(2, 30))
    def step_many(self, count):
        for _ in range(count):
            self.step_once(None)

    @rule(metric=METRICS)
    def observe(self, metric):
        model = self.model
        if not model.schedule.metric_driven or model.step < 0:
            self.scheduler.observe(metric)
        else:
            seen = model.schedule.observe(metric, model.step)
            self.act(lambda: self.scheduler.observe(metric), lambda: model.at(model.step, seen))

    @rule(target=saved)
    def save(self):
        text = json.dumps(self.scheduler.state_dict(), allow_nan=False)
        optimizer = copy.deepcopy(self.scheduler.optimizer.state_dict())
        return text, optimizer, copy.deepcopy(self.model)

    def load(self, state, theirs, side):
        given = copy.deepcopy(state)
        self.act(
            lambda: self.scheduler.load_state_dict(state, on_change=side),
            lambda: self.model.loaded(theirs, side),
        )
        assert str(state) == str(given)

    @rule(one=saved, side=SIDES)
    def load_saved(self, one, side):
        text, _, theirs = one
        self.load(json.loads(text), theirs, side)

    @rule(step=st.integers(0, 100) | st.integers(0, 10**6) | LAST, side=SIDES)
    def load_another_step(self, step, side):
        theirs = replace(self.model, step=step)
        self.load(theirs.state, theirs, side)

    @rule(one=saved)
    def load_the_optimizers_state(self, one):
        _, state, theirs = one
        assume(len(theirs.groups) == len(self.model.groups))
        self.scheduler.optimizer.load_state_dict(copy.deepcopy(state))
        self.model = replace(self.model, groups=theirs.groups)
        self.model = self.model.reasserted() if self.model.outlives else self.model.marked()

    @rule(data=st.data(), side=SIDES)
    def load_garbage(self, data, side):
        state = data.draw(mutated(of=st.just(self.model.state)))
        # Otherwise, it may be an old state of another library.
        assume({"kind", "digest"} & {*state})
        try:
            spec = olm.parse(state)
        except olm.SpecError:
            spec = None
        if spec and spec.is_state:
            durations = [[*pair] for pair in spec.durations]
            theirs = Model(spec.schedule, spec.last_epoch, [*spec.base_lrs], durations=durations)
            self.load(state, theirs, side)
        else:
            with pytest.raises(olm.StateError):
                self.scheduler.load_state_dict(state, on_change=side)

    @precondition(lambda self: len(self.model.groups) < 5)
    @rule(base=RATES)
    def add_param_group(self, base):
        params = [torch.zeros(1, requires_grad=True)]
        self.scheduler.optimizer.add_param_group({"params": params, "lr": base})
        self.model = replace(self.model, groups=[*self.model.groups, {"lr": base}])

    @rule(base=RATES, index=st.integers(0, 4), whole=st.booleans())
    def change_a_base_rate(self, base, index, whole):
        bases = list(self.model.bases)
        bases[index % len(bases)] = base
        if whole:
            self.scheduler.base_lrs = bases
        else:
            self.scheduler.base_lrs[index % len(bases)] = base
        self.model = replace(self.model, bases=bases)

    @rule(way=st.sampled_from([copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]))
    def go_on_with_a_copy(self, way):
        original, self.scheduler = self.scheduler, way(self.scheduler)
        before = copy.deepcopy(self.model)
        self.step_once(None)
        check(original, before)

    @rule()
    def go_on_with_a_new_scheduler(self):
        """Restart without a checkpoint of the optimizer."""
        model = self.model
        self.begin(forgotten(model.schedule), model.all_bases)
        self.load(model.state, model, "error")

    @rule()
    def go_on_with_one_built_from_the_state(self):
        model = self.model
        assume(model.step >= 0)
        self.begin(model.schedule, model.all_bases)
        self.act(
            lambda: setattr(
                self,
                "scheduler",
                olm.build(model.state, optimizer_of(model.all_bases, self.tensors)),
            ),
            lambda: replace(self.model, step=model.step, durations=model.durations).reasserted(),
        )

    @rule(schedule=schedules() | in_epochs(), clock=st.sampled_from(EPOCHS))
    def go_on_with_another_spec(self, schedule, clock):
        model = self.model
        self.begin(schedule, model.all_bases, clock)
        self.load(model.state, model, "spec")

    @rule(clock=st.sampled_from(EPOCHS), side=SIDES)
    def go_on_with_a_run_of_another_length(self, clock, side):
        model = self.model
        texts = dict(map(tuple, model.durations))
        written = rewritten(
            forgotten(model.schedule),
            {
                path: duration(texts[dotted(path)])
                for path in places(model.schedule)
                if dotted(path) in texts
            },
        )
        self.begin(written, model.all_bases, clock)
        self.load(model.state, model, side)

    @invariant()
    def the_scheduler_is_the_model(self):
        check(self.scheduler, self.model)

    @invariant()
    def its_state_is_plain_json_of_a_spec(self):
        state = self.scheduler.state_dict()
        assert plain(state)
        assert json.loads(json.dumps(state, allow_nan=False)) == state
        assert olm.parse(state).model_dump() == state
        VALIDATOR.validate(state)

    @invariant()
    def its_own_state_changes_nothing(self):
        if self.model == self.model.reasserted():
            self.scheduler.load_state_dict(self.scheduler.state_dict())
            check(self.scheduler, self.model)


def test_after_any_operations_a_scheduler_is_its_formula_step_and_counters():
    run_state_machine_as_test(
        Operations,
        settings=settings(
            max_examples=80,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_rate_survives_loading_an_optimizer_with_an_added_group():
    document = {"kind": "LinearLR", "total_steps": 10}
    scheduler = olm.build(document, optimizer := optimizer_of([0.5], tensors=False))
    state = {**scheduler.state_dict(), "last_epoch": 5}
    scheduler.load_state_dict(state, on_change="spec")
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.1})
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.1]
