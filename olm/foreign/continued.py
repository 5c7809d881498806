"""The state of a run whose schedule is code, by the configuration beside its checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from pathlib import Path as FilePath
from typing import Any

from olm.foreign.beside import answers, configuration_of, counters
from olm.foreign.checkpoints import Found, param_groups
from olm.foreign.configs._importing import Imported
from olm.foreign.states import Seen, read
from olm.foreign.states._reading import DRIFT, rates_in
from olm.problem import SpecError, StateError, dotted, listed, quantity
from olm.spec.begin import check_begin, documented, needed, state_at, updates_taken
from olm.spec.hyperparameters import LR
from olm.spec.rates import as_float, is_number
from olm.spec.spec import Spec

EXACT = 1e-9
"""How far, as a share, the base rates of a checkpoint may be from that of the configuration."""


@dataclass(frozen=True)
class Continued:
    """A state, and what it is from."""

    state: Spec
    writer: str
    """Whose checkpoint it is, and its configuration."""


@dataclass(frozen=True)
class _Position:
    """Where a run is, by its checkpoint."""

    step: int
    counter: str
    """What says so, such as ``last_epoch``."""
    bases: tuple[float, ...]
    rates: tuple[float, ...]
    """The rates that were set last; empty if they are unknown."""
    late: bool = False
    """Whether the rates may be those of the update before."""


def continued(
    checkpoint: FilePath,
    value: Any,
    found: Found | None,
    config: str | FilePath | None = None,
    options: Mapping[str, Any] | None = None,
) -> Continued:
    """The state of a run whose checkpoint has its step, and whose configuration the schedule.

    Args:
        checkpoint: its file or folder.
        value: the values in it.
        found: the state of its scheduler, if there is one.
        config: the configuration, if it is not beside the checkpoint.
        options: what the configuration does not say, as for `import_config`.

    Raises:
        OSError: the configuration cannot be read.
        SpecError: it cannot be said exactly.
        StateError: there is none, or it does not agree with the checkpoint.
        OlmError: an option is invalid, or the checkpoint has no step that can be taken.
    """
    given = {name: number for name, number in (options or {}).items() if number is not None}
    imported = _imported(checkpoint, value, config, answers(checkpoint, value) | given)
    spec = _in_steps(imported)
    position = _position(spec, checkpoint, value, found)
    updates_taken(position.step)
    _check_step(checkpoint, value, position)
    names, own = _own_numbers(spec, imported, position)
    check_begin(spec, position.step)
    state = state_at(spec, position.step, names, own)
    _check_rates(state, imported, position)
    return Continued(state, f"{imported.title}, with {imported.file}")


def _imported(
    checkpoint: FilePath, value: Any, config: str | FilePath | None, options: dict[str, Any]
) -> Imported:
    """The configuration; where its base rate depends on what it does not say, the checkpoint's."""
    try:
        return configuration_of(checkpoint, config, options)
    except SpecError as error:
        rates = {*_of(param_groups(value), f"initial_{LR}")}
        lacks = {problem.code for problem in error.problems}
        if lacks != {"needs-length"} or len(rates) != 1 or "learning_rate" in options:
            raise
    return configuration_of(checkpoint, config, {**options, "learning_rate": rates.pop()})


def _in_steps(imported: Imported) -> Spec:
    """The spec of a configuration in steps.

    Raises:
        StateError: the configuration and the checkpoint do not specify what counts its durations.
    """
    spec = imported.spec
    clock, waiting = spec.clock_for(), [duration for _, duration in spec.durations_there()]
    lacks = {clock.lacks(duration): duration for duration in waiting}
    missing = [f"`{name}`, for {duration}" for name, duration in lacks.items() if name]
    if missing:
        raise StateError(
            f"neither the checkpoint nor {imported.file} specifies {listed(missing, 'and')}: give "
            + listed((f"--{name.replace('_', '-')}" for name in lacks if name), "and")
        )
    return spec.resolve()


def _position(spec: Spec, checkpoint: FilePath, value: Any, found: Found | None) -> _Position:
    """Where a run is: by the state of its scheduler, else by what its trainer counts."""
    if found is not None:
        old = read(found.state, Seen(groups=found.groups))
        if old is None:
            raise StateError("this is the state of a scheduler of no class that is known")
        last = isinstance(found.state.get("_last_lr"), list | tuple)
        rates = rates_in(found.state, "_last_lr", Seen()) if last else _of(found.groups, LR)
        bases = old.base_lrs or _of(found.groups, f"initial_{LR}")
        place = f"{dotted(found.path)}.last_epoch".removeprefix(".")
        return _Position(old.last_epoch, place, bases, rates)
    groups = param_groups(value)
    bases, rates = _of(groups, f"initial_{LR}"), _of(groups, LR)
    for counter, step in counters(checkpoint, value):
        return _Position(step, counter, bases, rates)
    if isinstance(value, Mapping) and isinstance(value.get("epoch"), int) and "arch" in value:
        each = spec.clock and spec.clock.steps_per_epoch
        if each is None:
            raise StateError("timm saves the epoch, and the length of an epoch is not known: "
                             "give the steps per epoch")  # fmt: skip
        return _Position(int((value["epoch"] + 1) * each), "epoch", bases, rates, late=True)
    raise StateError("there is no state of a scheduler, and no count of the updates")


