"""spaCy: the parameters of thinc's schedules and optimizers."""

from framework_keys import Package, Place

_THINC = Package("thinc", "9.1.1")
_OPTIMIZER = '[training]\nmax_steps = 100\n\n[training.optimizer]\n@optimizers = "{}.v1"\n{}\n'
_RATE = '[training.optimizer.learn_rate]\n@schedules = "{}.v1"\n{}'
_SCHEDULES = {
    "constant": "rate = 0.001\n",
    "decaying": "base_rate = 0.001\ndecay = 0.01\n",
    "compounding": "start = 0.001\nstop = 0.0001\ncompound = 0.99\n",
    "warmup_linear": "initial_rate = 0.001\nwarmup_steps = 10\ntotal_steps = 100\n",
    "slanted_triangular": "max_rate = 0.001\nnum_steps = 100\n",
    "cyclic_triangular": "min_lr = 0.0001\nmax_lr = 0.001\nperiod = 10\n",
}

PLACES = [
    Place(
        _THINC,
        f"signature thinc/schedules.py {name}",
        "config.cfg",
        _OPTIMIZER.format("Adam", "") + _RATE.format(name, f"{needed}<KEYS>"),
    )
    for name, needed in _SCHEDULES.items()
] + [
    Place(
        _THINC,
        f"signature thinc/optimizers.py {name}",
        "config.cfg",
        _OPTIMIZER.format(name, "<KEYS>") + _RATE.format("constant", _SCHEDULES["constant"]),
        without="learn_rate ops",
    )
    for name in ("Adam", "RAdam", "SGD")
]
