"""How the files of LightningCLI and of Hydra name scheduler classes and their arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from olm.foreign.configs._config import Config
from olm.foreign.configs._torch_classes import CLASSES
from olm.problem import Path

TORCH = (
    "torch.optim.lr_scheduler",
    "torch.optim",
    "lightning.pytorch.cli",
    "pytorch_lightning.cli",
)
"""The modules that have torch's classes."""

OLM = "olm.train.schedulers"
"""The module of olm's own classes, whose arguments are the spec."""


@dataclass(frozen=True)
class Style:
    """How the files of a framework name a class and its arguments."""

    key: str
    """The key of the name: ``class_path`` or ``_target_``."""
    arguments: str = ""
    """The key of the arguments, if they are not beside the name."""
    bare: bool = False
    """Whether a class may be named without its module."""

    def is_scheduler(self, name: Any) -> bool:
        """Whether a name is that of a scheduler class of torch or olm."""
        if not isinstance(name, str):
            return False
        module, _, bare = name.rpartition(".")
        if module.startswith(OLM) or name == "olm.build" or module == TORCH[0]:
            return True
        return bare in CLASSES and (module in TORCH or (self.bare and not module))

    def call(self, config: Config, site: Path) -> tuple[str, Path]:
        """The full name of a class, and where its arguments are."""
        name = config.text(*site, self.key)
        return name, (*site, self.arguments) if self.arguments else site

    def child(self, config: Config, site: Path) -> tuple[str, Path]:
        """The name of a class of torch, and where its arguments are.

        Raises:
            Refusal: it is no class of torch.
        """
        name, path = self.call(config, site)
        module, _, bare = name.rpartition(".")
        if module in TORCH or (self.bare and not module):
            return bare, path
        text = f"`{name}` is no class of torch: only its code could tell the rates"
        raise config.refusal("needs-code", text, (*site, self.key))

    def sites(self, value: Any, path: Path = ()) -> Iterator[Path]:
        """Where schedulers are named, but not those inside others."""
        if isinstance(value, Mapping):
            name = value.get(self.key)
            by_key = bool(path) and path[-1] == "lr_scheduler" and isinstance(name, str)
            if self.is_scheduler(name) or (by_key and bool(self.arguments)):
                yield path
                return
            for key, item in value.items():
                yield from self.sites(item, (*path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.sites(item, (*path, index))
