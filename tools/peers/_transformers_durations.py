"""transformers: the number of warm-up steps that its Trainer computes."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

from peers import Answers, Durations
from peers._durations import answered, shares

ABSENT = (
    "debug_utils",
    "distributed",
    "distributed.utils",
    "trainer_pt_utils",
    "trainer_utils",
    "utils",
    "utils.generic",
    "utils.import_utils",
)
"""Modules that the arguments of the Trainer import and do not need to count steps."""

TOTALS = (1, 7, 30, 50, 100, 365, 1000, 10_000, 999_983, 1_000_000_000)
"""The lengths of runs."""


class _Nothing(ModuleType):
    """An empty module: each of its attributes is a function that returns False."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(return_value=False)


def answers(durations: Durations) -> Answers:
    """The warm-up steps that the arguments of transformers compute, which is imported already."""
    for name in ABSENT:
        sys.modules[f"transformers.{name}"] = _Nothing(name)
    arguments = import_module("transformers.training_args").TrainingArguments
    return answered(durations, {"TrainingArguments": _unchecked(arguments)})


def _unchecked(arguments: Any) -> Any:
    """Arguments with only a warm-up; checking the others needs all of transformers."""

    def made(warmup_steps: float) -> Any:
        result = object.__new__(arguments)
        result.warmup_steps = warmup_steps
        return result

    return made


DURATIONS = [
    *(
        Durations(
            f"TrainingArguments(warmup_steps=duration).get_warmup_steps({total})",
            {"total_steps": total},
            # There is no way to write the whole run: 1.0 is a step.
            [pair for pair in shares() if pair[0] < 1],
        )
        for total in TOTALS
    ),
    Durations(
        "TrainingArguments(warmup_steps=duration).get_warmup_steps(1000)",
        {"total_steps": 1000},
        [(0, 0), (0.0, "0%"), (1, 1), (1.0, 1), (100, 100), (1.5, None), (99.9, None)],
    ),
]
