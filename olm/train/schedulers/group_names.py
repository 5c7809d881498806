"""The names of an optimizer's param groups, also after it has loaded a state."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from torch.optim import Optimizer

from olm.spec.param_groups import full_names, names_in_words
from olm.train.schedulers.groups import Group

_log = logging.getLogger("olm")


class Outdated(list[Group]):
    """Param groups that are compared with none, since their names may have changed."""

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None


def restore_names(known: Sequence[Group], groups: Sequence[Group]) -> None:
    """Name the groups of a loaded state as before, if it is from before they had names."""
    unnamed = [
        (group, old["name"])
        for old, group in zip(known, groups, strict=False)
        if "name" in old and "name" not in group
    ]
    for group, name in unnamed:
        group["name"] = name
    if unnamed:
        names = names_in_words(name for _, name in unnamed)
        _log.warning("the optimizer's state has no names of param groups: they are %s", names)


def names_of(optimizer: Optimizer, document: Sequence[str] = ()) -> list[str]:
    """The names of an optimizer's param groups; see `olm.spec.param_groups.full_names`."""
    several: Callable[[], list[str]] | None = getattr(optimizer, "group_names", None)
    if several is not None:
        return several()
    return full_names([group.get("name") for group in optimizer.param_groups], document)
