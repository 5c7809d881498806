"""fairseq: the dataclasses of its schedules, and of the optimization."""

from framework_keys import Package, Place

_FAIRSEQ = Package("fairseq", "0.12.2")
_TEXT = """\
optimization: {{max_update: 100, lr: [0.001]{}}}
optimizer: {{_name: adam}}
lr_scheduler: {{_name: {}{}}}
"""
_SCHEDULES = {
    "fixed": "fixed_schedule FixedLRScheduleConfig",
    "polynomial_decay": "polynomial_decay_schedule PolynomialDecayLRScheduleConfig",
    "inverse_sqrt": "inverse_square_root_schedule InverseSquareRootLRScheduleConfig",
    "tri_stage": "tri_stage_lr_scheduler TriStageLRScheduleConfig",
    "cosine": "cosine_lr_scheduler CosineLRScheduleConfig",
    "step": "step_lr_scheduler StepLRScheduleConfig",
}
_NEEDED = {
    "polynomial_decay": ", total_num_update: 100",
    "inverse_sqrt": ", warmup_updates: 10",
    "tri_stage": ", phase_ratio: [0.1, 0.4, 0.5]",
    "step": ", lr_deacy_period: 10",
}

PLACES = [
    Place(
        _FAIRSEQ,
        f"fields fairseq/optim/lr_scheduler/{code.replace(' ', '.py ')}",
        "config.yaml",
        _TEXT.format("", name, f"{_NEEDED.get(name, '')}, <KEYS>"),
    )
    for name, code in _SCHEDULES.items()
] + [
    Place(
        _FAIRSEQ,
        "fields fairseq/dataclass/configs.py OptimizationConfig",
        "config.yaml",
        _TEXT.format(", <KEYS>", "inverse_sqrt", ", warmup_updates: 10"),
    )
]
