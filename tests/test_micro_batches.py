"""A rate that is set before each micro-batch, as in litgpt, so that stages end between two steps.

litgpt is Lightning-AI/litgpt at 26857050, and its numbers are those of a transcription.
"""

from math import cos, pi

import pytest

import olm

BASE, FLOOR = 4e-4, 4e-5


def get_lr(learning_rate, it, warmup_iters, max_iters, min_lr):
    """The rate of a micro-batch: litgpt/pretrain.py, lines 463 to 474."""
    if it < warmup_iters:
        return learning_rate * it / warmup_iters
    if it > max_iters:
        return min_lr
    done = (it - warmup_iters) / (max_iters - warmup_iters)
    return min_lr + 0.5 * (1.0 + cos(pi * done)) * (learning_rate - min_lr)


def of_litgpt(accumulate, warmup, most):
    """The rate of each optimizer step: litgpt/pretrain.py, lines 336 to 361."""
    iter_num, rates = 0, []
    while iter_num < most:
        rate = get_lr(BASE, iter_num, warmup, most, FLOOR)
        iter_num += 1
        if iter_num % accumulate == 0:
            rates.append(rate)
    return rates


def curve(warmup, most):
    """The curve, in whatever `total_steps` counts."""
    return {
        "kind": "PhasesLR",
        "lengths": [warmup, "rest"],
        "schedulers": [
            {"kind": "RampLR", "total_steps": warmup, "start_factor": 0.0, "end_factor": 1.0},
            {"kind": "RampLR", "total_steps": most - warmup, "ease": "cosine", "end_lr": FLOOR},
        ],
    }


@pytest.mark.parametrize("accumulate", range(1, 9))
@pytest.mark.parametrize(("warmup", "most"), [(13, 203), (20, 160), (1, 97), (59, 60)])
def test_a_curve_along_micro_batches_is_that_of_litgpt_at_every_step(accumulate, warmup, most):
    """A step takes the rate of its last micro-batch: the clock is ahead by the others of it."""
    spec = olm.parse({
        "kind": "TimeLR",
        "axis": "samples",
        "shift": accumulate - 1,
        "scheduler": curve(warmup, most),
        "clock": {"total_steps": f"{most}sp", "rounding": "down", "samples_per_step": accumulate},
    }).resolve()  # fmt: skip
    rates = of_litgpt(accumulate, warmup, most)
    assert spec.clock.total_steps == len(rates)
    ours = spec.lr(range(len(rates)), BASE)
    assert ours == pytest.approx(rates, rel=0, abs=1e-15 * BASE)


@pytest.mark.parametrize("accumulate", range(2, 9))
def test_a_warm_up_rounded_to_a_step_would_differ(accumulate):
    """Why the axis is needed: 13 micro-batches are no whole number of steps."""
    rounded = olm.parse(curve(round(13 / accumulate), 203 // accumulate)).resolve(
        olm.Clock(total_steps=203 // accumulate)
    )
    theirs = of_litgpt(accumulate, 13, 203)
    ours = rounded.lr(range(len(theirs)), BASE)
    assert max(abs(ours - theirs)) > 0.01 * BASE


def test_a_step_by_hand():
    """Micro-batches 12 to 15 make step 3, whose last is the third after a warm-up of 13."""
    assert of_litgpt(4, 13, 203)[2:4] == [BASE * 11 / 13, get_lr(BASE, 15, 13, 203, FLOOR)]
