"""Schedules: their base class, their evaluation, the catalogue of kinds, the clock of a run.

A file that defines a kind imports all it needs from here: ``from olm.schedule import Schedule,
rule, Rate``. Each name is imported from its file on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from olm.fields.rules import ascending as ascending
    from olm.fields.rules import fits as fits
    from olm.fields.rules import rule as rule
    from olm.fields.rules import stages as stages
    from olm.fields.types import MAX_RATE as MAX_RATE
    from olm.fields.types import MAX_STEPS as MAX_STEPS
    from olm.fields.types import Count as Count
    from olm.fields.types import Exponent as Exponent
    from olm.fields.types import Factor as Factor
    from olm.fields.types import Length as Length
    from olm.fields.types import Lengths as Lengths
    from olm.fields.types import Listed as Listed
    from olm.fields.types import Memory as Memory
    from olm.fields.types import NonNegative as NonNegative
    from olm.fields.types import Number as Number
    from olm.fields.types import OptionalPositiveSteps as OptionalPositiveSteps
    from olm.fields.types import OptionalStepIndex as OptionalStepIndex
    from olm.fields.types import PartialShare as PartialShare
    from olm.fields.types import Positive as Positive
    from olm.fields.types import PositiveCount as PositiveCount
    from olm.fields.types import PositiveFactor as PositiveFactor
    from olm.fields.types import PositiveStepIndex as PositiveStepIndex
    from olm.fields.types import PositiveStepIndices as PositiveStepIndices
    from olm.fields.types import PositiveSteps as PositiveSteps
    from olm.fields.types import Rate as Rate
    from olm.fields.types import Share as Share
    from olm.fields.types import StepCount as StepCount
    from olm.fields.types import StepIndex as StepIndex
    from olm.fields.types import StepIndices as StepIndices
    from olm.fields.types import Steps as Steps
    from olm.fields.types import default as default
    from olm.schedule.curves import Array as Array
    from olm.schedule.curves import Ease as Ease
    from olm.schedule.curves import Space as Space
    from olm.schedule.curves import between as between
    from olm.schedule.curves import clipped as clipped
    from olm.schedule.curves import covering as covering
    from olm.schedule.curves import cycles as cycles
    from olm.schedule.curves import eased as eased
    from olm.schedule.curves import half_cosine as half_cosine
    from olm.schedule.curves import line as line
    from olm.schedule.curves import pieces as pieces
    from olm.schedule.curves import quotient as quotient
    from olm.schedule.curves import ramp as ramp
    from olm.schedule.curves import where as where
    from olm.schedule.evaluation import metric_of as metric_of
    from olm.schedule.schedule import Child as Child
    from olm.schedule.schedule import Children as Children
    from olm.schedule.schedule import Schedule as Schedule
    from olm.schedule.timeline import Part as Part

_HOMES = {
    "ascending": "olm.fields.rules",
    "fits": "olm.fields.rules",
    "rule": "olm.fields.rules",
    "stages": "olm.fields.rules",
    "Count": "olm.fields.types",
    "Exponent": "olm.fields.types",
    "Factor": "olm.fields.types",
    "Length": "olm.fields.types",
    "Listed": "olm.fields.types",
    "MAX_RATE": "olm.fields.types",
    "MAX_STEPS": "olm.fields.types",
    "Memory": "olm.fields.types",
    "NonNegative": "olm.fields.types",
    "Number": "olm.fields.types",
    "PartialShare": "olm.fields.types",
    "Positive": "olm.fields.types",
    "PositiveCount": "olm.fields.types",
    "PositiveFactor": "olm.fields.types",
    "PositiveStepIndex": "olm.fields.types",
    "PositiveSteps": "olm.fields.types",
    "Rate": "olm.fields.types",
    "Share": "olm.fields.types",
    "StepCount": "olm.fields.types",
    "StepIndex": "olm.fields.types",
    "Steps": "olm.fields.types",
    "Array": "olm.schedule.curves",
    "Ease": "olm.schedule.curves",
    "Space": "olm.schedule.curves",
    "between": "olm.schedule.curves",
    "clipped": "olm.schedule.curves",
    "covering": "olm.schedule.curves",
    "cycles": "olm.schedule.curves",
    "eased": "olm.schedule.curves",
    "half_cosine": "olm.schedule.curves",
    "line": "olm.schedule.curves",
    "pieces": "olm.schedule.curves",
    "quotient": "olm.schedule.curves",
    "ramp": "olm.schedule.curves",
    "where": "olm.schedule.curves",
    "metric_of": "olm.schedule.evaluation",
    "Schedule": "olm.schedule.schedule",
    "Lengths": "olm.fields.types",
    "OptionalPositiveSteps": "olm.fields.types",
    "OptionalStepIndex": "olm.fields.types",
    "PositiveStepIndices": "olm.fields.types",
    "StepIndices": "olm.fields.types",
    "default": "olm.fields.types",
    "Child": "olm.schedule.schedule",
    "Children": "olm.schedule.schedule",
    "Part": "olm.schedule.timeline",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        globals()[name] = getattr(import_module(_HOMES[name]), name)
        return globals()[name]
    raise AttributeError(f"module 'olm.schedule' has no attribute {name!r}")
