"""Hypothesis strategies: schedules of any kind, valid documents, and invalid ones.

All of it follows from the types of the fields, so that a new kind is drawn without a change here.
"""

import copy
import json
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import ValidationError

from olm import kinds
from olm.fields.durations import REST, UNITS
from olm.fields.types import MAX_RATE, MAX_STEPS, TINY, Length, Number, step_fields
from olm.problem import SpecError, dotted
from olm.schedule.clock import Clock
from olm.schedule.schedule import KINDS, Schedule
from olm.spec.digest import digest
from olm.spec.hyperparameters import SUGGESTED
from olm.spec.root_keys import ROOT_KEYS, STATE_KEYS
from olm.spec.spec import parse
from olm.spec.targets import Target, assign

CATALOGUE = {
    kind: model
    for kind, model in KINDS.items()
    if model.__module__.startswith(f"{kinds.__name__}.")
}
"""The kinds of olm, without those that other tests define."""

TRIES = 4
"""The number of attempts to draw fields that fit together; after that, an example is used."""


@st.composite
def schedules(draw, depth=3, wide=False, kinds=CATALOGUE):
    """A valid schedule, nested at most `depth` deep.

    Its numbers are as in real specs, so that its rates are finite; with `wide` any valid numbers.
    """
    leaves = [model for model in kinds.values() if not _mentions_children(model)]
    model = draw(st.sampled_from(list(kinds.values()) if depth > 1 else leaves))
    fields = {
        name: _values(field.annotation, field.metadata, schedules(depth - 1, wide, kinds), wide)
        for name, field in model.model_fields.items()
        if name != "kind"
    }
    needed = {name for name in fields if model.model_fields[name].is_required()}
    for _ in range(TRIES):
        said = {name for name in fields if name in needed or draw(st.booleans())}
        try:
            made = model(**{name: draw(fields[name]) for name in fields if name in said})
        except ValidationError:
            continue
        if made.is_counted:
            return made
    return model(**draw(st.sampled_from(model.examples)))


@st.composite
def specs(draw, depth=3, wide=False, kinds=CATALOGUE):
    """A valid document without a position, in one of its spellings."""
    schedule = draw(schedules(depth, wide, kinds))
    document = _written(draw, schedule.model_dump(mode="json"))
    return document | ({"$schema": draw(_TEXT)} if draw(st.booleans()) else {})


@st.composite
def clocks(draw, longest=10**6):
    """A complete clock of a run that is short enough to evaluate."""
    samples = draw(st.integers(1, 4096) | st.floats(1, 4096))
    tokens = samples * draw(st.sampled_from([1, 2.5, 128, 2048]))
    return Clock(
        total_steps=draw(st.integers(1, longest)),
        steps_per_epoch=draw(st.integers(1, 10**4) | st.floats(0.1, 10**4)),
        samples_per_step=samples,
        tokens_per_step=tokens,
    )


@st.composite
def varying_clocks(draw, longest=10**6):
    """A complete clock of a run whose batch, and perhaps its sequence length, changes."""
    begins = sorted({0, *draw(st.lists(st.integers(1, longest), max_size=3))})
    sizes = [draw(st.integers(1, 64)) for _ in begins]
    stages = [{"from": at, "samples": 8 * size} for at, size in zip(begins, sizes, strict=True)]
    count, by = draw(st.integers(1, 40)), draw(st.integers(1, 16))
    ends = draw(st.permutations([by, by * (count + 1)]))
    over = draw(st.integers(1, longest).map(str)) + draw(st.sampled_from(["sp", "tok", "st"]))
    ramp = {"start": ends[0], "end": ends[1], "by": by, "over": over}
    at = draw(st.integers(1, longest))
    lengths = [{"from": 0, "tokens": 512}, {"from": f"{at}sp", "tokens": 2048}]
    return Clock(
        total_steps=draw(st.integers(1, longest) | st.integers(1, longest).map("{}sp".format)),
        samples_per_epoch=draw(st.integers(1, 10**4)),
        tokens_per_sample=draw(st.sampled_from([1, 2048, lengths])),
        **draw(st.sampled_from([{"batch_stages": stages}, {"batch_ramp": ramp}])),
    )


