"""The schedulers of torch that are compared, each as a torch expression and as a spec."""

from __future__ import annotations

from peers import Row, steps_around
from peers import _torch_pairs as pair

BASES = (0.1, 3e-4, 1.0)
"""The base rates of three param groups."""

LONG = steps_around((0, 250, 500, 1000), 1010, every=50)
"""Steps of a long curve, up to the tenth past its end."""


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


LONG_FALL = LONG[: LONG.index(1000) + 1]
"""The same, up to the end."""

DIVIDES = "torch divides by the factor at step 4; olm releases the base rate there"
NEVER = "torch stays at half the base rate forever; olm is at the base rate from step 0 on"
RISES = "torch rises again after T_max; olm stays at eta_min"
RESIDUE = "torch ends about 1e-17 above zero; olm ends at zero"
SKIPS = (
    "torch starts a sequence twice that is the first child, and skips one of its steps; olm uses "
    "every step once"
)
RAISES = (
    "torch raises NotImplementedError when a sequence that is a later child should start; olm "
    "starts it"
)
RAISES_FOR_A_PRODUCT = (
    "torch raises NotImplementedError when a product that is a later child should start; olm "
    "starts it"
)
APPLIES_TWICE = (
    "torch applies the decay of a product that is the first child of a sequence at step 0, and so "
    "is one step ahead; olm is not"
)
OVERWRITES = "in torch, the child that sets the rate overwrites the other; olm multiplies both"
DRIFTS = (
    "in torch, a cosine with a floor is applied to the rate of the other children, not to the base "
    "rate; olm multiplies by its factor"
)
OVERRIDES = (
    "torch uses the first rate of the cycle as the base rate of the other children; olm uses the "
    "base rate of the optimizer for each"
)
RISES_AND_RAISES = (
    "torch rises again after the last of total_steps and then raises ValueError; "
    "olm stays at the lowest rate"
)
DIVIDES_BY_ZERO = "torch divides by zero after the last step; olm goes to the lowest rate there"

CONSTANT = [
    Row("ConstantLR(optimizer)", {"kind": "ConstantLR"}, BASES, _up_to(12)),
    Row(*pair.constant(0.5, 10), BASES, _up_to(20)),
    Row(*pair.constant(0.7, 1), BASES, _up_to(6)),
    Row(*pair.constant(1.0, 0), BASES, _up_to(6)),
    Row(*pair.constant(1 / 3, 500), BASES, LONG),
    Row(*pair.constant(0.0, 4), BASES, _up_to(8), DIVIDES),
    Row(*pair.constant(0.5, 0), BASES, _up_to(8), NEVER),
]

LINEAR = [
    Row(*pair.linear(1.0, 0.0, 10), BASES, _up_to(15)),
    Row(*pair.linear(0.5, 0.0, 4), BASES, _up_to(9)),
    Row(*pair.linear(1.0, 0.0, 1000), BASES, LONG),
    Row(*pair.linear(1 / 3, 1.0, 5, base=0.1), (0.1,), _up_to(10)),
    Row(*pair.linear(0.01, 1.0, 100, base=3e-4), (3e-4,), _up_to(110)),
    Row(*pair.linear(1.0, 0.1, 1000, base=0.1), (0.1,), LONG),
    Row(*pair.linear(0.25, 0.75, 500), (1.0,), LONG),
    Row(*pair.linear(0.3, 0.0, 7), BASES, _up_to(10), RESIDUE),
]

COSINE = [
    Row(*pair.cosine(1), BASES, _up_to(1)),
    Row(*pair.cosine(10), BASES, _up_to(10)),
    Row(*pair.cosine(7, 1e-5), BASES, _up_to(7)),
    Row(*pair.cosine(7, 0.2), BASES, _up_to(7)),
    Row(*pair.cosine(1000), BASES, LONG_FALL),
    Row(*pair.cosine(2999, 1e-6), BASES, LONG),
    Row(*pair.cosine(10), BASES, _up_to(25), RISES),
    Row(*pair.cosine(1000, 1e-5), BASES, LONG, RISES),
]

