"""Sequences of metrics for peers whose schedules observe them."""

from __future__ import annotations

from random import Random


def near(target: float, count: int, *, spread: float, seed: int) -> tuple[float, ...]:
    """Metrics around a target, in runs of similar ones, as in a training.

    >>> near(1.0, 3, spread=4.0, seed=1)
    (0.3629, 0.9508, 1.976)

    Args:
        target: the metric in the middle.
        count: how many.
        spread: the highest is this many times the target, the lowest its reciprocal.
        seed: the seed of the random numbers.
    """
    random, place, metrics = Random(seed), 0.0, []
    for _ in range(count):
        place = min(max(place + random.uniform(-1.0, 1.0), -1.0), 1.0)
        metrics.append(float(f"{target * spread**place:.4g}"))
    return tuple(metrics)