@st.composite
def amounts(draw, clock, steps):
    """The text of a duration of about this many steps."""
    unit = draw(st.sampled_from([*UNITS]))
    value = getattr(clock, UNITS[unit].needs, 1)
    amount = steps * value if UNITS[unit].per_step else steps / value
    digits = draw(st.integers(1, 9))
    more = draw(st.sampled_from(["", "", "", "+1st", "-1st", "+0.5ep", "-0.1%"]))
    return f"{amount / float(UNITS[unit].scale):.{digits}g}{unit}{more}"


@st.composite
def with_durations(draw, schedule, clock):
    """A document of a schedule with durations instead of numbers of steps.

    They are about as long as the numbers, or `rest`. Only those that the models accept are kept;
    they need not fit together once they are counted. All of it counts steps.
    """
    document = in_steps(schedule.model_dump(mode="json"))
    for _, container, key in step_places(document):
        if draw(st.booleans()):
            number = container[key]
            about = number * draw(st.just(1) | st.floats(0, 2))
            container[key] = draw(st.sampled_from([REST, *[None] * 5])) or draw(
                amounts(clock, about)
            )
            try:
                parse(document)
            except SpecError:
                container[key] = number
    return document


def in_steps(value):
    """A document without the axes of its schedules."""
    if isinstance(value, list):
        return [in_steps(item) for item in value]
    if not isinstance(value, dict):
        return value
    steps = {"axis": "steps", "per_step": None} if "axis" in value else {}
    return {key: in_steps(item) for key, item in {**value, **steps}.items()}


def step_places(document, path=()):
    """The numbers of steps in a schedule: the path, the container, and the key in it."""
    if isinstance(document, dict) and "kind" in document:
        fields = step_fields(KINDS[document["kind"]])
        for name, value in document.items():
            if name in fields and isinstance(value, list):
                yield from (((*path, name, index), value, index) for index in range(len(value)))
            elif name in fields and value is not None:
                yield (*path, name), document, name
            else:
                yield from step_places(value, (*path, name))
    elif isinstance(document, list):
        for index, item in enumerate(document):
            yield from step_places(item, (*path, index))


@st.composite
def specs_with_durations(draw, depth=3, kinds=CATALOGUE):
    """A valid document with durations, and perhaps with a clock."""
    clock = draw(clocks())
    document = draw(with_durations(draw(schedules(depth, False, kinds)), clock))
    if draw(st.booleans()):
        known = clock.known.items()
        document["clock"] = {name: value for name, value in known if draw(st.booleans())}
    return document


@st.composite
def states_with_durations(draw, depth=3, kinds=CATALOGUE):
    """The document of a state with the durations of its steps."""
    schedule, clock = draw(schedules(depth, False, kinds)), draw(clocks())
    document = draw(with_durations(schedule, clock))
    texts = [
        [dotted(path), container[key]]
        for path, container, key in step_places(document)
        if isinstance(container[key], str)
    ]
    return {
        **schedule.model_dump(mode="json"),
        "durations": texts,
        "last_epoch": draw(st.integers(-1, 100)),
        "base_lrs": [0.1],
        "digest": digest(schedule),
    }


@st.composite
def states(draw, depth=3, wide=False, kinds=CATALOGUE):
    """A valid document with a position, like the `state_dict` of a scheduler."""
    schedule = draw(schedules(depth, wide, kinds))
    return {
        **_written(draw, schedule.model_dump(mode="json")),
        "last_epoch": draw(_numbers(Number(-1, MAX_STEPS, whole=True), wide)),
        "base_lrs": draw(st.lists(_numbers(Number(0.0, MAX_RATE), wide), min_size=1, max_size=3)),
        "digest": digest(schedule),
    }


GROUPS = ("wd", "no_wd", "layer_0/bias", "head")
"""Names of param groups."""


