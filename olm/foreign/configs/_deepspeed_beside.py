"""A DeepSpeed configuration that another configuration names, or has inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path as FilePath

from olm.foreign.configs._config import Config
from olm.foreign.configs._source import data_of
from olm.problem import SpecError


def check_deepspeed(config: Config) -> None:
    """Refuse a DeepSpeed configuration with a schedule of its own, which replaces this one."""
    named = config.peek("deepspeed")
    if isinstance(named, str):
        file = FilePath(config.source.file).parent / named
        try:
            named = json.loads(data_of(file)) if file.is_file() else None
        except (OSError, SpecError, ValueError, RecursionError):
            named = None
        if named is None:
            config.note("a schedule of the DeepSpeed configuration would replace this one")
    if isinstance(named, Mapping) and "scheduler" in named:
        text = "the DeepSpeed configuration has a schedule of its own, which replaces this one"
        raise config.refusal("unsupported-key", text, ("deepspeed",), hint="import that file")
