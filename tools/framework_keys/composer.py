"""Composer: the parameters of the schedulers of llm-foundry's names."""

from framework_keys import Package, Place

_COMPOSER, _FOUNDRY = Package("mosaicml", "0.32.1"), Package("llm-foundry", "0.22.0")
_TEXT = """\
{{max_duration: 100ba, optimizer: {{name: sgd, lr: 0.1}},
 scheduler: {{name: {}, t_warmup: 10ba, {}<KEYS>}}}}
"""
_NAMES = {
    "cosine_with_warmup": "CosineAnnealingWithWarmupScheduler",
    "linear_decay_with_warmup": "LinearWithWarmupScheduler",
    "constant_with_warmup": "ConstantWithWarmupScheduler",
}

PLACES = [
    Place(_COMPOSER, f"signature composer/optim/scheduler.py {found}", "run.yaml",
          _TEXT.format(name, ""))
    for name, found in _NAMES.items()
] + [
    Place(
        _FOUNDRY,
        "signature llmfoundry/optim/scheduler.py InverseSquareRootWithWarmupScheduler",
        "run.yaml",
        _TEXT.format("inv_sqrt_with_warmup", "t_scale: 10ba, t_cooldown: 10ba, "),
    )
]  # fmt: skip
