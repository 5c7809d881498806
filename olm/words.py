"""Other frameworks' words for what a field says, so that a message can translate them."""

from __future__ import annotations

from collections.abc import Iterable

from olm.problem import nearest

FOREIGN: dict[str, tuple[str, tuple[str, ...]]] = {
    "T_max": ("torch", ("total_steps", "total_iters")),
    "eta_min": ("torch", ("min_lr", "end_lr")),
    "total_iters": ("torch", ("total_steps", "T_max", "warmup_steps")),
    "max_iters": ("mmengine", ("total_steps", "T_max", "total_iters")),
    "num_warmup_steps": ("transformers", ("warmup_steps",)),
    "num_training_steps": ("transformers", ("total_steps", "T_max", "total_iters")),
    "num_steps": ("mmengine", ("total_steps", "T_max", "total_iters")),
    "lr_end": ("transformers", ("end_lr", "min_lr", "eta_min")),
    "lr_min": ("timm", ("min_lr", "eta_min", "end_lr")),
    "t_initial": ("timm", ("total_steps", "T_max", "total_iters")),
    "warmup_t": ("timm", ("warmup_steps",)),
    "warmup_lr_init": ("timm", ("start_lr",)),
    "t_warmup": ("Composer", ("warmup_steps",)),
    "t_max": ("Composer", ("total_steps", "T_max", "total_iters")),
    "alpha_f": ("Composer", ("min_lr", "end_lr", "eta_min")),
    "lr_warmup_iters": ("Megatron", ("warmup_steps",)),
    "lr_warmup_init": ("Megatron", ("start_lr",)),
    "lr_decay_iters": ("Megatron", ("total_steps", "T_max", "total_iters")),
    "lr_decay_style": ("Megatron", ("kind",)),
    "warmup_num_steps": ("DeepSpeed", ("warmup_steps",)),
    "warmup_min_lr": ("DeepSpeed", ("start_lr",)),
    "total_num_steps": ("DeepSpeed", ("total_steps", "T_max", "total_iters")),
    "transition_steps": ("optax", ("total_steps", "total_iters")),
    "decay_steps": ("optax", ("total_steps", "T_max", "total_iters")),
    "init_value": ("optax", ("start_lr", "start_factor")),
    "end_value": ("optax", ("end_lr", "min_lr", "eta_min")),
    "warmup_ratio": ("transformers", ("warmup_steps",)),
    "max_steps": ("Lightning", ("total_steps", "T_max", "total_iters")),
}
"""The word → who says it, and what the fields of our kinds are called that may say the same."""

SHARES = {
    "warmup_ratio": ("a share of the run", "a number of steps"),
    "alpha_f": ("a share of the base rate", "a rate"),
}
"""The foreign words whose numbers are something else than ours → what theirs are, and ours."""


def meaning(word: str, fields: Iterable[str]) -> str:
    """What a key that a kind does not have was likely meant to be.

    >>> meaning("num_warmup_steps", ["warmup_steps", "total_steps"])
    'did you mean `warmup_steps`? transformers calls it num_warmup_steps'
    >>> meaning("warmup_step", ["warmup_steps", "total_steps"])
    'did you mean `warmup_steps`?'
    """
    ours = meant(word, fields)
    if ours is None:
        return f"its fields are {', '.join(name for name in fields if name != 'kind')}"
    framework, names = FOREIGN.get(word, ("", ()))
    if ours not in names:
        return f"did you mean `{ours}`?"
    if word in SHARES:
        theirs, what = SHARES[word]
        return f"did you mean `{ours}`? It is {what}; {framework} has {theirs} there"
    return f"did you mean `{ours}`? {framework} calls it {word}"


def meant(word: str, fields: Iterable[str]) -> str | None:
    """The field that a key was likely meant to be: in another framework's word, or misspelt."""
    fields = list(fields)
    _, ours = FOREIGN.get(word, ("", ()))
    translated = next((name for name in ours if name in fields), None)
    return translated or nearest(word, fields)
