"""Specs for contests of the command, drawn at random: all differ, and one in ten has a mistake."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count, cycle
from random import Random
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from olm.schedule.schedule import Schedule

SEED = 17
"""The same specs each time."""

SHARE = 10
"""Of this many documents one is nested, one has durations, and one has a mistake."""

NESTED, WITH_DURATIONS, WRONG = 3, 6, 9
"""Which of ten is which; the first is a plain one."""

TRIES = 20
"""How many times numbers are drawn until they fit together; then they stay as in the example."""

EPOCH = 10
"""How many steps an epoch has."""

HEAD = "# yaml-language-server: $schema=https://example.org/schedule.schema.json\n"
"""The first line of a spec, for editors."""

Document = dict[str, Any]


def texts() -> Iterator[tuple[str, bool]]:
    """Specs in YAML, no two of them alike, and whether each one is valid."""
    random = Random(SEED)
    models = _models(random)
    seen: set[str] = set()
    for index in count():
        place = index % SHARE
        draw, model = DRAWN.get(place, valid), next(models[place])
        while (text := HEAD + yaml.safe_dump(draw(model, random), sort_keys=False)) in seen:
            pass
        seen.add(text)
        yield text, place != WRONG


def _models(random: Random) -> list[Iterator[type[Schedule]]]:
    """The kinds in turn, for each place in ten."""
    from olm.fields.types import step_fields
    from olm.kinds import KINDS

    kinds = list(KINDS.values())
    random.shuffle(kinds)
    nested = [model for model in kinds if "kind" in json.dumps(model.examples)]
    leaves = [model for model in kinds if model not in nested]
    counted = [model for model in leaves if any(map(model.examples[0].get, step_fields(model)))]
    plain = cycle(leaves)
    others = {NESTED: cycle(nested), WITH_DURATIONS: cycle(counted)}
    return [others.get(place, plain) for place in range(SHARE)]


def valid(model: type[Schedule], random: Random) -> Document:
    """A valid document of a kind: an example of it with other numbers."""
    example = {"kind": model.model_fields["kind"].default, **random.choice(model.examples)}
    for _ in range(TRIES):
        # One factor for all steps: which of two is the larger is often a rule.
        document: Document = _varied(example, random.randint(2, 2000), random)
        if _is_valid(document):
            return document
    return {**example, "clock": {"total_steps": random.randint(1, 10**6)}}


def with_durations(model: type[Schedule], random: Random) -> Document:
    """A valid document with its steps in epochs, and with a clock that converts them."""
    from olm.fields.types import step_fields

    document = valid(model, random)
    clock = {"total_steps": random.randint(1, 10**6), "steps_per_epoch": EPOCH}
    for name in step_fields(model):
        if type(steps := document.get(name)) is int:
            document[name] = f"{steps / EPOCH:.9g}ep"
    return {**document, "clock": clock}


def wrong(model: type[Schedule], random: Random) -> Document:
    """A document with one mistake, of a sort that a JSON Schema can express."""
    from olm.fields.types import numbers_of

    document = valid(model, random)
    numbers = [
        name
        for name, value in document.items()
        if type(value) in (int, float)
        and all(number.minimum >= 0 for number in numbers_of(model.model_fields[name]))
    ]
    if not numbers:
        return _other_kind(document, "kind")
    return random.choice(MISTAKES)(document, random.choice(numbers))


def _below_zero(document: Document, name: str) -> Document:
    return {**document, name: -1 - document[name]}


def _no_number(document: Document, name: str) -> Document:
    return {**document, name: "many"}


def _other_field(document: Document, name: str) -> Document:
    return {key if key != name else key[:-1]: value for key, value in document.items()}


def _other_kind(document: Document, name: str) -> Document:
    return {**document, "kind": f"{document['kind']}s"}


MISTAKES = (_below_zero, _no_number, _other_field, _other_kind)
"""What makes a document wrong."""

DRAWN: Mapping[int, Callable[[type[Schedule], Random], Document]] = {
    WITH_DURATIONS: with_durations,
    WRONG: wrong,
}
"""How documents are drawn that are not just valid ones of a kind."""


def _is_valid(document: Document) -> bool:
    from olm.problem import SpecError
    from olm.spec.spec import parse

    try:
        parse(document)
    except SpecError:
        return False
    return True


def _varied(value: Any, factor: int, random: Random) -> Any:
    """A document with other numbers: the whole ones times a factor, the others a little changed."""
    if isinstance(value, Mapping):
        return {key: _varied(item, factor, random) for key, item in value.items()}
    if isinstance(value, list):
        return [_varied(item, factor, random) for item in value]
    if type(value) is int:
        return value * factor
    return float(f"{value * random.uniform(0.5, 1):.4g}") if type(value) is float else value
