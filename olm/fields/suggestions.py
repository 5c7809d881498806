"""What a key was likely meant to be: misspelt, or another framework's word for a field of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from olm.fields.quantities import TIME, in_ours, measure_of
from olm.fields.synonyms import FOREIGN, NAMESAKES, OF_THE_OPTIMIZER
from olm.problem import Fix, nearest, only_near

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def meaning(word: str, fields: Mapping[str, FieldInfo], kind: str = "", value: Any = None) -> str:
    """What a key that a kind does not have was likely meant to be, with the value that it has.

    >>> from olm.kinds.decays import Rex
    >>> from olm.kinds.warmup import WarmupCosine
    >>> fields = WarmupCosine.model_fields
    >>> meaning("num_warmup_steps", fields)
    'did you mean `warmup_steps`? transformers calls it num_warmup_steps'
    >>> meaning("warmup_ratio", fields, value=0.03)
    'did you mean `warmup_steps: 3%`? transformers has a share of the run there'
    >>> meaning("min_lr", Rex.model_fields)
    'did you mean `end_factor`? It is a share of the base rate; Megatron has a rate there'
    >>> meaning("warmup_step", fields)
    'did you mean `warmup_steps`?'
    >>> meaning("peak_value", fields)
    "leave it out: the base rate is the optimizer's"
    >>> meaning("total_iters", fields, "LinearLR")
    "torch's LinearLR is `LinearFactorLR` here"
    """
    if (kind, word) in NAMESAKES:
        return f"torch's {kind} is `{NAMESAKES[kind, word]}` here"
    ours = meant(word, fields)
    if ours is None and word in OF_THE_OPTIMIZER:
        return "leave it out: the base rate is the optimizer's"
    if ours is None:
        return f"its fields are {', '.join(name for name in fields if name != 'kind')}"
    if word not in FOREIGN:
        return f"did you mean `{ours}`?"
    return _translated(word, ours, fields[ours], value)


def _translated(word: str, ours: str, field: FieldInfo, value: Any) -> str:
    """What another framework's word, and its value, are in a field of ours."""
    framework, sense = FOREIGN[word]
    measure = measure_of(field)
    if sense.measure in ("", measure):
        return f"did you mean `{ours}`? {framework} calls it {word}"
    theirs = f"{framework} has {sense.measure} there"
    if not (ways := in_ours(sense.measure, measure, value)):
        return f"did you mean `{ours}`? It is {measure}; {theirs}"
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


def certain(
    word: str, fields: Mapping[str, FieldInfo], kind: str = "", value: Any = None
) -> Fix | None:
    """The fix of a key that can only be meant to be one of the fields, and of its value with it.

    >>> from olm.kinds.decays import Rex
    >>> from olm.kinds.warmup import Warmup
    >>> certain("num_warmup_steps", Warmup.model_fields).text
    'warmup_steps'
    >>> certain("warmup_ratio", Warmup.model_fields, value=0.03).value.text
    '3%'
    >>> certain("min_lr", Rex.model_fields)
    """
    if word in OF_THE_OPTIMIZER or (kind, word) in NAMESAKES:
        return None
    if word not in FOREIGN:
        meant = only_near(word, fields)
        return Fix(meant, in_quotes=True) if meant else None
    _, sense = FOREIGN[word]
    ours = [name for name in sense.fields if name in fields]
    if len(ours) != 1:
        return None
    measure = measure_of(fields[ours[0]])
    if sense.measure in ("", measure):
        return Fix(ours[0], in_quotes=True)
    ways = () if isinstance(value, list) else in_ours(sense.measure, measure, value)
    return Fix(ours[0], in_quotes=True, value=_value(ways[0], value)) if len(ways) == 1 else None


def _value(way: str, value: Any) -> Fix | None:
    """What is written in place of a value; None if that is what stands there."""
    return Fix(way, in_quotes=not way.isdigit()) if way != str(value) else None
