"""LightningCLI: the parameters of torch's schedulers."""

from framework_keys import Place
from framework_keys.hydra import NEEDED, TORCH

PLACES = [
    Place(
        TORCH,
        f"signature torch/optim/lr_scheduler.py {name}",
        "config.yaml",
        "{trainer: {max_epochs: 100}, optimizer: {class_path: torch.optim.SGD, init_args: "
        f"{{lr: 0.1}}}}, lr_scheduler: {{class_path: torch.optim.lr_scheduler.{name}, "
        f"init_args: {{<KEYS>{needed}}}}}}}",
        without="optimizer",
    )
    for name, needed in NEEDED.items()
]