def _of(groups: Sequence[Mapping[str, Any]], key: str) -> tuple[float, ...]:
    """A number of each param group; empty if one of them lacks it."""
    numbers = [group.get(key) for group in groups]
    known = all(number is not None and is_number(number) for number in numbers)
    return tuple(map(as_float, numbers)) if known else ()


def _check_step(checkpoint: FilePath, value: Any, position: _Position) -> None:
    """That everything that counts the updates counts the same.

    Raises:
        StateError: it does not.
    """
    for counter, step in counters(checkpoint, value):
        if step != position.step:
            raise StateError(
                f"{position.counter} is {position.step:,}, and {counter} is {step:,}: the step of "
                "the run is not known"
            )


def _own_numbers(
    spec: Spec, imported: Imported, position: _Position
) -> tuple[list[str], list[dict[str, float]]]:
    """The param groups, and the own numbers of each.

    Raises:
        StateError: the base rates are unknown, or are not those of the configuration.
    """
    count = len(position.bases or position.rates) or 1
    if position.rates and len(position.rates) != count:
        rates = quantity(len(position.rates), "rate")
        raise StateError(f"the checkpoint has {quantity(count, 'base rate')} and {rates}")
    names = spec.group_names
    if len(names) != count:
        if names and spec.also:
            groups = quantity(count, "param group")
            raise StateError(f"the checkpoint has {groups}, and {imported.file} {len(names):,}")
        # The rules of the configuration may make any number of groups, such as one a parameter.
        names = [f"#{index}" for index in range(count)]
    own: list[dict[str, float]] = []
    for index, (name, keys) in enumerate(zip(names, needed(spec, names), strict=True)):
        wanted = {key: documented(spec, name, key) for key in keys}
        if position.bases:
            wanted[LR] = _agreed(imported, position.bases[index])
        unknown = [key for key in keys if wanted[key] is None]
        if unknown:
            missing = listed(unknown, "and")
            raise StateError(f"neither the checkpoint nor {imported.file} has {missing}")
        own.append({key: number for key, number in wanted.items() if number is not None})
    return names, own


def _agreed(imported: Imported, base: float) -> float:
    """The base rate of a param group, which must be one of the configuration."""
    spec = imported.spec
    known = [number for key, number in spec.optimizer if key == LR]
    known += [number for group in spec.param_groups for key, number in group.numbers if key == LR]
    if known and not any(isclose(base, lr, rel_tol=EXACT) for lr in known):
        keys = [key for key in imported.keys if key.rpartition(".")[2] in _RATES]
        where = f"`{keys[0]}` in {imported.file}" if keys else imported.file
        raise StateError(
            f"the base rate in the checkpoint is {base}, and {where} is {listed(map(str, known))}: "
            "this is the configuration of another run, or the param group has a rate of its own"
        )
    return base


_RATES = frozenset({"learning_rate", "lr", "lr_base", "base_lr", "BASE_LR", "warmup_max_lr"})


def _check_rates(state: Spec, imported: Imported, position: _Position) -> None:
    """That the schedule has the rates at that step which were set last.

    Raises:
        StateError: it has others.
    """
    if not position.rates:
        return
    steps = [position.step, *([position.step - 1] if position.late else [])]
    curves = [[*_rates_at(state, step)] for step in steps]
    small = 1e-12 * max((0.0, *position.rates, *(state.base_lrs or ())))
    for ours in curves:
        pairs = zip(ours, position.rates, strict=True)
        if all(isclose(a, b, rel_tol=DRIFT, abs_tol=small) for a, b in pairs):
            return
    theirs, at_step = (_distinct(each) for each in (position.rates, curves[0]))
    raise StateError(
        f"the checkpoint has the rate {theirs} at step {position.step:,}, where the schedule of "
        f"{imported.file} has {at_step}: this is the configuration of another run, or its program "
        "changes the rate"
    )


def _distinct(rates: Iterable[float]) -> str:
    return listed(map(str, dict.fromkeys(rates)), "and")


def _rates_at(state: Spec, step: int) -> Iterator[float]:
    bases = state.base_lrs or ()
    names: list[str | None] = [*state.group_names] or [None] * len(bases)
    for name, base in zip(names, bases, strict=True):
        yield state.of(LR, step, base=base, group=name) if state.also else state.lr(step, base)
