"""Checkpoints of many trainers: the states of schedulers that are in them, and what they say."""

from __future__ import annotations

import io
import json
import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import EnumMeta
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import Any

import torch

from olm.foreign.states import Seen, check_rates, read, writer_of
from olm.problem import Path, StateError, clipped
from olm.schedule.schedule import Schedule
from olm.spec.agreement import agreed
from olm.spec.digest import digest
from olm.spec.spec import Spec, parse

LEVELS = 8
"""How deep in a checkpoint a state may stand."""

OURS = "olm"
"""The writer of our own states."""

_WRITABLE = frozenset({"kind", "digest"})
_FILES = re.compile(r"(.*_)?(lr_)?scheduler([_-]?\d+)?\.(pt|pth|bin|ckpt|json|ya?ml)")
_GLOBAL = re.compile(r"GLOBAL ([\w.]+)|Can only build Tensor, .*: ([\w.]+)")


@dataclass(frozen=True)
class Found:
    """A scheduler's state in a checkpoint."""

    path: Path
    """The keys and indices that lead to it."""
    state: Mapping[str, Any]
    groups: Sequence[Mapping[str, Any]] = ()
    """The param groups of the optimizer's state beside it."""

    @property
    def writer(self) -> str | None:
        """Whose state it is; None if that is not known."""
        return OURS if _WRITABLE & set(self.state) else writer_of(self.state)


def states_of(value: Any) -> list[Found]:
    """The states of schedulers anywhere in a checkpoint.

    >>> [one] = states_of({"epoch": 1, "sched": [{"gamma": 0.9, "base_lrs": [1], "last_epoch": 3}]})
    >>> one.path, one.writer
    (('sched', 0), "torch's ExponentialLR")
    """
    groups = list(_param_groups(value, LEVELS))
    beside = groups[0] if len(groups) == 1 else ()
    return [replace(one, groups=beside) for one in _states_of(value, ())]


def spec_of(one: Found, schedule: Schedule | None = None) -> Spec:
    """What a state says, as a state of ours.

    Args:
        one: the state.
        schedule: the schedule of which it is to be. Without it the state must say that itself.

    Raises:
        SpecError: it is one of ours, and not valid.
        StateError: it is of another schedule, of no class that is known, or does not say enough.
    """
    if one.writer == OURS:
        spec = parse(one.state)
        if spec.last_epoch is None or spec.base_lrs is None:
            raise StateError("this is a spec, not a state")
    else:
        spec = _of_another(one, schedule)
    return agreed(spec, Spec(schedule=schedule), spec.base_lrs or (), "error") if schedule else spec


def _of_another(one: Found, schedule: Schedule | None) -> Spec:
    old = read(one.state, Seen(schedule, groups=one.groups))
    if old is None:
        raise StateError("this is the state of a scheduler of no class that is known")
    if old.schedule is None and schedule is None:
        raise StateError(
            f"{old.writer} does not save the schedule, which is code: a spec must say it; it "
            f"stands at step {old.last_epoch}"
        )
    document = schedule if old.schedule is None else parse(old.schedule).schedule
    assert document is not None
    bases = old.base_lrs or _uncounted(one.state)
    check_rates(one.state, old, document, bases)
    position = {"last_epoch": old.last_epoch, "base_lrs": list(bases), "digest": digest(document)}
    return parse(document.model_dump(mode="json") | position)


def _uncounted(state: Mapping[str, Any]) -> tuple[float, ...]:
    """The base rates that a cycle of torch's has, and that count for nothing here."""
    while "base_lrs" not in state:
        state = state["_schedulers"][0]
    return tuple(map(float, state["base_lrs"]))


def _states_of(value: Any, path: Path) -> Iterator[Found]:
    if isinstance(value, str) and value.startswith("{") and '"last_epoch"' in value:
        value = _from_json(value)
    if isinstance(value, Mapping) and _is_state(value):
        yield Found(path, value)
    elif len(path) < LEVELS:
        for key, inner in _items(value):
            yield from _states_of(inner, (*path, key))


def _is_state(value: Mapping[Any, Any]) -> bool:
    if not all(isinstance(key, str) for key in value):
        return False
    return "last_epoch" in value or set(value) >= _WRITABLE or writer_of(value) is not None


