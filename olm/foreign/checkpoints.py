"""Checkpoints of many trainers: the states of schedulers that are in them, and what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from olm.foreign.states import Seen, check_rates, read, writer_of
from olm.problem import Path, StateError
from olm.schedule.schedule import Schedule
from olm.spec.agreement import agreed
from olm.spec.digest import digest
from olm.spec.group_scales import scales
from olm.spec.spec import Spec, parse

LEVELS = 8
"""How deep in a checkpoint a state may be."""

OURS = "olm"
"""The writer of our own states."""

_WRITABLE = frozenset({"kind", "digest"})
_FILES = re.compile(
    r"(.*_)?(lr_)?scheduler([_-]?\d+)?\.(pt|pth|bin|ckpt|json|ya?ml)|mp_rank_00_model_states\.pt"
)


class UnsaidSchedule(StateError):
    """A state has the step of a schedule that is code, and does not have the schedule."""


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


def is_ours(value: Mapping[Any, Any]) -> bool:
    """Whether a mapping has the keys that only our own states have."""
    return set(value) >= _WRITABLE


def has_step(value: Mapping[Any, Any]) -> bool:
    """Whether a mapping has the step that was taken last, as nearly all states have."""
    return "last_epoch" in value


def is_state(value: Mapping[Any, Any]) -> bool:
    """Whether a mapping has the keys of a scheduler's state, whoever wrote it."""
    if not all(isinstance(key, str) for key in value):
        return False
    return has_step(value) or is_ours(value) or writer_of(value) is not None


def states_of(value: Any, wanted: Callable[[Mapping[Any, Any]], bool] = is_state) -> list[Found]:
    """The states of schedulers anywhere in a checkpoint, also those that are a leaf of JSON text.

    >>> [one] = states_of({"epoch": 1, "sched": [{"gamma": 0.9, "base_lrs": [1], "last_epoch": 3}]})
    >>> one.path, one.writer
    (('sched', 0), "torch's ExponentialLR")

    Args:
        value: what is in the checkpoint.
        wanted: which mappings are states. There is no look into one that is.
    """
    beside = param_groups(value)
    return [replace(one, groups=beside) for one in _states_of(value, wanted, (), {})]


def param_groups(value: Any) -> Sequence[Mapping[str, Any]]:
    """The param groups of the only optimizer's state in a checkpoint; empty if there are others."""
    groups = list(_param_groups(value, LEVELS, {}))
    return groups[0] if len(groups) == 1 else ()


def spec_of(one: Found, schedule: Schedule | None = None) -> Spec:
    """What a state says, as a state of ours.

    Args:
        one: the state.
        schedule: the schedule of which it is to be. Without it the state must say that itself.

    Raises:
        SpecError: it is one of ours, and not valid.
        StateError: it is of another schedule, of no class that is known, or does not say enough.
        UnsaidSchedule: the schedule is code, and no schedule is given.
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
    if old.writer != "timm" and any(scale != 1 for scale in scales(one.groups)):
        raise StateError(
            f"the optimizer's param groups have scales, which {old.writer} has not applied and olm "
            "would: remove their `lr_scale` or `lr_mult`"
        )
    if old.schedule is None and schedule is None:
        raise UnsaidSchedule(
            f"{old.writer} does not save the schedule, which is code: a spec must say it; it "
            f"stands at step {old.last_epoch}"
        )
    document = schedule if old.schedule is None else parse(old.schedule).schedule
    assert document is not None
    bases = old.base_lrs or _uncounted(one.state, old.writer)
    check_rates(one.state, old, document, bases)
    position = {"last_epoch": old.last_epoch, "base_lrs": list(bases), "digest": digest(document)}
    return parse(document.model_dump(mode="json") | position)


def _uncounted(state: Mapping[str, Any], writer: str) -> tuple[float, ...]:
    """The base rates that a cycle of torch's has, and that count for nothing here.

    Raises:
        StateError: there are none, and they count.
    """
    while "base_lrs" not in state:
        if "_schedulers" not in state:
            raise StateError(
                f"{writer} does not save the base rates: load the state into a scheduler, or keep "
                "the configuration of the run beside it"
            )
        state = state["_schedulers"][0]
    return tuple(map(float, state["base_lrs"]))


def _is_new(value: Any, depth: int, met: dict[int, tuple[int, Any]]) -> bool:
    """Whether a value was not met so high up yet: what many places share is looked into once.

    `met` keeps the values, so that no other one gets the identity of a value that is gone.
    """
    before = met.get(id(value))
    if before is not None and before[0] <= depth:
        return False
    met[id(value)] = depth, value
    return True


def _states_of(
    value: Any,
    wanted: Callable[[Mapping[Any, Any]], bool],
    path: Path,
    met: dict[int, tuple[int, Any]],
) -> Iterator[Found]:
    if not _is_new(value, len(path), met):
        return
    if isinstance(value, str):
        value = _from_json(value)
    if isinstance(value, Mapping) and wanted(value):
        yield Found(path, value)
    elif len(path) < LEVELS:
        for key, inner in _items(value):
            yield from _states_of(inner, wanted, (*path, key), met)


def _items(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        yield from ((key if isinstance(key, int) else str(key), it) for key, it in value.items())
    elif isinstance(value, list | tuple):
        # There may be millions of numbers.
        yield from ((at, it) for at, it in enumerate(value) if not isinstance(it, int | float))


def _from_json(text: str) -> Any:
    """What is in a text that may be a state; a distributed checkpoint so keeps one in one piece."""
    if not ('"last_epoch"' in text or '"digest"' in text) or not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _param_groups(
    value: Any, levels: int, met: dict[int, tuple[int, Any]]
) -> Iterator[Sequence[Mapping[str, Any]]]:
    if not _is_new(value, LEVELS - levels, met):
        return
    groups = value.get("param_groups") if isinstance(value, Mapping) else None
    if isinstance(groups, list) and all(isinstance(group, Mapping) for group in groups):
        yield groups
    elif levels:
        for _, inner in _items(value):
            yield from _param_groups(inner, levels - 1, met)


def files_of(folder: FilePath) -> list[FilePath]:
    """What to read of a checkpoint that is a folder: files of schedulers, or the folder itself."""
    if (folder / ".metadata").is_file():
        return [folder]
    return sorted(path for path in folder.iterdir() if _FILES.fullmatch(path.name))
