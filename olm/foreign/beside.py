"""The configuration beside a checkpoint: the file that describes the run, and its schedule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, TypeGuard

from olm.problem import SpecError, StateError, listed
from olm.text.source import MAX_BYTES

if TYPE_CHECKING:
    from olm.foreign.configs._importing import Imported

LOOKED_FOR = (
    "training_args.bin",
    "args.yaml",
    "torchtune_config.yaml",
    "config.yaml",
    "config.yml",
    "config.toml",
    "*.toml",
    "ds_config.json",
    "config.json",
    ".hydra/config.yaml",
    "*.py",
    "vis_data/config.py",
    "*/vis_data/config.py",
)
"""The names of configurations beside checkpoints, in the order in which they count."""

LEVELS = 3
"""The folders that are looked into: that of the checkpoint, and those around it."""

MOST_FILES = 20
"""The most files of a name that are looked into."""

LARGEST_LOG = 64 << 20
"""The most bytes of `trainer_state.json`, which has every metric of the run."""


def folders(checkpoint: FilePath) -> list[FilePath]:
    """The folders that may have the configuration of a checkpoint, the nearest first."""
    path = checkpoint.absolute()
    start = path if path.is_dir() else path.parent
    return [start, *start.parents][:LEVELS]


def configuration_of(
    checkpoint: FilePath, config: str | FilePath | None, options: Mapping[str, Any]
) -> Imported:
    """The configuration of a run as a spec: the named file, else the one beside a checkpoint.

    Args:
        checkpoint: the file or folder of the checkpoint.
        config: the configuration, if it is elsewhere.
        options: what it does not say, as for `import_config`.

    Raises:
        OSError: the named file cannot be read.
        SpecError: the configuration cannot be said exactly.
        StateError: there is none beside the checkpoint.
    """
    from olm.foreign.configs._importing import import_config

    known = {name: value for name, value in options.items() if value is not None}
    return import_config(config or file_beside(checkpoint), **known)


def file_beside(checkpoint: FilePath) -> FilePath:
    """The configuration beside a checkpoint, in the nearest folder that has one.

    Raises:
        StateError: there is none, or more than one of a name.
    """
    around = folders(checkpoint)
    for folder in around:
        for name in LOOKED_FOR:
            found = [file for file in _files(folder, name) if _is_configuration(file)]
            if len(found) > 1 and "/" not in name:
                files = listed([file.name for file in found], "and")
                raise StateError(f"{folder} has several configurations, {files}: name one")
            if found:
                # Runs that were resumed have a configuration each, in folders named by their time.
                return found[-1]
    places = listed(map(str, around), "or")
    raise StateError(f"there is no {listed(LOOKED_FOR, 'or')} of a known framework in {places}")


def _files(folder: FilePath, name: str) -> list[FilePath]:
    """The regular files of a name that are small enough for a configuration, in order."""
    try:
        found = sorted(folder.glob(name))[:MOST_FILES]
        return [file for file in found if file.is_file() and file.stat().st_size <= MAX_BYTES]
    except OSError:
        return []


def _is_configuration(file: FilePath) -> bool:
    """Whether a file is a configuration of a framework, also one that would be refused."""
    from olm.foreign.configs._formats import format_of
    from olm.foreign.configs._source import read_source

    try:
        format_of(read_source(file))
    except (OSError, SpecError):
        return False
    return True


def answers(checkpoint: FilePath, value: Any) -> dict[str, Any]:
    """What a checkpoint has about the run that its configuration may lack."""
    found: dict[str, Any] = {}
    trainer = trainer_state(checkpoint)
    if _is_count(trainer.get("max_steps")):
        found["total_steps"] = trainer["max_steps"]
    meta = value.get("meta") if isinstance(value, Mapping) else None
    # mmengine saves one of another name in the middle of an epoch.
    if isinstance(meta, Mapping) and checkpoint.stem == f"epoch_{meta.get('epoch')}":
        epochs, steps = meta["epoch"], meta.get("iter")
        if _is_count(epochs) and _is_count(steps) and steps % epochs == 0:
            found["steps_per_epoch"] = steps // epochs
    return found


def counters(checkpoint: FilePath, value: Any) -> Iterator[tuple[str, int]]:
    """The updates that a checkpoint counts besides the state of the scheduler, with their names."""
    step = trainer_state(checkpoint).get("global_step")
    # Where a GradScaler skips an update, the Trainer counts it and does not step the scheduler.
    if _is_step(step) and not any(
        (each / "scaler.pt").exists() for each in folders(checkpoint)[:1]
    ):
        yield "global_step in trainer_state.json", step
    if not isinstance(value, Mapping):
        return
    if _is_step(value.get("global_steps")) and _is_step(value.get("skipped_steps")):
        yield "global_steps - skipped_steps", value["global_steps"] - value["skipped_steps"]
    meta = value.get("meta")
    if isinstance(meta, Mapping) and "mmengine_version" in meta and _is_step(meta.get("iter")):
        yield "meta.iter", meta["iter"]


def trainer_state(checkpoint: FilePath) -> Mapping[str, Any]:
    """What transformers' Trainer writes beside the state of its scheduler; empty without it."""
    file = folders(checkpoint)[0] / "trainer_state.json"
    try:
        if not file.is_file() or file.stat().st_size > LARGEST_LOG:
            return {}
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_count(value: Any) -> TypeGuard[int]:
    return _is_step(value) and value > 0


def _is_step(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
