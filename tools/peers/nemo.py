"""NeMo: schedulers whose shares of the run are rounded down to steps."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from peers import Answers, Curves, Durations, Peer, Row
from peers._durations import answered, shares
from peers._stepping import stepped
from peers._stubs import stub_module, stub_packages

TOTALS = (1, 7, 30, 50, 100, 365, 1000, 10_000, 999_983)
"""The lengths of runs."""

RUN: dict[str, Any] = {"rounding": "down", "clock": {"total_steps": 100}}

EACH = (
    "NeMo rounds the lengths of warm-up and hold down, each by itself; olm rounds their ends, so "
    "that both together are a quarter of the run"
)


def rates(row: Row) -> Curves:
    """Step the scheduler of NeMo."""
    return stepped(row, vars(_schedulers()))


def answers(durations: Durations) -> Answers:
    """The steps that NeMo computes for shares of the run."""
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])
    return answered(durations, {**vars(_schedulers()), "optimizer": optimizer})


@cache
def _schedulers() -> ModuleType:
    """The module of the schedulers, without the rest of NeMo and its configurations."""
    packages = ("nemo", "nemo.core", "nemo.core.optim", "nemo.core.classes", "nemo.core.config")
    stub_packages("nemo_toolkit", *packages, "nemo.utils")
    stub_module("omegaconf", DictConfig=dict, OmegaConf=None)
    stub_module("nemo.core.classes.common", safe_instantiate=None)
    configs = ("SchedulerParams", "get_scheduler_config", "register_scheduler_params")
    stub_module("nemo.core.config.schedulers", **dict.fromkeys(configs))
    stub_module("nemo.utils", logging=None)
    stub_module("nemo.utils.model_utils", maybe_update_config_version=None)
    return import_module("nemo.core.optim.lr_scheduler")


def _counted(scheduler: str, ratio: str, total: int) -> Durations:
    call = f"{scheduler}(optimizer, {ratio}_ratio=duration, max_steps={total}).{ratio}_steps"
    return Durations(call, {"total_steps": total}, [(0.0, "0%"), *shares()])


def _row(peer: str, olm: dict[str, Any], instead: str = "") -> Row:
    return Row(peer, {**olm, **RUN}, (0.1,), tuple(range(101)), instead)


WARM: dict[str, Any] = {"kind": "RampLR", "start_factor": 1 / 13, "end_factor": 1.0}
"""A warm-up of 12 steps, whose first rate depends on its length."""

ROWS = [
    _row(
        "WarmupPolicy(optimizer, warmup_ratio=0.125, max_steps=100)",
        {**WARM, "total_steps": "12.5%"},
    ),
    _row(
        "CosineAnnealing(optimizer, warmup_ratio=0.125, constant_ratio=0.25, max_steps=100)",
        {
            "kind": "WarmupDecayLR",
            "warmup_steps": "12.5%",
            "total_steps": "75%",
            "decay": "cosine",
        },
    ),
    _row(
        "PolynomialHoldDecayAnnealing("
        "optimizer, warmup_ratio=0.125, hold_ratio=0.125, max_steps=100)",
        {
            "kind": "PhasesLR",
            "schedulers": [
                {**WARM, "total_steps": "rest"},
                {"kind": "HoldLR"},
                {"kind": "LinearLR", "total_steps": "rest"},
            ],
            "lengths": ["12.5%", "12.5%", "rest"],
        },
        EACH,
    ),
]

PEER = Peer(
    distribution="nemo_toolkit",
    version="3.0.0",
    tolerance=1e-12,
    rows=ROWS,
    rates=rates,
    durations=[
        *(_counted("WarmupPolicy", "warmup", total) for total in TOTALS),
        *(_counted("CosineAnnealing", "constant", total) for total in TOTALS),
    ],
    answers=answers,
    needs=["torch", "numpy"],
    dependencies=False,
)
