"""A curve of a million steps, against the same formula written in numpy, in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contests import OLM, Contest, Family, Side
from olm.spec.spec import parse

STEPS = 1_000_000
BASE = 0.5
END = 0.1
WARMUP = 2000
POWER = 0.9

OTHER = "numpy in place"

Steps = NDArray[np.int64]
Rates = NDArray[np.floating[Any]]


def linear(step: Steps) -> Rates:
    """`LinearLR`."""
    done = step / STEPS
    np.minimum(done, 1, out=done)
    risen = done * END
    np.subtract(1, done, out=done)
    done *= BASE
    done += risen
    return done


def linear_decay(step: Steps) -> Rates:
    """`LinearDecayLR`."""
    rates = step / STEPS
    np.minimum(rates, 1, out=rates)
    np.subtract(1, rates, out=rates)
    rates *= BASE
    return rates


def cosine(step: Steps) -> Rates:
    """`CosineAnnealingLR`."""
    rates = step * pi
    rates /= STEPS
    np.cos(rates, out=rates)
    rates += 1
    rates *= BASE - END
    rates /= 2
    rates += END
    rates[step >= STEPS] = END
    rates[step == 0] = BASE
    return rates


def warmup(step: Steps) -> Rates:
    """`WarmupLR`."""
    rates = step + 1.0
    rates /= WARMUP
    rates *= BASE - END
    rates += END
    rates[step >= WARMUP] = BASE
    return rates


def warmup_cosine(step: Steps) -> Rates:
    """`WarmupCosineScheduler`."""
    rates = step - float(WARMUP)
    rates /= STEPS - WARMUP
    np.minimum(rates, 1, out=rates)
    rates *= pi
    np.cos(rates, out=rates)
    rates += 1
    rates *= (BASE - END) * 0.5
    rates += END
    rising = step < WARMUP
    rates[rising] = (step[rising] + 1.0) / WARMUP * BASE
    return rates


def constant(step: Steps) -> Rates:
    """`ConstantLR`."""
    rates = np.full(len(step), BASE)
    rates[step < WARMUP] = BASE * 0.25
    return rates


def polynomial(step: Steps) -> Rates:
    """`PolynomialLR`."""
    rates = step / STEPS
    np.minimum(rates, 1, out=rates)
    np.subtract(1, rates, out=rates)
    rates **= POWER
    rates *= BASE
    return rates


ROWS: list[tuple[dict[str, Any], Callable[[Steps], Rates]]] = [
    ({"kind": "LinearLR", "total_steps": STEPS, "end_lr": END}, linear),
    ({"kind": "LinearDecayLR", "total_steps": STEPS}, linear_decay),
    ({"kind": "CosineAnnealingLR", "T_max": STEPS, "eta_min": END}, cosine),
    ({"kind": "WarmupLR", "warmup_steps": WARMUP, "start_lr": END}, warmup),
    (
        {
            "kind": "WarmupCosineScheduler",
            "warmup_steps": WARMUP,
            "total_steps": STEPS,
            "min_lr": END,
        },
        warmup_cosine,
    ),
    ({"kind": "ConstantLR", "factor": 0.25, "total_iters": WARMUP}, constant),
    ({"kind": "PolynomialLR", "total_iters": STEPS, "power": POWER}, polynomial),
]


def sides(spec: dict[str, Any], formula: Callable[[Steps], Rates]) -> dict[str, Side]:
    """Both ways to the same curve, from the same array of steps."""
    steps, schedule = np.arange(STEPS), parse(spec).schedule
    np.testing.assert_array_equal(schedule.lr(steps, BASE), formula(steps))
    return {
        OLM: Side(lambda: schedule.lr(steps, BASE)),
        OTHER: Side(lambda: formula(steps)),
    }


FAMILIES = [
    Family(
        f"`spec.lr(steps, base)`, {STEPS:,} steps",
        [
            Contest(
                f"curve {spec['kind']}",
                f"`{spec['kind']}`",
                partial(sides, spec, formula),
                {OTHER: 1.60},
            )
            for spec, formula in ROWS
        ],
    )
]