INNER = pair.sequence([pair.constant(0.5, 9), pair.linear(1.0, 0.0, 4)], [2])

SEQUENTIAL = [
    Row(*pair.sequence([pair.constant(0.1, 20), pair.constant(0.5, 5)], [10]), BASES, _up_to(25)),
    Row(
        *pair.sequence(
            [pair.constant(0.1, 9), pair.constant(0.5, 9), pair.constant(0.2, 3)], [1, 4]
        ),
        BASES,
        _up_to(12),
    ),
    Row(*pair.sequence([pair.constant(0.1, 250), pair.cosine(750)], [250]), BASES, LONG_FALL),
    Row(
        *pair.sequence([pair.cosine(4), pair.cosine(4), pair.linear(1.0, 0.0, 8)], [4, 8]),
        BASES,
        _up_to(20),
    ),
    Row(
        *pair.sequence(
            [
                pair.linear(0.01, 1.0, 250, base=0.1),
                pair.cosine(751, 1e-5),
                pair.constant(0.2, 1000),
            ],
            [250, 1000],
        ),
        (0.1,),
        LONG,
    ),
    Row(*pair.sequence([pair.constant(0.5, 3)], []), BASES, _up_to(6)),
    Row(*pair.sequence([INNER, pair.constant(0.1, 9)], [7]), BASES, _up_to(20), SKIPS),
    Row(*pair.sequence([pair.constant(0.1, 9), INNER], [3]), BASES, _up_to(12), RAISES),
]

POLYNOMIAL = [
    Row("PolynomialLR(optimizer)", {"kind": "PolynomialLR"}, BASES, _up_to(10)),
    Row(*pair.polynomial(10, 2.0), BASES, _up_to(15)),
    Row(*pair.polynomial(10, 0.5), BASES, _up_to(15)),
    Row(*pair.polynomial(1, 3.0), BASES, _up_to(4)),
    Row(*pair.polynomial(1000, 0.9), BASES, LONG),
    Row(*pair.polynomial(1000, 1.0), BASES, LONG),
    Row(
        *pair.sequence(
            [pair.constant(0.1, 250), pair.polynomial(500, 2.0), pair.constant(0.1, 1000)],
            [250, 1000],
        ),
        BASES,
        LONG,
    ),
]

FALLS = [
    Row("StepLR(optimizer, 30)", {"kind": "StepLR", "step_size": 30}, BASES, _up_to(64)),
    Row(*pair.steps(4, gamma=0.5), BASES, _up_to(30)),
    Row(*pair.steps(1, gamma=1.0), BASES, _up_to(8)),
    Row(*pair.steps(3, gamma=1.5), BASES, _up_to(20)),
    Row(*pair.steps(2, gamma=0.0), BASES, _up_to(8)),
    Row(*pair.milestones([3, 8, 9]), BASES, _up_to(20)),
    Row(*pair.milestones([2, 5, 5, 5, 9], gamma=0.5), BASES, _up_to(20)),
    Row(*pair.milestones([0, 4], gamma=0.3), BASES, _up_to(12)),
    Row(*pair.milestones([]), BASES, _up_to(8)),
    Row(*pair.milestones([250, 500, 1000], gamma=0.7), BASES, LONG),
    Row(*pair.exponential(0.9), BASES, _up_to(60)),
    Row(*pair.exponential(1.02), BASES, _up_to(30)),
    Row(*pair.exponential(0.0), BASES, _up_to(8)),
    Row(*pair.exponential(0.995), BASES, LONG),
]

FACTORS = [
    Row("LinearLR(optimizer)", {"kind": "LinearFactorLR"}, BASES, _up_to(12)),
    Row(*pair.factors(start_factor=0.1, total_iters=20), BASES, _up_to(30)),
    Row(*pair.factors(start_factor=1.0, end_factor=0.1, total_iters=10), BASES, _up_to(16)),
    Row(*pair.factors(start_factor=0.25, end_factor=0.75, total_iters=1), BASES, _up_to(6)),
    Row(*pair.factors(start_factor=1.0, end_factor=0.0, total_iters=7), BASES, _up_to(12)),
    Row(*pair.factors(start_factor=1e-3, total_iters=1000), BASES, LONG),
    Row(*pair.factors(start_factor=0.3, end_factor=0.0, total_iters=7), BASES, _up_to(10), RESIDUE),
]

