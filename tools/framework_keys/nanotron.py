"""nanotron: the dataclass of its schedule."""

from framework_keys import Package, Place

PLACES = [
    Place(
        Package("nanotron", "0.4"),
        "fields nanotron/config/config.py LRSchedulerArgs",
        "config.yaml",
        "{tokens: {train_steps: 100}, optimizer: {learning_rate_scheduler: "
        "{learning_rate: 0.001, lr_warmup_steps: 10, lr_warmup_style: linear, "
        "lr_decay_style: cosine, min_decay_lr: 1.0e-5, <KEYS>}}}",
    )
]
