"""Composer: schedulers that are functions of the trainer state, with durations in many units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from types import ModuleType
from typing import Any

from peers import Answers, Curves, Durations, Peer, Refused, Row
from peers._composer_durations import DURATIONS, IN_DURATIONS
from peers._durations import answered
from peers._stepping import stepped
from peers._stubs import stub_module, stub_packages

BASES = (0.1, 3e-4)
"""The base rates of two param groups."""

BATCHES = 8
"""The batches in an epoch."""

Spec = dict[str, Any]


def rates(row: Row) -> Curves:
    """Step the scheduler of Composer, batch by batch, as its trainer does."""
    schedules = _schedules()
    compiled = partial(_compiled, schedules.compile_composer_scheduler)
    return stepped(
        row, {**vars(schedules), "compile_composer_scheduler": compiled, "State": _state}
    )


def answers(durations: Durations) -> Answers:
    """The steps that Composer computes for durations."""
    return answered(durations, {**vars(_schedules()), "State": _state})


@dataclass
class _State:
    """The part of the state of the trainer that schedulers read."""

    optimizers: list[Any]
    max_duration: Any
    timestamp: Any
    dataloader_len: int
    per_batch: dict[str, int]
    """The numbers of samples and tokens in a batch."""


@dataclass
class _Trained:
    """A scheduler and the state that it reads."""

    scheduler: Any
    state: _State

    def step(self) -> None:
        self.state.timestamp = self.state.timestamp.to_next_batch(**self.state.per_batch)
        self.scheduler.step()


def _state(
    optimizer: Any, max_duration: str, batches: int = BATCHES, samples: int = 0, tokens: int = 0
) -> _State:
    time = import_module("composer.core.time")
    duration, start = time.Time.from_timestring(max_duration), time.Timestamp()
    return _State([optimizer], duration, start, batches, {"samples": samples, "tokens": tokens})


def _compiled(compiler: Any, scheduler: Any, state: _State, ssr: float = 1.0) -> _Trained:
    return _Trained(compiler(scheduler, state, ssr), state)


@cache
def _schedules() -> ModuleType:
    """The module of the schedulers, with the times of Composer and without its trainer."""
    packages = ("composer", "composer.core", "composer.utils", "composer.optim")
    stub_packages("mosaicml", *packages)
    strings = import_module("composer.utils.string_enum")
    stub_module("composer.utils", StringEnum=strings.StringEnum)
    time = import_module("composer.core.time")
    stub_module("composer.core", State=_State, Time=time.Time, TimeUnit=time.TimeUnit)
    return import_module("composer.optim.scheduler")


def _text(scheduler: str, duration: str, ssr: float | None = None) -> str:
    """The expression by which a trainer constructs its scheduler; SSR is the scale ratio."""
    ratio = "" if ssr is None else f", ssr={ssr}"
    state = f"State(optimizer, max_duration={duration!r})"
    return f"compile_composer_scheduler({scheduler}, {state}{ratio})"


def _up_to(last: int) -> tuple[int, ...]:
    return tuple(range(last + 1))


def _ramp(total: int, start: float, end: float, **more: Any) -> Spec:
    ends = {"start_factor": start, "end_factor": end}
    return {"kind": "RampLR", "total_steps": total, **ends, **more}


def _phases(*parts: tuple[Spec, int]) -> Spec:
    specs, lengths = zip(*parts, strict=True)
    return {"kind": "PhasesLR", "schedulers": [*specs], "lengths": [*lengths]}


def _warm(decay: str, **more: Any) -> Spec:
    lengths = {"warmup_steps": 5, "total_steps": 40}
    return {"kind": "WarmupDecayLR", **lengths, "decay": decay, **more}


ROUNDED = "Composer rounds every cycle down to whole batches; olm stretches each by the same factor"
SHORT = (
    "Composer scales the decay but not the warm-up, so that training ends in the warm-up; olm "
    "requires that the decay ends after the warm-up"
)

PLAIN = [
    Row(
        _text("StepScheduler('10ba')", "40ba"),
        {"kind": "StepLR", "step_size": 10},
        BASES,
        _up_to(45),
    ),
    Row(
        _text("MultiStepScheduler(['1ep', '3ep'], gamma=0.2)", "5ep"),
        {"kind": "MultiStepLR", "milestones": [8, 24], "gamma": 0.2},
        BASES,
        _up_to(45),
    ),
    Row(
        _text("MultiStepScheduler(['5ba', '11ba'])", "20ba", ssr=0.5),
        {"kind": "MultiStepLR", "milestones": [2, 5]},
        BASES,
        _up_to(20),
    ),
    Row(
        _text("ConstantScheduler(alpha=0.3, t_max='10ba')", "20ba"),
        {"kind": "ConstantLR", "factor": 0.3, "total_iters": 10},
        BASES,
        _up_to(20),
    ),
    Row(
        _text("LinearScheduler(alpha_i=0.3, alpha_f=1.2, t_max='0.7dur')", "3ep"),
        _ramp(16, 0.3, 1.2),
        BASES,
        _up_to(30),
    ),
    Row(
        _text("ExponentialScheduler(gamma=0.9)", "5ep"),
        _ramp(BATCHES, 1.0, 0.9, space="log", past="extrapolate"),
        BASES,
        _up_to(45),
    ),
    Row(
        _text("CosineAnnealingScheduler(t_max='0.75dur', alpha_f=0.1)", "40ba"),
        _ramp(30, 1.0, 0.1, ease="cosine"),
        BASES,
        _up_to(45),
    ),
    Row(
        _text("PolynomialScheduler(power=0.9, alpha_f=0.1)", "40ba"),
        _ramp(40, 1.0, 0.1, ease="polynomial", power=0.9),
        BASES,
        _up_to(50),
    ),
]

RESTARTS = [
    Row(
        _text("CosineAnnealingWarmRestartsScheduler('6ba', t_mult=2.0)", "50ba"),
        {"kind": "CosineAnnealingWarmRestarts", "T_0": 6, "T_mult": 2},
        BASES,
        _up_to(50),
    ),
    Row(
        _text("CosineAnnealingWarmRestartsScheduler('10ba', t_mult=1.5, alpha_f=0.1)", "50ba"),
        _phases(*((_ramp(length, 1.0, 0.1, ease="cosine"), length) for length in (10, 15, 22, 33))),
        BASES,
        _up_to(59),
    ),
    Row(
        _text("CosineAnnealingWarmRestartsScheduler('10ba', t_mult=1.5, alpha_f=0.1)", "50ba"),
        {
            "kind": "RepeatLR",
            "scheduler": _ramp(10, 1.0, 0.1, ease="cosine"),
            "period": 10,
            "growth": 1.5,
        },
        BASES,
        _up_to(59),
        ROUNDED,
    ),
]

WARM = [
    Row(
        _text("MultiStepWithWarmupScheduler('5ba', ['3ba', '20ba'])", "30ba"),
        _phases(
            (_ramp(5, 0.0, 1.0), 5),
            (
                {
                    "kind": "TimeLR",
                    "scheduler": {"kind": "MultiStepLR", "milestones": [3, 20]},
                    "shift": 5,
                },
                30,
            ),
        ),
        BASES,
        _up_to(35),
    ),
    Row(
        _text("ConstantWithWarmupScheduler('5ba', alpha=0.5)", "30ba"),
        _ramp(5, 0.0, 0.5),
        BASES,
        _up_to(35),
    ),
    Row(
        _text("LinearWithWarmupScheduler('5ba', alpha_i=0.5, alpha_f=0.1)", "40ba"),
        _phases((_ramp(5, 0.0, 0.5), 5), (_ramp(35, 0.5, 0.1), 35)),
        BASES,
        _up_to(50),
    ),
    Row(
        _text("CosineAnnealingWithWarmupScheduler('5ba', alpha_f=0.1)", "40ba"),
        _warm("cosine", end_factor=0.1),
        BASES,
        _up_to(50),
    ),
    Row(
        _text("PolynomialWithWarmupScheduler('5ba', t_max='80ba')", "40ba", ssr=0.5),
        _warm("polynomial"),
        BASES,
        _up_to(50),
    ),
]

PEER = Peer(
    distribution="mosaicml",
    version="0.32.1",
    tolerance=1e-12,
    rows=[*PLAIN, *RESTARTS, *WARM, *IN_DURATIONS],
    rates=rates,
    refused=[
        Refused(
            _text("StepScheduler('0.01dur')", "40ba"),
            {"kind": "StepLR", "step_size": 0},
            argument="step_size",
            instead=(
                "Composer rounds the size to zero batches and divides by it; olm requires at least "
                "1"
            ),
        ),
        Refused(
            _text("LinearWithWarmupScheduler('10ba', t_max='40ba')", "8ba", ssr=0.2),
            {"kind": "WarmupDecayLR", "warmup_steps": 10, "total_steps": 8, "decay": "linear"},
            argument="warmup_steps",
            instead=SHORT,
        ),
    ],
    durations=DURATIONS,
    answers=answers,
    needs=["torch", "numpy"],
    dependencies=False,
)
