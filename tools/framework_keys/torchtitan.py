"""torchtitan: the dataclasses of its schedule and optimizer, of this version and the last one."""

from framework_keys import Package, Place

_NOW, _BEFORE = Package("torchtitan", "0.3.0"), Package("torchtitan", "0.2.2")
_TEXT = """\
[optimizer]
lr = 0.001
{}
[training]
steps = 100
{}
[lr_scheduler]
warmup_steps = 10
{}
"""
_SCHEDULER = _TEXT.format("", "", "<KEYS>")
_OPTIMIZER = _TEXT.format("<KEYS>", "", "")
_COMPONENTS = "fields torchtitan/components/optimizer"

PLACES = [
    Place(
        _NOW,
        f"{_COMPONENTS}/lr_scheduler.py LRSchedulersContainer.Config",
        "train.toml",
        _SCHEDULER,
    ),
    Place(
        _NOW,
        f"{_COMPONENTS}/optimizer.py OptimizersContainer.Config",
        "train.toml",
        _OPTIMIZER,
    ),
    Place(
        _BEFORE,
        "fields torchtitan/config/job_config.py LRScheduler",
        "train.toml",
        _SCHEDULER,
    ),
    Place(
        _BEFORE,
        "fields torchtitan/config/job_config.py Optimizer",
        "train.toml",
        _OPTIMIZER,
    ),
]
