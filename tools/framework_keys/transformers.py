"""transformers: the dataclass of its training arguments, and those of TRL that extend it."""

from framework_keys import Package, Place

_TEXT = """\
{learning_rate: 1e-3, lr_scheduler_type: cosine, warmup_steps: 10, max_steps: 100, <KEYS>}
"""
_TRL = ("sft", "dpo", "grpo", "kto", "reward", "rloo", "distillation")
_CLASSES = {"grpo": "GRPO", "dpo": "DPO", "sft": "SFT", "kto": "KTO", "rloo": "RLOO"}

_TRANSFORMERS = Package("transformers", "5.23.0")
_OPTIONS = """\
{{learning_rate: 1e-3, lr_scheduler_type: {}, warmup_steps: 10, max_steps: 100,
 lr_scheduler_kwargs: {{{}<KEYS>}}}}
"""
_SCHEDULES = {
    "cosine": "get_cosine_schedule_with_warmup",
    "cosine_with_restarts": "get_cosine_with_hard_restarts_schedule_with_warmup",
    "polynomial": "get_polynomial_decay_schedule_with_warmup",
    "inverse_sqrt": "get_inverse_sqrt_schedule",
    "cosine_with_min_lr": "get_cosine_with_min_lr_schedule_with_warmup",
    "cosine_warmup_with_min_lr": "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
    "warmup_stable_decay": "get_wsd_schedule",
}
_NEEDED = {
    "cosine_with_min_lr": "min_lr: 1.0e-5, ",
    "cosine_warmup_with_min_lr": "min_lr: 1.0e-5, ",
    "warmup_stable_decay": "num_decay_steps: 20, ",
}

PLACES = (
    [
        Place(
            _TRANSFORMERS,
            "fields transformers/training_args.py TrainingArguments;"
            "fields transformers/training_args_seq2seq.py Seq2SeqTrainingArguments",
            "arguments.yaml",
            _TEXT,
        )
    ]
    + [
        Place(
            Package("trl", "1.16.0"),
            f"fields trl/trainer/{name}_config.py {_CLASSES.get(name, name.title())}Config",
            "arguments.yaml",
            _TEXT,
        )
        for name in _TRL
    ]
    + [
        Place(
            _TRANSFORMERS,
            f"signature transformers/optimization.py {function}",
            "arguments.yaml",
            _OPTIONS.format(name, _NEEDED.get(name, "")),
            without="optimizer num_warmup_steps num_training_steps last_epoch",
        )
        for name, function in _SCHEDULES.items()
    ]
)
