"""How peers count durations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from peers import Answers, Durations

PER_CENT = (*range(1, 101), 0.5, 12.5, 33.3, 0.1, 0.0001)
"""Shares of a run; some are a whole number of steps in most runs, and some in none."""


def shares() -> list[tuple[float, str]]:
    """Each share as the nearest float, and in per cent.

    >>> shares()[28]
    (0.29, '29%')
    """
    return [(float(f"{share}e-2"), f"{share:.10g}%") for share in PER_CENT]


def answered(durations: Durations, names: Mapping[str, Any]) -> Answers:
    """The steps that a peer computes for each duration; None where it raises an error.

    Args:
        durations: their `peer` is evaluated with `names` and each `duration` as variables.
        names: the classes and functions of the peer.
    """
    answers: Answers = []
    for duration, _ in durations.written:
        try:
            answers.append(eval(durations.peer, {**names, "duration": duration}))
        except (ArithmeticError, RuntimeError, TypeError, ValueError):
            answers.append(None)
    return answers
