"""Hydra: the parameters of torch's schedulers."""

from framework_keys import Package, Place

NEEDED = {
    "StepLR": "step_size: 10",
    "MultiStepLR": "milestones: [10, 20]",
    "ConstantLR": "",
    "LinearLR": "",
    "ExponentialLR": "gamma: 0.99",
    "PolynomialLR": "",
    "CosineAnnealingLR": "T_max: 100",
    "CosineAnnealingWarmRestarts": "T_0: 10",
    "CyclicLR": "base_lr: 0.001, max_lr: 0.1",
    "OneCycleLR": "max_lr: 0.1, total_steps: 100",
    "ReduceLROnPlateau": "",
}
"""torch's schedulers → the arguments that they need."""

TORCH = Package("torch", "2.13.0")

PLACES = [
    Place(
        TORCH,
        f"signature torch/optim/lr_scheduler.py {name}",
        "config.yaml",
        "{trainer: {max_steps: 100}, model: {optimizer: {_target_: torch.optim.SGD, "
        "_partial_: true, lr: 0.1}, lr_scheduler: {interval: step, scheduler: "
        f"{{_partial_: true, <KEYS>_target_: torch.optim.lr_scheduler.{name}, {needed}}}}}}}}}",
        without="optimizer",
    )
    for name, needed in NEEDED.items()
]
