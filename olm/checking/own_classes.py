"""olm's own classes in a configuration of LightningCLI or Hydra: where their arguments are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from olm.problem import Path

CLASS_KEYS = {"class_path": "init_args", "_target_": ""}
"""The key that names a class → the key of its arguments, which is empty if they are beside it."""

BUILDERS = ("olm.build", "olm.train.build", "olm.train.schedulers.build")
"""The functions that take a spec."""

SCHEDULERS = "olm.train.schedulers."
"""What the name of a scheduler class begins with; the rest is its kind."""

BESIDE = {"optimizer", "last_epoch"}
"""The arguments of a scheduler class that are no fields of its kind."""

DEEPEST = 20
"""How many levels of a configuration are searched."""


@dataclass(frozen=True)
class Call:
    """A scheduler class of olm, or `olm.build`, in a configuration."""

    class_at: Path
    """The place of the name of the class."""
    name: str
    """The name of the class, as the configuration has it."""
    at: Path
    """The place of the arguments; of `olm.build`, that of the spec."""

    @property
    def kind(self) -> str | None:
        """The kind of the class; None for `olm.build`."""
        return None if self.name in BUILDERS else self.name.removeprefix(SCHEDULERS)


def calls(value: Any, at: Path = ()) -> Iterator[Call]:
    """The classes of olm in a configuration, in its order.

    >>> [*calls({"lr": {"class_path": "olm.train.schedulers.StepLR", "init_args": {}}})]
    ... # doctest: +NORMALIZE_WHITESPACE
    [Call(class_at=('lr', 'class_path'), name='olm.train.schedulers.StepLR',
          at=('lr', 'init_args'))]
    """
    if len(at) > DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, arguments in CLASS_KEYS.items():
            name = value.get(key)
            if not isinstance(name, str) or not (name in BUILDERS or name.startswith(SCHEDULERS)):
                continue
            inside = (*at, *filter(None, [arguments]))
            yield Call((*at, key), name, (*inside, "spec") if name in BUILDERS else inside)
            return
        for key, item in value.items():
            yield from calls(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from calls(item, (*at, index))


def fields(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a kind among the arguments of its class, without Hydra's own keys.

    >>> fields({"_target_": "olm.train.schedulers.StepLR", "_partial_": True, "step_size": 9})
    {'step_size': 9}
    """
    hydra = {"_target_", "_partial_", "_convert_", "_recursive_", "_args_"}
    return {key: value for key, value in arguments.items() if key not in hydra | BESIDE}
