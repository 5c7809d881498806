"""DeepSpeed: the parameters of its schedulers."""

from framework_keys import Package, Place

_NEEDED = {
    "WarmupLR": "",
    "WarmupDecayLR": '"total_num_steps": 100',
    "WarmupCosineLR": '"total_num_steps": 100',
    "OneCycle": '"cycle_min_lr": 0.001, "cycle_max_lr": 0.01',
    "LRRangeTest": '"lr_range_test_min_lr": 0.001',
}

PLACES = [
    Place(
        Package("deepspeed", "0.19.8"),
        f"signature deepspeed/runtime/lr_schedules.py {name}",
        "ds.json",
        '{"optimizer": {"type": "SGD", "params": {"lr": 0.001}}, "scheduler": '
        f'{{"type": "{name}", "params": {{<KEYS>{needed}}}}}}}',
        without="optimizer",
    )
    for name, needed in _NEEDED.items()
]
