"""mmengine: the parameters of its schedulers, its training loops and its optimizer wrappers."""

from framework_keys import Package, Place

_MMENGINE = Package("mmengine", "0.10.7")
_TEXT = """\
optim_wrapper = dict({}optimizer=dict(type='SGD', lr=0.1))
train_cfg = dict({}max_iters=100)
param_scheduler = [dict({}by_epoch=False)]
"""
_LOOP = "type='IterBasedTrainLoop', "
_CONSTANT = "type='ConstantLR', factor=0.5, "
_NEEDED = {
    "Constant": "",
    "CosineAnnealing": "T_max=100, ",
    "CosineRestart": "periods=[50, 50], restart_weights=[1, 1], eta_min=0.0, ",
    "Exponential": "gamma=0.99, ",
    "Linear": "",
    "MultiStep": "milestones=[30, 60], ",
    "OneCycle": "eta_max=0.1, total_steps=100, ",
    "Poly": "",
    "Step": "step_size=10, ",
    "ReduceOnPlateau": "",
}

PLACES = [
    Place(
        _MMENGINE,
        f"signature mmengine/optim/scheduler/param_scheduler.py {name}ParamScheduler",
        "config.py",
        _TEXT.format("", _LOOP, f"<KEYS>type='{name}LR', {needed}"),
        without="optimizer param_name",
    )
    for name, needed in _NEEDED.items()
] + [
    Place(
        _MMENGINE,
        "signature mmengine/runner/loops.py IterBasedTrainLoop",
        "config.py",
        _TEXT.format("", "<KEYS>" + _LOOP, _CONSTANT),
        without="runner dataloader",
    ),
    Place(
        _MMENGINE,
        "signature mmengine/optim/optimizer/optimizer_wrapper.py OptimWrapper;"
        "signature mmengine/optim/optimizer/amp_optimizer_wrapper.py AmpOptimWrapper",
        "config.py",
        _TEXT.format("<KEYS>", _LOOP, _CONSTANT),
    ),
]
