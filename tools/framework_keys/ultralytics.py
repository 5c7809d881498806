"""ultralytics: the file of its defaults."""

from framework_keys import Package, Place

PLACES = [
    Place(
        Package("ultralytics", "8.4.190"),
        "yaml ultralytics/cfg/default.yaml",
        "args.yaml",
        "{lr0: 0.01, lrf: 0.01, optimizer: SGD, warmup_epochs: 0, batch: 64, epochs: 10, <KEYS>}",
    )
]