@st.composite
def targets(draw, depth=2, wide=False, kinds=CATALOGUE, groups=GROUPS, in_state=False):
    """Targets that fit together, as a document has them, for these param groups."""
    also = []
    numbers = _numbers(Number(0.0, MAX_RATE), wide)

    def add(number, groups, may_scale):
        schedule = draw(schedules(depth, wide, kinds)).model_dump(mode="json")
        scaled = may_scale and draw(st.booleans())
        target = {**number, "scaled_by" if scaled else "schedule": _written(draw, schedule)}
        if groups:
            target["groups"] = groups if len(groups) > 1 or draw(st.booleans()) else groups[0]
        if not scaled and draw(st.booleans()):
            target["base"] = draw(numbers)
        if draw(st.integers(0, 3)) == 0:
            target["metric"] = "kl"
        also.append(target)

    for key in draw(st.lists(st.sampled_from([*SUGGESTED, "mine"]), unique=True, max_size=2)):
        named = draw(st.lists(st.sampled_from(groups), unique=True, max_size=2))
        if named and draw(st.booleans()):
            add({"set": key}, named, may_scale=True)
        else:
            for name in named:
                add({"set": key}, [name], may_scale=True)
        if key != "lr" and (not named or draw(st.booleans())):
            add({"set": key}, [], may_scale=False)
    for name in draw(st.sampled_from([[], ["ema"], ["ema", "kl_weight"]])) if also else ["ema"]:
        add({"value": name}, [], may_scale=False)
    if in_state:
        assigned = assign([Target(**target) for target in also], groups)
        for index, target in enumerate(also):
            count = len(assigned.groups_of(index))
            if target.get("set", "lr") != "lr" and "base" not in target and count:
                target["bases"] = draw(st.lists(numbers, min_size=count, max_size=count))
    return also


@st.composite
def specs_with_targets(draw, depth=2, wide=False, kinds=CATALOGUE):
    """A valid document with targets, perhaps with param groups and numbers of the optimizer."""
    document = draw(specs(depth, wide, kinds)) | {"also": draw(targets(depth, wide, kinds))}
    number = _numbers(Number(0.0, MAX_RATE), wide)
    # A document that lists betas and no momentum, or the reverse, refuses targets of the other.
    own = {"lr": draw(number), "betas": [draw(number), 0.999], "momentum": 0.9}
    own["mine[0]"] = draw(number)
    if draw(st.booleans()):
        document["param_groups"] = [
            {"name": name, **own} if draw(st.booleans()) else name for name in GROUPS
        ]
    return document | ({"optimizer": own} if draw(st.booleans()) else {})


@st.composite
def states_with_targets(draw, depth=2, wide=False, kinds=CATALOGUE):
    """The document of a state with targets."""
    state = draw(states(depth, wide, kinds))
    names = [*GROUPS[:2], "#2"]
    also = draw(targets(depth, wide, kinds, tuple(names), in_state=True))
    bases = draw(st.lists(_numbers(Number(0.0, MAX_RATE), wide), min_size=3, max_size=3))
    schedule = parse({key: state[key] for key in state if key not in STATE_KEYS}).schedule
    return {
        **state,
        "also": also,
        "param_groups": names,
        "base_lrs": bases,
        "digest": digest(schedule, [Target(**target) for target in also]),
    }


def documents(depth=3, wide=False, kinds=CATALOGUE):
    """A valid document: a spec or a state."""
    plain = specs(depth, wide, kinds) | states(depth, wide, kinds)
    counted = specs_with_durations(depth, kinds) | states_with_durations(depth, kinds)
    others = min(depth, 2)
    with_targets = specs_with_targets(others, wide, kinds) | states_with_targets(
        others, wide, kinds
    )
    return plain | counted | with_targets


@st.composite
def mutated(draw, depth=3, kinds=CATALOGUE, of=None):
    """A valid document in which something was removed, renamed, added or replaced."""
    document = copy.deepcopy(draw(documents(depth, True, kinds) if of is None else of))
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        if places := list(_places(document)):
            _mutate(draw, document, *draw(st.sampled_from(places)), kinds)
    return document


def odd_values(kinds=CATALOGUE):
    """Values of every JSON type, most of which are invalid everywhere."""
    scalars = st.none() | st.booleans() | st.integers() | _FLOATS | _TEXT
    nested = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner))
    odd = st.sampled_from([*_ODD, *kinds]).map(copy.deepcopy)
    whole = documents(depth=1, kinds=kinds)
    return odd | nested | whole | whole.map(lambda document: {"schedule": document})


