"""torch: the schedulers that a kind of olm reproduces.

torch computes each rate from the previous one, so that its rates drift; olm uses the step.
"""

from __future__ import annotations

from peers import Curves, Peer, Refused, Row
from peers import _torch_pairs as pair
from peers._stepping import stepped
from peers._torch_rows import ROWS


def rates(row: Row) -> Curves:
    """Step the class of torch."""
    from torch.optim import lr_scheduler

    return stepped(row, vars(lr_scheduler))


PEER = Peer(
    distribution="torch",
    version="2.13.0",
    tolerance=1e-11,
    rows=ROWS,
    rates=rates,
    refused=[
        Refused(
            *pair.cosine(0),
            argument="T_max",
            instead="torch divides by zero at step 1; olm requires at least 1",
        ),
        Refused(
            *pair.linear(0.5, 0.0, 0),
            argument="total_steps",
            instead="torch stays at half the base rate forever; olm requires at least 1",
        ),
        Refused(
            *pair.sequence(
                [pair.constant(0.1, 9), pair.constant(0.2, 9), pair.constant(0.3, 9)], [5, 3]
            ),
            argument="milestones",
            instead="torch silently ignores the second; olm requires ascending milestones",
        ),
        Refused(
            *pair.sequence(
                [pair.constant(0.1, 9), pair.constant(0.2, 9), pair.constant(0.3, 9)], [3, 3]
            ),
            argument="milestones",
            instead="torch silently ignores the second; olm requires ascending milestones",
        ),
        Refused(
            *pair.sequence([pair.constant(0.1, 9), pair.constant(0.2, 9)], [-1]),
            argument="milestones",
            instead="torch starts with the second; olm requires at least 1",
        ),
        Refused(
            *pair.sequence([pair.constant(0.1, 9), pair.constant(0.2, 9)], [0]),
            argument="milestones",
            instead="torch never starts the first; olm requires at least 1",
        ),
        Refused(
            *pair.factors(start_factor=0.5, total_iters=0),
            argument="total_iters",
            instead="torch stays at half the base rate forever; olm requires at least 1",
        ),
        Refused(
            *pair.steps(0),
            argument="step_size",
            instead="torch divides by zero at step 1; olm requires at least 1",
        ),
        Refused(
            *pair.milestones([8, 3]),
            argument="milestones",
            instead="torch sorts them; olm requires ascending milestones",
        ),
        Refused(
            *pair.milestones([-1, 3]),
            argument="milestones",
            instead="stepping torch ignores it, its closed form counts it; olm requires at least 0",
        ),
        Refused(
            *pair.cycle(0.1, 0.5, 0, step_size_down=5),
            argument="step_size_up",
            instead="torch divides by zero; olm requires at least 1",
        ),
        Refused(
            *pair.one_cycle(0.5, total_steps=10, pct_start=0.7, three_phase=True),
            argument="three_phase",
            instead="torch is still decaying when the steps are over; olm requires at most half",
        ),
        Refused(
            *pair.one_cycle(0.5, total_steps=10, epochs=3, steps_per_epoch=4),
            argument="total_steps",
            instead="torch silently prefers total_steps; olm requires one of the two",
        ),
    ],
    needs=["numpy"],
)
