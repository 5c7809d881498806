"""Uses of olm for type checkers, which `test_typing` runs over it: a comment marks each error."""

import torch

import olm
from olm.kinds.hold import Table
from olm.kinds.linear import Linear
from olm.kinds.sequence import Sequential
from olm.kinds.warmup import WarmupCosine
from olm.schedule import Steps
from olm.train.schedulers import ConstantLR, SequentialLR, WarmupCosineScheduler
from olm.train.schedulers.linear import LinearLR, SchedulerBase

schedule = WarmupCosine(warmup_steps="5%", total_steps="2ep", min_lr=0.1)
steps: int = schedule.warmup_steps
resolved: WarmupCosine = schedule.resolve({"total_steps": 100})
parts = Sequential(
    schedulers=[schedule, {"kind": "LinearLR", "total_steps": 4}], milestones=[1, "2ep"]
)
milestones: tuple[int, ...] = parts.milestones
inner: tuple[olm.Schedule, ...] = parts.schedulers
by_kind: Linear = olm.kinds.LinearLR(total_steps="3%")
clock = olm.Clock(total_steps="300e9tok", tokens_per_step=1e6)
growing = olm.Clock(batch_ramp={"start": 16, "end": 64, "by": 16, "over": "9sp"})
length: int | None = clock.total_steps
version: str = olm.__version__


class Mine(olm.Schedule):
    kind: str = "Mine"
    hold_steps: Steps


mine: int = Mine(hold_steps="10%").hold_steps

optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
scheduler: SchedulerBase = LinearLR(optimizer, 10, end_lr=0.1, start_factor=0.5)
cosine = WarmupCosineScheduler(optimizer, warmup_steps=2, total_steps=8, last_epoch=-1)
total: int = cosine.schedule.total_steps
SequentialLR(optimizer, [{"kind": "ConstantLR"}], [])
SequentialLR(optimizer, [cosine, Linear(total_steps=4)], [3])
built = olm.build("a.olm.yaml", optimizer, clock={"total_steps": 100})
rates: list[float] = built.get_last_lr()
rate: float = olm.load("a.olm.yaml").lr(3, base=0.1)
plan = olm.load("a.olm.yaml").plan({"total_steps": 100})

Linear(total_steps=1.5)  # error: arg-type, reportArgumentType
Linear(total_steps=4, total_step=1)  # error: call-arg, reportCallIssue
WarmupCosine(total_steps=4)  # error: call-arg, reportCallIssue
Sequential(schedulers=[3], milestones=[])  # error: list-item, reportArgumentType
Table(milestones=[0.5], factors=[1.0])  # error: list-item, reportArgumentType
olm.Clock(total_steps=[1])  # error: arg-type, reportArgumentType
text: str = schedule.total_steps  # error: assignment, reportAssignmentType
wrong: str = cosine.schedule.total_steps  # error: assignment, reportAssignmentType
olm.kinds.LinearRL()  # error: attr-defined, reportAttributeAccessIssue
LinearLR(optimizer, 10, total_step=10)  # error: call-arg, reportCallIssue
LinearLR(optimizer, "10")  # error: arg-type, reportArgumentType
ConstantLR(optimizer, total_iters=0.5)  # error: arg-type, reportArgumentType
olm.build("a.olm.yaml", optimizer, clock=100)  # error: arg-type, reportArgumentType
