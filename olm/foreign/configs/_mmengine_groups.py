"""The param groups of mmengine's `paramwise_cfg`, with their rates and weight decays."""

from __future__ import annotations

from collections.abc import Iterator

from olm.foreign.configs._config import Config, Keys, names
from olm.foreign.configs._groups import REST, Group
from olm.problem import Path, found

AT: Path = ("optim_wrapper", "paramwise_cfg")
CONSTRUCTOR: Path = ("optim_wrapper", "constructor")

RULES = (
    ("biases", "biases, without those of norms", "bias_lr_mult", "bias_decay_mult"),
    ("offsets", "offsets of deformable convolutions", "dcn_offset_lr_mult", ""),
    ("norms", "those of norms", "", "norm_decay_mult"),
    ("depthwise", "those of depth-wise convolutions", "", "dwconv_decay_mult"),
    ("flat", "the others with one dimension", "", "flat_decay_mult"),
)
"""The groups by kinds of parameters, with the keys that multiply the rate and the weight decay."""

KEYS = Keys(
    of="mmengine's paramwise_cfg",
    translated=names("custom_keys", *(f"{rule[2]} {rule[3]}" for rule in RULES)),
    harmless=names("bypass_duplicate"),
)
CUSTOM = Keys("a key of custom_keys", names("lr_mult decay_mult"))


def groups_of(config: Config, lr: float, decay: float | None) -> list[Group]:
    """The param groups that ``DefaultOptimWrapperConstructor`` makes, by their rules.

    Source: mmengine 0.10.7, ``optim/optimizer/default_constructor.py``.

    Args:
        config: the configuration.
        lr: the base rate of the optimizer.
        decay: its weight decay.

    Raises:
        Refusal: a rule is not known.
    """
    if not config.has(*AT):
        return []
    if config.has(*CONSTRUCTOR):
        name = config.text(*CONSTRUCTOR)
        if name != "DefaultOptimWrapperConstructor":
            config.note(f"the param groups that {name} makes of paramwise_cfg")
            return []
    config.check_keys(KEYS, *AT)
    groups = [*_custom(config, lr, decay), *_by_kind(config, lr, decay)]
    return [Group(REST, "the other parameters"), *groups] if groups else []


def _custom(config: Config, lr: float, decay: float | None) -> Iterator[Group]:
    """The groups of `custom_keys`, of which the longest one that a name contains counts."""
    keys = config.peek(*AT, "custom_keys", default={})
    if not isinstance(keys, dict):
        text = f"`custom_keys` must be a mapping, found {found(keys)}"
        raise config.refusal("type", text, (*AT, "custom_keys"))
    for key in sorted(sorted(map(str, keys)), key=len, reverse=True):
        path = (*AT, "custom_keys", key)
        config.check_keys(CUSTOM, *path)
        which = f"those whose name contains {key}"
        yield Group(key.lstrip("#"), which, path, *_numbers(config, path, lr, decay))


def _by_kind(config: Config, lr: float, decay: float | None) -> Iterator[Group]:
    """The groups of parameters of a kind."""
    for name, which, rate, weight in RULES:
        used = [key for key in (rate, weight) if key and config.has(*AT, key)]
        if used:
            numbers = _numbers(config, AT, lr, decay, rate, weight)
            yield Group(name, which, (*AT, used[0]), *numbers)


def _numbers(
    config: Config,
    path: Path,
    lr: float,
    decay: float | None,
    rate: str = "lr_mult",
    weight: str = "decay_mult",
) -> tuple[float | None, float | None]:
    """The rate and the weight decay of a group, where they differ from those of the optimizer."""
    by = config.number(*path, rate, default=None) if rate else None
    times = config.number(*path, weight, default=None) if weight else None
    if times is not None and decay is None:
        text = f"`{weight}` needs the weight decay of the optimizer, which the file does not have"
        raise config.refusal("needs-key", text, (*path, weight))
    own = None if times is None or decay is None else decay * times
    return None if by in (None, 1) else lr * by, own