RESTARTS = [
    Row(*pair.restarts(7), BASES, _up_to(30)),
    Row(*pair.restarts(1), BASES, _up_to(8)),
    Row(*pair.restarts(5, T_mult=2, eta_min=1e-5), BASES, _up_to(80)),
    Row(*pair.restarts(2, T_mult=3), BASES, _up_to(90)),
    Row(*pair.restarts(1, T_mult=3, eta_min=0.2), BASES, _up_to(45)),
    Row(*pair.restarts(250, T_mult=1, eta_min=1e-6), BASES, LONG),
]

CYCLES = [
    Row(
        "CyclicLR(optimizer, 0.1, 0.5, cycle_momentum=False)",
        {"kind": "CyclicLR", "base_lr": 0.1, "max_lr": 0.5},
        BASES,
        steps_around((0, 2000, 4000), 4010, every=250),
    ),
    Row(*pair.cycle(0.1, 0.5, 4), BASES, _up_to(30)),
    Row(*pair.cycle(0.5, 0.1, 3, step_size_down=7), BASES, _up_to(30)),
    Row(*pair.cycle(0.0, 1.0, 3, step_size_down=1), BASES, _up_to(20)),
    Row(*pair.cycle(0.01, 0.5, 3, mode="triangular2"), BASES, _up_to(40)),
    Row(*pair.cycle(0.0, 0.5, 1, step_size_down=5, mode="triangular2"), BASES, _up_to(40)),
    Row(*pair.cycle(0.1, 0.5, 4, mode="exp_range", gamma=0.95), BASES, _up_to(40)),
    Row(
        *pair.cycle(0.1, 0.5, 2, step_size_down=6, mode="exp_range", gamma=0.99),
        BASES,
        _up_to(40),
    ),
    Row(*pair.cycle(0.1, 0.5, 4, gamma=0.5), BASES, _up_to(20)),
]

ONE_CYCLE = [
    Row(*pair.one_cycle(0.5, total_steps=20), BASES, _up_to(19)),
    Row(*pair.one_cycle(0.5, epochs=5, steps_per_epoch=6), BASES, _up_to(29)),
    Row(*pair.one_cycle(0.5, total_steps=25, anneal_strategy="linear"), BASES, _up_to(24)),
    Row(*pair.one_cycle(0.5, total_steps=20, three_phase=True), BASES, _up_to(19)),
    Row(
        *pair.one_cycle(
            0.5, total_steps=23, pct_start=0.25, anneal_strategy="linear", three_phase=True
        ),
        BASES,
        _up_to(22),
    ),
    Row(
        *pair.one_cycle(0.5, total_steps=20, div_factor=4.0, final_div_factor=10.0),
        BASES,
        _up_to(19),
    ),
    Row(*pair.one_cycle(0.5, total_steps=12, pct_start=0.0), BASES, _up_to(11)),
    Row(*pair.one_cycle(0.5, total_steps=10, pct_start=0.05), BASES, _up_to(9)),
    Row(*pair.one_cycle(0.5, total_steps=10, pct_start=0.5, three_phase=True), BASES, _up_to(9)),
    Row(*pair.one_cycle(0.5, total_steps=12, pct_start=1.0), BASES, _up_to(11)),
    Row(*pair.one_cycle(0.5, total_steps=2), BASES, _up_to(1)),
    Row(*pair.one_cycle(0.5, total_steps=1000), BASES, LONG[: LONG.index(999) + 1]),
    Row(*pair.one_cycle(0.5, total_steps=20), BASES, _up_to(24), RISES_AND_RAISES),
    Row(*pair.one_cycle(0.5, total_steps=12, pct_start=1.0), BASES, _up_to(14), DIVIDES_BY_ZERO),
]