_ODD = json.loads(
    """[null, true, false, "", "1000", "1e-4", "yes", "null", [], {}, [1], [null], [[]],
        {"kind": null}, 0, 1, -1, 2, -2, 1.0, 1e3, 0.5, -0.0, -1e-9, 5e-324]"""
)
_ODD += [MAX_STEPS, MAX_STEPS + 1, float(MAX_STEPS), 2.0 * MAX_STEPS, MAX_RATE, -MAX_RATE]
_ODD += [int(MAX_RATE), int(MAX_RATE) + 1, 10**400, -(10**400)]
BAD_DURATIONS = json.loads(
    """["10 %", "2 epochs", "20Btok", ".5dur", "5.ep", "+3%", "1_000 steps", "1_0%", "03%", "REST",
        "Rest", " rest", "rest ", "rest\\n", "3%\\n", "\\n3%", "3%%", "%", "ep", "3", "3e", "3ba",
        "90 min", "1e100ep", "1e1000ep", "0x10ep", "1:30", "infep", "nan%", "1,5%", "３%", "3％",
        "٣%", "²%", "12345678901234567ep", "0.12345678901234567ep", "--3ep", "- 3ep", "3EP", "3Ep",
        "3dur ", "rest-1st", "1ep-rest", "1ep+", "20ep-1", "20ep -1st", "1ep--1st", "+1ep-1st",
        "1ep+1ep+1ep+1ep+1ep"]"""
)
"""Strings that are durations nowhere, though some nearly are."""

GOOD_DURATIONS = json.loads(
    """["rest", "3%", "0%", "0.0e0%", "100%", "2ep", "0.5ep", "1.5e6sp", "20e9tok", "0.02dur",
        "0dur", "1E+5tok", "1e99tok", "1e-99ep", "9999999999999999.9999999999999999ep", "-3%",
        "-3ep", "-0%", "-1e9tok", "2000st", "0st", "20ep-1st", "3%+200st", "1ep-1ep", "0ep+1st",
        "-1ep+3st", "9e-9sp-1e-9sp+5E+3tok-0.5%"]"""
)
"""Durations, not all of which every field accepts."""

_ODD += [*BAD_DURATIONS, *GOOD_DURATIONS]
_ODD_KEYS = ["", "kind", "Kind", "schedule", "title", "extra", "größe", *ROOT_KEYS]
_TEXT = st.text(
    st.characters(codec="ascii", min_codepoint=32, exclude_characters="\x7f"), max_size=9
)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def _values(annotation, metadata, children, wide):
    """Valid values of a field of this type."""
    number = next((mark for mark in metadata if isinstance(mark, Number)), None)
    origin, args = get_origin(annotation), get_args(annotation)
    if number:
        return _numbers(number, wide)
    if origin in (Union, UnionType):
        (there,) = (one for one in args if one is not NoneType)
        return st.none() | _values(there, (), children, wide)
    if origin is Annotated:
        return _values(args[0], args[1:], children, wide)
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        least = max((mark.minimum for mark in metadata if isinstance(mark, Length)), default=0)
        return _lists(_values(args[0], (), children, wide), least, args[0] is Schedule)
    if annotation is bool:
        return st.booleans()
    if annotation is Schedule:
        return children
    if hasattr(annotation, "examples"):
        return st.sampled_from(annotation.examples)
    raise TypeError(f"no strategy yet for fields of the type {annotation}")


def _numbers(number, wide):
    """Numbers within bounds: mostly small ones."""
    low, high = number.minimum, number.maximum
    least = low if low >= 0 else -1
    if number.whole:
        small = st.integers(least, min(least + 20, high))
        return small | st.integers(low if wide else least, high if wide else min(high, 10**6))
    # A divisor must be above 0, and the quotient must not overflow.
    least = 0.01 if low == TINY else least
    small = st.floats(least, min(least + 1.0, high)).map(lambda value: value + 0.0)
    few = st.sampled_from([float(least), min(least + 1.0, high)])
    return small | (st.floats(low, high) if wide else few)


def _lists(items, least, of_schedules):
    lists = st.lists(items, min_size=least, max_size=least + 3)
    # Rules often require an ascending order.
    return lists if of_schedules else lists | lists.map(lambda values: sorted(set(values)))


def _mentions_children(annotation):
    if (
        isinstance(annotation, type)
        and issubclass(annotation, Schedule)
        and annotation is not Schedule
    ):
        return any(
            _mentions_children(field.annotation) for field in annotation.model_fields.values()
        )
    return annotation is Schedule or any(map(_mentions_children, get_args(annotation)))


