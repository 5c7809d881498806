"""The arguments that transformers' Trainer saves with torch: `training_args.bin`."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from olm.foreign.configs._config import names
from olm.foreign.configs._source import Source
from olm.foreign.inert_pickle import StandIn, inert_values, plain
from olm.problem import Path, Place, Problem, SpecError, StateError
from olm.text.source import MAX_BYTES, Text

OF_THE_PROCESS = names(
    "distributed_state deepspeed_plugin hf_deepspeed_config fsdp_plugin_args mixed_precision",
    "xla_fsdp_config xla_fsdp_v2",
)
"""Attributes of the arguments that are no arguments."""

_MEMBERS = {"reduce_on_plateau": "reduce_lr_on_plateau"}
"""The name of a member → its value, where they differ by more than the case."""


def read(data: str | bytes, name: str) -> Source:
    """The arguments in a file of transformers' Trainer. Nothing in it is imported or run.

    Raises:
        SpecError: it is another file, or is damaged.
    """
    place = Place(name, 1, 1, 1)
    if len(data) > MAX_BYTES:
        text = f"a configuration must have at most {MAX_BYTES:,} bytes"
        raise SpecError([Problem("size", text, place=place)])
    try:
        root = inert_values(BytesIO(data if isinstance(data, bytes) else data.encode()))
    except StateError as error:
        raise SpecError([Problem("unknown-format", str(error), place=place)]) from None
    if not isinstance(root, StandIn) or not root.fields:
        text = "this is no object that transformers' Trainer saved"
        raise SpecError([Problem("unknown-format", text, place=place)])

    def place_of(path: Path, at_key: bool) -> Place:
        return place

    return Source(Text(name, ""), "pickle", _arguments(root), place_of)


def _arguments(root: StandIn) -> dict[str, Any]:
    """The arguments by their names."""
    values = {
        str(key): plain(value)
        for key, value in root.fields.items()
        if not str(key).startswith("_") and key not in OF_THE_PROCESS
    }
    name = values.get("lr_scheduler_type")
    return {**values, "lr_scheduler_type": _MEMBERS.get(str(name), name)}
