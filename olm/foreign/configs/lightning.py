"""LightningCLI: classes with `class_path` and `init_args`."""

from __future__ import annotations

from olm.foreign.configs._class_names import Style
from olm.foreign.configs._config import Config, Keys, Translation
from olm.foreign.configs._formats import Format
from olm.foreign.configs._scheduler_calls import translated
from olm.foreign.configs._source import Source

STYLE = Style("class_path", "init_args", bare=True)


def translate(config: Config) -> Translation:
    """The schedule of the only scheduler, which moves once per epoch unless code says otherwise.

    Source: lightning 2.6, ``pytorch_lightning/cli.py``, ``configure_optimizers``, and
    ``pytorch_lightning/utilities/types.py``, ``LRSchedulerConfig``.
    """
    return translated(config, STYLE, interval="epoch")


def is_it(source: Source) -> bool:
    """Whether a file names a scheduler class by `class_path`."""
    return any(True for _ in STYLE.sites(source.value))


FORMAT = Format(
    title="LightningCLI",
    version="lightning 2.6, torch 2.13",
    marks="lr_scheduler.class_path",
    is_it=is_it,
    keys=Keys(of="LightningCLI", translated=frozenset({"class_path", "init_args"})),
    translate=translate,
)
