"""Rates of arrays, in every shape, and of any part of a curve."""

import tracemalloc

import numpy as np
import pytest

from counted_calls import calls_of
from olm.kinds import KINDS
from olm.problem import RateError
from olm.schedule import evaluation as rates

EXAMPLES = [
    pytest.param(model(**example), id=f"{kind}-{index}")
    for kind, model in KINDS.items()
    for index, example in enumerate(model.examples)
]
SHAPES = [
    ((), (3,)),
    ((24,), (1,)),
    ((24,), (24,)),
    ((24, 1), (3,)),
    ((24, 1), (1, 3)),
    ((24, 1), (24, 3)),
    ((1, 24), (3, 1)),
    ((4, 6), ()),
    ((4, 6), (6,)),
    ((6,), (4, 1)),
    ((2, 3, 4), (3, 1)),
    ((1,), (2, 1)),
    ((0,), (1,)),
    ((0, 1), (3,)),
]


def steps_of(schedule, shape):
    """Steps of a shape, in any order, from before the first mark to after the last."""
    count = int(np.prod(shape))
    steps = np.linspace(0, 1.2 * max(schedule.marks(), default=1), count).astype(int)
    return np.random.default_rng(0).permutation(steps).reshape(shape)


def one_by_one(schedule, steps, bases):
    steps, bases = np.broadcast_arrays(steps, bases)
    each = [schedule.lr(int(s), float(b)) for s, b in zip(steps.flat, bases.flat, strict=True)]
    return np.reshape(np.array(each, dtype=float), steps.shape)


@pytest.mark.parametrize(("of_steps", "of_bases"), SHAPES)
@pytest.mark.parametrize("schedule", EXAMPLES)
def test_broadcast_rates_equal_the_rates_one_by_one(schedule, of_steps, of_bases, monkeypatch):
    steps = steps_of(schedule, of_steps)
    bases = np.linspace(0.1, 0.5, int(np.prod(of_bases))).reshape(of_bases)
    expected = one_by_one(schedule, steps, bases)
    for at_once in (1, 7, 100_000):
        monkeypatch.setattr(rates, "AT_ONCE", at_once)
        found = np.asarray(schedule.lr(steps, bases))
        assert found.shape == expected.shape
        assert (found == expected).all()


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_a_long_curve_in_blocks_equals_the_whole(schedule, monkeypatch):
    steps, bases = np.arange(2 * rates.AT_ONCE + 7), np.array([0.3])
    in_blocks = schedule.lr(steps, bases)
    in_columns = schedule.lr(steps[:, None], np.array([0.1, 0.3]))
    shuffled = np.random.default_rng(0).permutation(steps)
    out_of_order = schedule.lr(shuffled, bases)
    monkeypatch.setattr(rates, "AT_ONCE", 10**9)
    whole = schedule.lr(steps, bases)
    assert (in_blocks == whole).all()
    assert (in_columns[:, 1] == whole).all()
    assert (out_of_order == whole[shuffled]).all()


def test_a_long_curve_takes_no_more_memory_than_its_result_and_a_block():
    schedule = KINDS["WarmupCosineScheduler"](warmup_steps=2000, total_steps=4_000_000)
    steps = np.arange(4_000_000)
    schedule.lr(steps[:100], 0.3)
    tracemalloc.start()
    found = schedule.lr(steps, 0.3)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most <= found.nbytes + 8 * rates.AT_ONCE * 8


@pytest.mark.parametrize("at", [0, rates.AT_ONCE - 1, rates.AT_ONCE, 3 * rates.AT_ONCE])
def test_an_invalid_step_or_rate_is_found_in_every_block(at):
    steps = np.arange(3 * rates.AT_ONCE + 1)
    steep = KINDS["ExponentialLR"](gamma=0.0)
    assert steep.lr(steps, 0.3)[at] == (0.3 if at == 0 else 0.0)
    negative, fractional, bases = steps.copy(), steps.astype(float), np.full(len(steps), 0.3)
    negative[at], fractional[at], bases[at] = -1, at + 0.5, 1e300
    for wrong in (negative, fractional):
        with pytest.raises(RateError, match="step must be a whole number"):
            steep.lr(wrong, 0.3)
    with pytest.raises(RateError, match=f"the rate at step {at} would be inf"):
        KINDS["HoldLR"](factor=1e300).lr(steps, bases)


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_whole_numbers_of_every_type_are_the_same_steps(schedule):
    steps = np.arange(100)
    expected = schedule.lr(steps, 0.3).tolist()
    for dtype in ("u1", "i2", "u8", "f4", "f8"):
        assert schedule.lr(steps.astype(dtype), 0.3).tolist() == expected
    assert schedule.lr(steps, np.array(0.25, "f4")).tolist() == schedule.lr(steps, 0.25).tolist()


@pytest.mark.parametrize("schedule", EXAMPLES)
def test_the_rates_are_a_fresh_array(schedule):
    steps, bases = np.arange(20.0), np.array([0.3])
    first = schedule.lr(steps, bases)
    first[:] = -1
    assert (schedule.lr(steps, bases) >= 0).all()
    assert (steps == np.arange(20.0)).all()
    assert bases == 0.3


@pytest.mark.parametrize("step", [np.inf, np.array([1, np.inf], "f4"), np.array([2.5]), [[-1.0]]])
def test_a_fractional_step_is_rejected(step):
    with pytest.raises(RateError, match="step must be a whole number"):
        KINDS["LinearLR"](total_steps=3).lr(step, 0.1)


def test_the_error_about_a_rate_names_its_step_in_an_array_of_any_shape():
    steep = KINDS["ConstantLR"](factor=1e300, total_iters=5)
    message = "ConstantLR: the rate at step 4 would be inf"
    with pytest.raises(RateError, match=message):
        steep.lr([[9, 8], [7, 4]], [[0.1], [1e300]])


def of_many(kind, number):
    """A schedule of a number of parts, each of 100 steps."""
    starts = range(100, 100 * number, 100)
    match kind:
        case "TableLR":
            milestones = [0, *starts]
            return KINDS[kind](milestones=milestones, factors=[0.5] * number, between="linear")
        case "MultiStepLR":
            return KINDS[kind](milestones=[*starts], gamma=0.99)
        case "PhasesLR":
            lengths = {"lengths": [100] * number}
        case _:
            lengths = {"milestones": [*starts]}
    return KINDS[kind](
        schedulers=[KINDS["RampLR"](total_steps=100, end_factor=0.9)] * number, **lengths
    )


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize(
    "kind", ["SequentialLR", "ContinueLR", "PhasesLR", "TableLR", "MultiStepLR"]
)
def test_the_work_of_a_curve_grows_no_faster_than_its_document(kind, shuffled):
    def work(number):
        schedule, steps = of_many(kind, number), np.arange(100 * number)
        steps = np.random.default_rng(0).permutation(steps) if shuffled else steps
        return calls_of(lambda: schedule.lr(steps, 0.5))

    assert work(500) <= 11 * work(50)
