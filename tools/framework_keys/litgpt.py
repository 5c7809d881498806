"""litgpt: the dataclass of its ``train`` arguments, for pretraining and for finetuning."""

from framework_keys import Package, Place

_LITGPT = Package("litgpt", "0.5.13")
_TEXT = """\
devices: 1
optimizer: {{class_path: torch.optim.AdamW, init_args: {{lr: 0.001}}}}
train: {{lr_warmup_steps: 10, {}<KEYS>}}
"""

_BATCH = "global_batch_size: 4, micro_batch_size: 1, "

PLACES = [
    Place(
        _LITGPT,
        "fields litgpt/args.py TrainArgs",
        "pretrain.yaml",
        _TEXT.format(f"{_BATCH}{needed}"),
    )
    for needed in (
        "min_lr: 6.0e-5, max_tokens: 32000, max_seq_length: 64, ",
        "max_tokens: null, epochs: 10, max_steps: 100, ",
    )
]