WARMUP = pair.factors(start_factor=0.25, total_iters=6)
HALVING = pair.steps(4, gamma=0.5)
FALL = pair.exponential(0.9)
WAVES = pair.restarts(5, T_mult=2)
CYCLE = pair.cycle(0.2, 0.5, 3)

CHAINED = [
    Row(*pair.chain(FALL), BASES, _up_to(12)),
    Row(*pair.chain(pair.constant(0.1, 20), FALL), BASES, _up_to(30)),
    Row(*pair.chain(WARMUP, pair.milestones([3, 9, 9]), HALVING), BASES, _up_to(30)),
    Row(*pair.chain(WARMUP, pair.polynomial(20, 2.0)), BASES, _up_to(24)),
    Row(*pair.chain(WARMUP, pair.cosine(30)), BASES, _up_to(30)),
    Row(*pair.chain(pair.cosine(30), pair.cosine(40), FALL), BASES, _up_to(30)),
    Row(*pair.chain(pair.chain(WARMUP, FALL), HALVING), BASES, _up_to(30)),
    Row(*pair.chain(FALL, pair.cosine(30, 1e-5)), BASES, _up_to(30), DRIFTS),
    Row(*pair.chain(FALL, WAVES), BASES, _up_to(20), OVERWRITES),
    Row(*pair.chain(WAVES, FALL), BASES, _up_to(20), OVERWRITES),
    Row(*pair.chain(WAVES, pair.restarts(3)), BASES, _up_to(20), OVERWRITES),
    Row(*pair.chain(FALL, CYCLE), BASES, _up_to(20), OVERWRITES),
    Row(*pair.chain(FALL, pair.one_cycle(0.5, total_steps=20)), BASES, _up_to(19), OVERWRITES),
    Row(*pair.chain(pair.sequence([WARMUP, HALVING], [6]), FALL), BASES, _up_to(20), OVERWRITES),
]

SEQUENCES = [
    Row(*pair.sequence([WARMUP, HALVING], [6]), BASES, _up_to(30)),
    Row(*pair.sequence([HALVING, pair.milestones([0, 2, 2]), FALL], [6, 12]), BASES, _up_to(30)),
    Row(*pair.sequence([WARMUP, WAVES], [6]), BASES, _up_to(60)),
    Row(*pair.sequence([WAVES, pair.restarts(3), WARMUP], [12, 20]), BASES, _up_to(30)),
    Row(*pair.sequence([WARMUP, CYCLE, FALL], [6, 15]), BASES, _up_to(30)),
    Row(*pair.sequence([pair.one_cycle(0.5, total_steps=10), CYCLE], [10]), BASES, _up_to(20)),
    Row(*pair.sequence([CYCLE, WARMUP], [6]), BASES, _up_to(20), OVERRIDES),
    Row(
        *pair.sequence([pair.one_cycle(0.5, total_steps=10), WARMUP], [10]),
        BASES,
        _up_to(20),
        OVERRIDES,
    ),
    Row(
        *pair.sequence([WARMUP, pair.one_cycle(0.5, total_steps=10)], [6]),
        BASES,
        _up_to(15),
        OVERRIDES,
    ),
    Row(
        *pair.sequence([pair.sequence([WARMUP, HALVING], [3]), FALL], [9]),
        BASES,
        _up_to(20),
        SKIPS,
    ),
    Row(
        *pair.sequence([FALL, pair.sequence([WAVES, HALVING], [7])], [5]),
        BASES,
        _up_to(20),
        RAISES,
    ),
    Row(*pair.sequence([pair.chain(WARMUP, FALL), HALVING], [6]), BASES, _up_to(20), APPLIES_TWICE),
    Row(
        *pair.sequence([WARMUP, pair.chain(HALVING, FALL)], [6]),
        BASES,
        _up_to(20),
        RAISES_FOR_A_PRODUCT,
    ),
]

ROWS = [
    *CONSTANT,
    *LINEAR,
    *COSINE,
    *POLYNOMIAL,
    *SEQUENTIAL,
    *FALLS,
    *FACTORS,
    *RESTARTS,
    *CYCLES,
    *ONE_CYCLE,
    *CHAINED,
    *SEQUENCES,
]