def _written(draw, value):
    """A dumped schedule as people may write it: without defaults, with numbers in either form."""
    if isinstance(value, dict) and "kind" in value:
        fields = KINDS[value["kind"]].model_fields
        left_out = {
            name
            for name, field in fields.items()
            if name != "kind" and value[name] == field.default and draw(st.booleans())
        }
        return {name: _written(draw, item) for name, item in value.items() if name not in left_out}
    if isinstance(value, list):
        return [_written(draw, item) for item in value]
    if isinstance(value, bool | str | NoneType | dict) or not draw(st.booleans()):
        return value
    if isinstance(value, int):
        return float(value)
    return int(value) if value.is_integer() else value


def _places(document):
    """Every value in a document, as its container and its key."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        yield document, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _mutate(draw, document, container, key, kinds):
    """Change the value at a place, or one beside it."""
    ways = ["replace", "drop", "move", "wrap"]
    if isinstance(container, dict):
        ways += ["rename", "add", "as root"]
    if isinstance(container[key], int | float):
        ways += ["nudge"] * 4 + ["time"] * 2
    if isinstance(container[key], str):
        ways += ["time"]
    way = draw(st.sampled_from(ways))
    if way == "time":
        container[key] = draw(st.sampled_from([*BAD_DURATIONS, *GOOD_DURATIONS]))
    elif way == "nudge":
        container[key] = draw(_near(container[key]))
    elif way == "replace":
        container[key] = draw(odd_values(kinds))
    elif way == "drop":
        del container[key]
    elif way == "move":
        other, there = draw(st.sampled_from(list(_places(document))))
        container[key] = copy.deepcopy(other[there])
    elif way == "wrap":
        container[key] = [container[key]]
    elif way == "as root":
        container[draw(st.sampled_from(ROOT_KEYS))] = draw(_root_values())
    else:
        value = container.pop(key) if way == "rename" else draw(odd_values(kinds))
        container[draw(_keys(key, kinds))] = value


def _near(number):
    """Numbers next to this one, and those at the bounds."""
    ends = [0, 1, -1, MAX_STEPS, MAX_STEPS + 1, MAX_RATE, int(MAX_RATE) + 1]
    return st.sampled_from([number + 1, number - 1, -number, number // 2, *ends])


def _root_values():
    """Values of root keys, valid and nearly valid."""
    text = "sha256:" + "0" * 64
    lists = st.sampled_from([[], [0.1], [None]])
    run = {"total_steps": 1000, "steps_per_epoch": 0.5, "samples_per_step": 8}
    other = [{}, {"total_steps": None}, {"tokens_per_step": 0.5}, {"total_steps": "3%"}, {"a": 1}]
    known = st.sampled_from([run, {**run, "tokens_per_step": 7}, {**run, "steps_per_epoch": 0}])
    pairs = [["total_steps", "3%"], ["total_steps", "3 %"], ["end_lr", "3%"], ["", "rest"], ["a"]]
    texts = st.lists(st.sampled_from(pairs), max_size=2)
    odd_groups = [["a", "a"], ["#0"], ["#1"], [{"name": "a", "betas": 1}], [{"lr": 1}], [""]]
    odd_numbers = [{"lr": 1}, {"nesterov": 1}, {"betas": [1]}, {"betas[0]": [1]}, {"params[0]": 1}]
    hold = {"kind": "HoldLR"}
    odd_targets = [
        {"set": name, "schedule": hold}
        for name in ("betas", "betas[0]", "lr", "eps\n", "nesterov[0]", "initial_x", "betas[٣]")
    ]
    odd_targets += [
        {"value": name, "schedule": hold} for name in ("lr", "ema", "größe", "batch_size", "ema\n")
    ]
    odd_targets += [{}, {"set": "eps", "schedule": hold, "groups": ["a.*"], "bases": [1]}]
    of_targets = st.sampled_from([*odd_groups, *odd_numbers, *([one] for one in odd_targets)])
    of_a_run = (known | st.sampled_from(other) | texts | of_targets).map(copy.deepcopy)
    return (
        of_a_run
        | lists.map(copy.deepcopy)
        | st.sampled_from([None, -1, 0, -2, 0.1, "", text, text + "\n", text.upper()])
    )


def _keys(key, kinds):
    """Keys that are invalid in most places: other fields, root keys, misspelt ones."""
    known = sorted({name for model in kinds.values() for name in model.model_fields})
    return st.sampled_from([*known, *_ODD_KEYS, key + "s", key[:-1], key.upper()])
