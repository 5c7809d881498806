"""Keys that one form of a configuration spells otherwise than another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from olm.foreign.configs._config import Config
from olm.problem import Path, Place


def rename_keys(config: Config, renamed: Callable[[str], str]) -> None:
    """Give the keys at the top of a file other names, with their places.

    Args:
        config: the configuration, which changes.
        renamed: the new name of a key. Where two keys get one name, the later key counts.
    """
    source = config.source
    if not isinstance(source.value, Mapping):
        return
    value: dict[Any, Any] = {}
    former: dict[Any, Any] = {}
    for key, item in source.value.items():
        name = renamed(key) if isinstance(key, str) else key
        value[name], former[name] = item, key

    def place_of(path: Path, at_key: bool) -> Place:
        return source.place_of((former.get(path[0], path[0]), *path[1:]) if path else (), at_key)

    config.source = replace(source, value=value, place_of=place_of)


def underscored(name: str) -> str:
    """A name with underscores for hyphens: argparse takes both.

    >>> underscored("total-num-update")
    'total_num_update'
    """
    return name.replace("-", "_")
