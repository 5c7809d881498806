"""What a key was likely meant to be: misspelt, or another framework's word for a field of ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from olm.fields.quantities import MEASURES, TIME, in_ours
from olm.fields.synonyms import FOREIGN, NAMESAKES, OF_THE_OPTIMIZER
from olm.problem import Fix, nearest, only_near


def meaning(word: str, fields: Iterable[str], kind: str = "", value: Any = None) -> str:
    """What a key that a kind does not have was likely meant to be, with the value that it has.

    >>> meaning("num_warmup_steps", ["warmup_steps", "total_steps"])
    'did you mean `warmup_steps`? transformers calls it num_warmup_steps'
    >>> meaning("warmup_ratio", ["warmup_steps", "total_steps"], value=0.03)
    'did you mean `warmup_steps: 3%`? transformers has a share of the run there'
    >>> meaning("min_lr", ["total_steps", "end_factor"])
    'did you mean `end_factor`? It is a share of the base rate; Megatron has a rate there'
    >>> meaning("warmup_step", ["warmup_steps", "total_steps"])
    'did you mean `warmup_steps`?'
    >>> meaning("peak_value", ["warmup_steps", "total_steps"])
    "leave it out: the base rate is the optimizer's"
    >>> meaning("total_iters", ["total_steps"], "LinearLR")
    "torch's LinearLR is `LinearFactorLR` here"
    """
    if (kind, word) in NAMESAKES:
        return f"torch's {kind} is `{NAMESAKES[kind, word]}` here"
    fields = list(fields)
    ours = meant(word, fields)
    if ours is None and word in OF_THE_OPTIMIZER:
        return "leave it out: the base rate is the optimizer's"
    if ours is None:
        return f"its fields are {', '.join(name for name in fields if name != 'kind')}"
    return _translated(word, ours, value) if word in FOREIGN else f"did you mean `{ours}`?"


def _translated(word: str, ours: str, value: Any) -> str:
    """What another framework's word, and its value, are in a field of ours."""
    framework, sense = FOREIGN[word]
    if sense.measure in ("", MEASURES.get(ours)):
        return f"did you mean `{ours}`? {framework} calls it {word}"
    theirs = f"{framework} has {sense.measure} there"
    if not (ways := in_ours(sense.measure, MEASURES[ours], value)):
        return f"did you mean `{ours}`? It is {MEASURES[ours]}; {theirs}"
    if sense.measure == TIME and value in ways:
        theirs = f"{framework} calls it {word}"
    return f"did you mean {' or '.join(f'`{ours}: {way}`' for way in ways)}? {theirs}"


def meant(word: str, fields: Iterable[str]) -> str | None:
    """The field that a key was likely meant to be: in another framework's word, or misspelt.

    A word that another framework has is not taken for a misspelt one: `warmup_type` is not
    `warmup_steps`.
    """
    fields = list(fields)
    if word in FOREIGN:
        _, sense = FOREIGN[word]
        return next((name for name in sense.fields if name in fields), None)
    return None if word in OF_THE_OPTIMIZER else nearest(word, fields)


def certain(word: str, fields: Iterable[str], kind: str = "", value: Any = None) -> Fix | None:
    """The fix of a key that can only be meant to be one of the fields, and of its value with it.

    >>> certain("num_warmup_steps", ["warmup_steps", "total_steps"]).text
    'warmup_steps'
    >>> certain("warmup_ratio", ["warmup_steps", "total_steps"], value=0.03).value.text
    '3%'
    >>> certain("min_lr", ["total_steps", "end_factor"])
    """
    fields = list(fields)
    if word in OF_THE_OPTIMIZER or (kind, word) in NAMESAKES:
        return None
    if word not in FOREIGN:
        meant = only_near(word, fields)
        return Fix(meant, in_quotes=True) if meant else None
    _, sense = FOREIGN[word]
    ours = [name for name in sense.fields if name in fields]
    if len(ours) != 1:
        return None
    measure = MEASURES.get(ours[0], "")
    if sense.measure in ("", measure):
        return Fix(ours[0], in_quotes=True)
    ways = () if isinstance(value, list) else in_ours(sense.measure, measure, value)
    return Fix(ours[0], in_quotes=True, value=_value(ways[0], value)) if len(ways) == 1 else None


def _value(way: str, value: Any) -> Fix | None:
    """What is written in place of a value; None if that is what stands there."""
    return Fix(way, in_quotes=not way.isdigit()) if way != str(value) else None
