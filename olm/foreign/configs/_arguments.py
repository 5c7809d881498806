"""Options of a command line, and of the YAML that has the same ones, each under one name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from olm.foreign.configs._config import Config, names
from olm.foreign.configs._source import Source
from olm.problem import Path

LAUNCHERS = names(
    "command nproc_per_node nnodes node_rank master_addr master_port use_env standalone rdzv_id",
    "rdzv_backend rdzv_endpoint rdzv_conf max_restarts monitor_interval log_dir tee redirects",
    "local_rank rank world_size module no_python m u num_processes num_machines multi_gpu",
)
"""The options of torchrun and the like."""


def plain_name(option: str) -> str:
    """The name of an option without its hyphens.

    >>> plain_name("--lr-decay-style")
    'lr_decay_style'
    """
    return option.lstrip("-").replace("-", "_")


def take_arguments(
    config: Config,
    mapping: Mapping[str, Any],
    at: Path = (),
    *,
    short: Mapping[str, str] | None = None,
    several: frozenset[str] = frozenset(),
    flags: frozenset[str] = frozenset(),
) -> None:
    """Let a configuration have each option under its plain name.

    Args:
        config: the configuration, whose source is replaced.
        mapping: the options as they are written.
        at: where they are.
        short: other names → the names.
        several: the options that have several values; of others, what follows the first value is
            no part of the option.
        flags: the options that have no value.
    """
    source, written, values = config.source, dict[str, str](), dict[str, Any]()
    for key, value in mapping.items():
        name = plain_name(str(key))
        name = (short or {}).get(name, name)
        if source.form == "shell":
            value = _shaped(value, name in several, name in flags)
        written[name], values[name] = key, value

    def place_of(path: Path, at_key: bool) -> Any:
        key = (written.get(str(path[0]), path[0]), *path[1:]) if path else ()
        return source.place_of((*at, *key), at_key)

    config.source = Source(source.text, source.form, values, place_of)
    config.root = ()


def _shaped(value: Any, is_several: bool, is_flag: bool) -> Any:
    if is_flag:
        return True
    if is_several:
        return value if isinstance(value, list) else [value]
    return value[0] if isinstance(value, list) else value


def processes(config: Config) -> int | None:
    """The number of processes: an option of the user, or what the launcher is given."""
    if (given := config.option("world_size")) is not None:
        return int(given)
    script = re.search(r"distributed_train\.sh (\d+)", str(config.peek("command", default="")))
    if script:
        return int(script[1])
    if "accelerate launch" in str(config.peek("command", default="")):
        # accelerate counts the processes of all machines.
        return int(n) if (n := config.whole("num_processes", default=None)) else None
    if config.has("nproc_per_node") and str(config.peek("nproc_per_node")).isdigit():
        nodes = config.whole("nnodes", default=1)
        return int(config.whole("nproc_per_node")) * int(nodes)
    return None
