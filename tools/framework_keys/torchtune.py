"""torchtune: the parameters of its schedule."""

from framework_keys import Package, Place

PLACES = [
    Place(
        Package("torchtune", "0.6.1"),
        "signature torchtune/training/lr_schedulers.py get_cosine_schedule_with_warmup",
        "config.yaml",
        "{optimizer: {_component_: torch.optim.AdamW, lr: 0.001}, max_steps_per_epoch: 100, "
        "epochs: 1, gradient_accumulation_steps: 1, lr_scheduler: {_component_: "
        "torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup, "
        "num_warmup_steps: 10, <KEYS>}}",
        without="optimizer num_training_steps",
    )
]
