"""NeMo: the dataclasses of the parameters of its schedules, and the parameters themselves."""

from framework_keys import Package, Place

_SCHEDULES = {
    "SquareAnnealing": "SquareAnnealingParams",
    "SquareRootAnnealing": "SquareRootAnnealingParams",
    "CosineAnnealing": "CosineAnnealingParams",
    "NoamAnnealing": "NoamAnnealingParams",
    "WarmupAnnealing": "WarmupAnnealingParams",
    "InverseSquareRootAnnealing": "InverseSquareRootAnnealingParams",
    "PolynomialDecayAnnealing": "PolynomialDecayAnnealingParams",
    "PolynomialHoldDecayAnnealing": "PolynomialHoldDecayAnnealingParams",
    "NoamHoldAnnealing": "NoamHoldAnnealingParams",
    "WarmupPolicy": "WarmupSchedulerParams",
    "WarmupHoldPolicy": "WarmupHoldSchedulerParams",
    "StepLR": "StepLRParams",
}
_NEEDED = {
    "NoamAnnealing": "d_model: 64, ",
    "NoamHoldAnnealing": "decay_rate: 0.5, hold_steps: 10, ",
    "WarmupHoldPolicy": "hold_steps: 10, ",
    "PolynomialHoldDecayAnnealing": "hold_steps: 10, ",
    "StepLR": "step_size: 10, ",
}


def _code(name: str, params: str) -> str:
    code = f"fields nemo/core/config/schedulers.py {params}"
    return code if name == "StepLR" else f"{code};signature nemo/core/optim/lr_scheduler.py {name}"


PLACES = [
    Place(
        Package("nemo_toolkit", "3.0.0"),
        _code(name, params),
        "config.yaml",
        "{trainer: {max_steps: 100}, model: {optim: {name: adam, lr: 0.001, sched: "
        f"{{name: {name}, {'' if name == 'StepLR' else 'warmup_steps: 10, '}"
        f"{_NEEDED.get(name, '')}<KEYS>}}}}}}}}",
        without="optimizer",
    )
    for name, params in _SCHEDULES.items()
]
