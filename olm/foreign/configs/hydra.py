"""Hydra: classes with `_target_`, their arguments beside it."""

from __future__ import annotations

from olm.foreign.configs._class_names import Style
from olm.foreign.configs._config import Config, Keys, Translation
from olm.foreign.configs._formats import Format
from olm.foreign.configs._scheduler_calls import translated
from olm.foreign.configs._source import Source

STYLE = Style("_target_")


def translate(config: Config) -> Translation:
    """The schedule of the only scheduler of the file."""
    return translated(config, STYLE)


def is_it(source: Source) -> bool:
    """Whether a file names a scheduler class of torch or olm by `_target_`."""
    return any(True for _ in STYLE.sites(source.value))


FORMAT = Format(
    title="Hydra",
    version="hydra 1.3, torch 2.13",
    marks="_target_: torch.optim.lr_scheduler.",
    is_it=is_it,
    keys=Keys(of="Hydra", translated=frozenset({"_target_"})),
    translate=translate,
)