def _items(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        yield from ((key if isinstance(key, int) else str(key), it) for key, it in value.items())
    elif isinstance(value, list | tuple) and not (value and isinstance(value[0], int | float)):
        yield from enumerate(value)


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _param_groups(value: Any, levels: int) -> Iterator[Sequence[Mapping[str, Any]]]:
    groups = value.get("param_groups") if isinstance(value, Mapping) else None
    if isinstance(groups, list) and all(isinstance(group, Mapping) for group in groups):
        yield groups
    elif levels:
        for _, inner in _items(value):
            yield from _param_groups(inner, levels - 1)


def files_of(folder: FilePath) -> list[FilePath]:
    """What to read of a checkpoint that is a folder: files of schedulers, or the folder itself."""
    if (folder / ".metadata").is_file():
        return [folder]
    return sorted(path for path in folder.iterdir() if _FILES.fullmatch(path.name))


def load(path: FilePath) -> Any:
    """A file that torch saved, or a folder of torch's distributed checkpoints, without its tensors.

    No code that is in it is run.

    Raises:
        OSError: it cannot be read.
        StateError: it is damaged, or there is code in it.
    """
    if path.is_dir():
        return _distributed(path)
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"PK"
        # Without reading the tensors of a large model, where the format allows it.
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        raise _unreadable(error) from None
    except (RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise StateError(f"this is not what torch saves, or is damaged: {_short(error)}") from None


def _unreadable(error: Exception) -> StateError:
    match = _GLOBAL.search(str(error))
    if not match:
        return StateError(f"this is not what torch saves, or is damaged: {_short(error)}")
    name = match[1] or match[2]
    return StateError(
        f"there is pickled code in it, `{clipped(name)}`, which is not run: save the state_dict() "
        "of the scheduler, and with plain values"
    )


def _short(error: Exception) -> str:
    return clipped(str(error).partition("\n")[0]) or type(error).__name__


def _distributed(folder: FilePath) -> dict[str, Any]:
    """What of a distributed checkpoint is no tensor, as the nested values that were saved."""
    try:
        with (folder / ".metadata").open("rb") as file:
            metadata = _Metadata(file).load()
        tree: dict[Any, Any] = {}
        for index, place in metadata.storage_data.items():
            kind = type(metadata.state_dict_metadata[index.fqn]).__name__
            keys = (metadata.planner_data or {}).get(index.fqn, (index.fqn,))
            if kind == "BytesStorageMetadata" and "optimizer" not in str(keys[0]):
                inner = tree
                for key in keys[:-1]:
                    inner = inner.setdefault(key, {})
                inner[keys[-1]] = _leaf(folder, place)
    except (pickle.UnpicklingError, EOFError, LookupError, TypeError, AttributeError) as error:
        raise _unreadable(error) from None
    return {key: _with_lists(inner) for key, inner in tree.items()}


def _with_lists(tree: Any) -> Any:
    """The nested values with lists where keys are numbers; those of mappings are saved as text."""
    if not isinstance(tree, dict):
        return tree
    inner = {key: _with_lists(it) for key, it in tree.items()}
    if inner and all(isinstance(key, int) for key in inner):
        return [inner[index] for index in sorted(inner)]
    return inner


def _leaf(folder: FilePath, place: Any) -> Any:
    path = folder / place.relative_path
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StateError(f"its part {clipped(str(place.relative_path))} is outside of the folder")
    with path.open("rb") as file:
        file.seek(place.offset)
        data = file.read(place.length)
    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        # Something else than a scheduler: its code is not run, and it is not shown.
        return None


class _Metadata(pickle.Unpickler):
    """Reads the list of contents of a distributed checkpoint, and builds nothing else."""

    ALLOWED = {
        "torch.distributed.checkpoint.metadata": (
            "Metadata",
            "MetadataIndex",
            "BytesStorageMetadata",
            "TensorStorageMetadata",
            "ChunkStorageMetadata",
            "TensorProperties",
            "StorageMeta",
            "_MEM_FORMAT_ENCODING",
        ),
        "torch.distributed.checkpoint.filesystem": ("_StorageInfo",),
        "torch.serialization": ("_get_layout",),
        "torch": ("Size", "device"),
        "collections": ("OrderedDict",),
    }

    def find_class(self, module: str, name: str) -> Any:
        if module in ("pathlib", "pathlib._local"):
            # Where it was saved. A path of another system cannot be one of this system's.
            return PurePosixPath
        if (module, name) == ("builtins", "getattr"):
            # How some versions of Python save a member of an enumeration.
            return _member
        allowed = name in self.ALLOWED.get(module, ())
        if allowed or (module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"GLOBAL {module}.{name}")


__all__ = ["Found", "files_of", "load", "spec_of", "states_of"]


def _member(kind: Any, name: str) -> Any:
    """A member of an enumeration, which is all that `getattr` may be asked for."""
    if isinstance(kind, EnumMeta):
        return kind[name]
    raise pickle.UnpicklingError("GLOBAL builtins.getattr")
