"""Suggestions for an unknown key: the nearest field, or the one for another framework's word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from olm.fields.durations import duration
from olm.fields.quantities import RATE, TIME, in_ours, measure_of
from olm.fields.synonyms import (
    AMBIGUOUS,
    END_SHARE,
    FOREIGN,
    NAMESAKES,
    OF_MOMENTUM,
    OF_THE_OPTIMIZER,
    PROVEN,
)
from olm.fields.types import SHARE_INSTEAD
from olm.problem import Fix, nearest, only_near

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


MOMENTUM_INSTEAD = (
    "leave it out, and schedule the momentum under `also`, with `set: momentum`, "
    "or `betas[0]` of Adam"
)
"""The hint for an argument of a cycle of the momentum."""


def meaning(word: str, fields: Mapping[str, FieldInfo], kind: str = "", value: Any = None) -> str:
    """The hint for a key that a kind does not have, with its value.

    >>> from olm.kinds.decays import Rex
    >>> from olm.kinds.warmup import WarmupCosine
    >>> fields = WarmupCosine.model_fields
    >>> meaning("num_warmup_steps", fields)
    'did you mean `warmup_steps`? transformers calls it num_warmup_steps'
    >>> meaning("warmup_ratio", fields, value=0.03)
    'did you mean `warmup_steps: 3%`? `warmup_ratio` in transformers is a share of the run'
    >>> meaning("min_lr", Rex.model_fields)
    'did you mean `end_factor`? It is a share of the base rate; `min_lr` in Megatron is a rate'
    >>> meaning("warmup_step", fields)
    'did you mean `warmup_steps`?'
    >>> meaning("peak_value", fields)
    'leave it out: the optimizer has the base rate'
    >>> meaning("total_iters", fields, "LinearLR")
    "torch's LinearLR is `LinearFactorLR` here"
    """
    if (kind, word) in NAMESAKES:
        return f"torch's {kind} is `{NAMESAKES[kind, word]}` here"
    ours = meant(word, fields)
    if word in OF_MOMENTUM:
        return MOMENTUM_INSTEAD
    if ours is None and word in OF_THE_OPTIMIZER:
        return "leave it out: the optimizer has the base rate"
    if ours is None:
        return f"its fields are {', '.join(name for name in fields if name != 'kind')}"
    if word not in FOREIGN:
        return f"did you mean `{ours}`?"
    translated = _translated(word, ours, fields[ours], value)
    return f"{translated}; {note}" if (note := AMBIGUOUS.get(word)) else translated


def _translated(word: str, ours: str, field: FieldInfo, value: Any) -> str:
    """The hint for another framework's word and its value."""
    framework, sense = FOREIGN[word]
    measure = measure_of(field)
    if sense.measure in ("", measure):
        return f"did you mean `{ours}`? {framework} calls it {word}"
    theirs = f"`{word}` in {framework} is {sense.measure}"
    if not (conversions := in_ours(sense.measure, measure, value)):
        hint = f"did you mean `{ours}`? It is {measure}; {theirs}"
        if sense is END_SHARE and measure == RATE and type(value) in (int, float):
            hint = f"{hint}; {SHARE_INSTEAD.format(value)}"
        return hint
    if sense.measure == TIME and value in conversions:
        theirs = f"{framework} calls it {word}"
    suggested = " or ".join(f"`{ours}: {text}`" for text in conversions)
    return f"did you mean {suggested}? {theirs}"


def meant(word: str, fields: Iterable[str]) -> str | None:
    """The field that was probably meant by a key: another framework's word, or a misspelled name.

    Another framework's word is never a misspelled name: `warmup_type` is not `warmup_steps`.
    """
    fields = list(fields)
    if word in FOREIGN:
        _, sense = FOREIGN[word]
        return next((name for name in sense.fields if name in fields), None)
    return None if word in OF_THE_OPTIMIZER | OF_MOMENTUM else nearest(word, fields)


def certain(
    word: str, fields: Mapping[str, FieldInfo], kind: str = "", value: Any = None
) -> Fix | None:
    """The fix of a key, and of its value with it, if only one is possible.

    >>> from olm.kinds.constant import Constant
    >>> from olm.kinds.decays import Rex
    >>> from olm.kinds.warmup import Warmup
    >>> certain("num_warmup_steps", Warmup.model_fields).text
    'warmup_steps'
    >>> certain("t_max", Constant.model_fields, value="10ba").value.text
    '10'
    >>> certain("warmup_ratio", Warmup.model_fields, value=0.03)
    >>> certain("min_lr", Rex.model_fields)
    """
    if word in OF_THE_OPTIMIZER | OF_MOMENTUM or word in AMBIGUOUS or (kind, word) in NAMESAKES:
        return None
    if word not in FOREIGN:
        meant = only_near(word, fields)
        return Fix(meant, in_quotes=True) if meant else None
    _, sense = FOREIGN[word]
    ours = [name for name in sense.fields if name in fields]
    if len(ours) != 1 or ours[0] not in PROVEN.get(word, ()):
        return None
    measure = measure_of(fields[ours[0]])
    if sense.measure in ("", measure):
        return Fix(ours[0], in_quotes=True)
    conversions = () if isinstance(value, list) else in_ours(sense.measure, measure, value)
    if len(conversions) != 1 or is_share(conversions[0]):
        return None
    return Fix(ours[0], in_quotes=True, value=_value(conversions[0], value))


def is_share(text: str) -> bool:
    """Whether a length is a share of the run."""
    length = duration(text)
    return length is not None and length.share is not None


def _value(text: str, value: Any) -> Fix | None:
    """The fix of a value; None if the value is right."""
    return Fix(text, in_quotes=not text.isdigit()) if text != str(value) else None
