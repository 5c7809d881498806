"""OLMo: the dataclass of its scheduler."""

from framework_keys import Package, Place

PLACES = [
    Place(
        Package("ai2-olmo", "0.6.0"),
        "fields olmo/config.py SchedulerConfig",
        "config.yaml",
        "{optimizer: {name: adamw, learning_rate: 0.001}, max_duration: 100, "
        f"scheduler: {{name: {name}, t_warmup: 10, <KEYS>}}}}",
    )
    for name in ("cosine_with_warmup", "linear_with_warmup", "constant_with_warmup")
]
