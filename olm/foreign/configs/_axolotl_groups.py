"""The param groups of axolotl's optimizer, with their rates."""

from __future__ import annotations

from collections.abc import Iterator

from olm.foreign.configs._config import Config, Keys, names
from olm.foreign.configs._groups import Group, own_rate
from olm.problem import found, listed

GROUP = Keys("a group of lr_groups", names("name modules lr"))


def groups_of(config: Config, lr: float) -> list[Group]:
    """The param groups, if the file has a key of one.

    Source: axolotl 0.19.0, ``core/trainers/mixins/optimizer.py``,
    ``create_optimizer_grouped_parameters``.

    Raises:
        Refusal: a group is incomplete.
    """
    scale = config.number("embedding_lr_scale", default=None)
    own = config.number("embedding_lr", default=None)
    parts = [*_of_modules(config)]
    if not (scale or own or parts):
        return []
    if scale:
        embeddings = Group("embeddings", EMBEDDINGS, ("embedding_lr_scale",), lr * scale, 0.0)
    else:
        embeddings = Group("embeddings", EMBEDDINGS, ("embedding_lr",) if own else (), own, 0.0)
    return [
        Group("decay", "the other parameters"),
        embeddings,
        Group("no_decay", "the other biases and norms", (), None, 0.0),
        *parts,
    ]


EMBEDDINGS = "those whose name contains embed_tokens or lm_head"


def _of_modules(config: Config) -> Iterator[Group]:
    """The groups of `lr_groups`."""
    value = config.peek("lr_groups")
    if value is not None and not isinstance(value, list):
        text = f"`lr_groups` must be a list of groups, found {found(value)}"
        raise config.refusal("type", text, ("lr_groups",))
    for index, _ in enumerate(value or []):
        path = ("lr_groups", index)
        config.check_keys(GROUP, *path)
        modules = config.get(*path, "modules")
        if not isinstance(modules, list) or not all(isinstance(each, str) for each in modules):
            text = f"`modules` must be a list of names, found {found(modules)}"
            raise config.refusal("type", text, (*path, "modules"))
        which = f"those with weight decay whose name contains {listed(modules, 'or')}"
        yield Group(config.text(*path, "name"), which, path, own_rate(config, *path, "lr"))
