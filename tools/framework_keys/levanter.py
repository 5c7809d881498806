"""levanter: the dataclasses of its optimizers and schedules."""

from framework_keys import Package, Place

_LEVANTER = Package("levanter", "1.2.dev1644")
_BASE = "fields levanter/optim/config.py OptimizerConfig"
_OPTIMIZERS = {
    "adam": f"{_BASE} AdamConfig",
    "lion": f"{_BASE} LionConfig",
    "adopt": f"{_BASE};fields levanter/optim/adopt.py AdoptConfig",
    "cautious": f"{_BASE};fields levanter/optim/cautious.py CautiousConfig",
    "mini": f"{_BASE};fields levanter/optim/adam_mini.py MiniConfig",
    "mars": f"{_BASE};fields levanter/optim/mars.py MarsConfig",
    "muon": f"{_BASE};fields levanter/optim/muon.py MuonConfig",
    "rmsprop": f"{_BASE};fields levanter/optim/rmsprop.py RMSPropMomentumConfig",
    "scion": f"{_BASE};fields levanter/optim/scion.py ScionConfig",
    "soap": f"{_BASE};fields levanter/optim/soap.py SoapConfig",
    "kron": f"{_BASE};fields levanter/optim/kron.py KronConfig",
}

PLACES = [
    Place(
        _LEVANTER,
        code,
        "config.yaml",
        "{trainer: {num_train_steps: 100}, "
        f"optimizer: {{type: {name}, lr_schedule: cosine, <KEYS>}}}}",
    )
    for name, code in _OPTIMIZERS.items()
]
