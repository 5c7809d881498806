"""A state and a scheduler: whether they are of one schedule, and what to do if not."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from operator import attrgetter
from typing import Any, Literal

from olm.problem import LISTED, OlmError, RateError, StateError, distinct, dotted, found, quantity
from olm.spec.batch_change import clock_differences, stages_instead
from olm.spec.differences import Difference, differences_in_steps
from olm.spec.memory import forgotten, remembered, remembered_targets
from olm.spec.param_groups import names_in_words
from olm.spec.spec import Spec
from olm.spec.targets import assign

OnChange = Literal["error", "checkpoint", "spec"]
"""What to do about a state of another schedule: refuse it, go on with it, or keep one's own."""

RATES = 4
"""How many rates of a step a message has."""

_ROUNDED = {"nearest": "to the nearest step", "up": "up", "down": "down"}

_log = logging.getLogger("olm")


def agreed(state: Spec, own: Spec, base_lrs: Sequence[float], on_change: OnChange) -> Spec:
    """The state to go on from: the given one or, with ``"spec"``, the same step of this spec.

    Raises:
        StateError: the number of param groups differs, or something else does and nobody chose a
            side.
    """
    if on_change not in ("error", "checkpoint", "spec"):
        raise OlmError(
            f'on_change must be "error", "checkpoint" or "spec", found {found(on_change)}'
        )
    position = {"last_epoch": state.last_epoch, "base_lrs": base_lrs}
    kept: dict[str, Any] = {"param_groups": own.param_groups, **own.origin, **position}
    live = Spec.trusted(own.schedule, also=own.also, **kept)
    if on_change != "spec":
        _check_groups(state, own, base_lrs)
    lines = _first_of([*_disagreements(state, live)])
    if lines or on_change == "spec":
        also = remembered_targets(own.also, state.also)
        live = Spec.trusted(remembered(own.schedule, state.schedule), also=also, **kept)
    if lines:
        lines += _from_here(state, live)
    if lines and on_change == "error":
        stages = stages_instead(state, live)
        raise StateError(
            "\n  ".join([f"this state is of {_what_differs(state, live)}", *lines])
            + '\nto go on with the checkpoint\'s: on_change="checkpoint"; '
            + f'with this one\'s, from step {state.last_epoch} on: on_change="spec"'
            + f"\n{stages}" * bool(stages)
        )
    if lines:
        _log.warning("on_change=%r: %s", on_change, "; ".join(lines))
    if on_change == "checkpoint":
        _check_names(state, own)
    return live if on_change == "spec" else state


def _check_groups(state: Spec, own: Spec, base_lrs: Sequence[float]) -> None:
    theirs = state.base_lrs or ()
    if len(theirs) != len(base_lrs):
        groups = f"{quantity(len(theirs), 'param group')}, this optimizer {len(base_lrs):,}"
        raise StateError(
            f"base_lrs: the checkpoint has {groups}{_groups_by_name(state, own)}; to go on with "
            f'this optimizer\'s, from step {state.last_epoch} on: on_change="spec"'
        )


def _groups_by_name(state: Spec, own: Spec) -> str:
    """The param groups that a state or an optimizer lacks, as far as they have names."""
    theirs, ours = state.group_names, own.group_names
    if not theirs:
        named = any(not name.startswith("#") for name in ours)
        return f" ({names_in_words(ours)})" if named else ""
    removed = [name for name in theirs if name not in ours]
    added = [name for name in ours if name not in theirs]
    parts = [
        f"only {side} has {names_in_words(names)}"
        for side, names in (("the checkpoint", removed), ("this optimizer", added))
        if names
    ]
    return f" ({'; '.join(parts)})" if parts else ""


def _check_names(state: Spec, own: Spec) -> None:
    """That the targets of a state find the param groups that they had."""
    if state.also and (lines := [*_other_groups(state, own)]):
        text = "\n  ".join(["the targets of this state are for other param groups", *lines])
        raise StateError(f'{text}\nto go on with this scheduler\'s: on_change="spec"')


def _other_groups(checkpoint: Spec, live: Spec) -> Iterator[str]:
    """The param groups that have other names in a state, where it has names."""
    if checkpoint.param_groups:
        theirs, ours = (spec.group_names for spec in (checkpoint, live))
        for index, (name, other) in enumerate(zip_longest(theirs, ours)):
            if name != other and ours:
                has = f"the checkpoint has {name or 'no such group'}"
                yield f"param_groups[{index}]: {has}, this optimizer {other or 'no such group'}"


def _first_of(lines: list[str]) -> list[str]:
    """As many as anybody reads."""
    more = [f"... and {len(lines) - LISTED:,} more"] if len(lines) > LISTED else []
    return lines[:LISTED] + more


def _what_differs(state: Spec, live: Spec) -> str:
    (*theirs, names), (*ours, others) = _as_specified(state), _as_specified(live)
    if state.base_lrs != live.base_lrs or theirs != ours:
        return "another schedule"
    if names != others:
        return "other param groups"
    return "a run of another length" + " or rounding" * (state.rounding != live.rounding)


def _as_specified(state: Spec) -> tuple[Any, ...]:
    """What a state has of the document that it is of, whatever the length of the run."""
    written = state.written
    targets = [target.with_curve(forgotten(target.curve)) for target in written.also]
    targets.sort(key=attrgetter("identity"))
    return forgotten(written.schedule), targets, state.also and state.param_groups


def _disagreements(checkpoint: Spec, live: Spec) -> Iterator[str]:
    """What two states do not have in common, a line a field; neither step nor memory is."""
    plans = [*clock_differences(checkpoint, live)]
    for name, theirs, ours in plans:
        yield f"{name}: the checkpoint has {theirs}, this run {ours}"
    for one in differences_in_steps(checkpoint, live):
        # What follows from another batch is not another difference.
        if one.memory or (plans and one.path[-1:] == ("per_step",)):
            continue
        if one.target and not one.path:
            side = "the checkpoint" if one.only_in == "a" else "this scheduler"
            yield f"{one.target}: only {side} has it"
            continue
        theirs, ours = one.a, one.b
        if isinstance(theirs, list) and isinstance(ours, list) and one.path[-1] != "per_step":
            noun = "param group" if one.path in (("base_lrs",), ("bases",)) else "item"
            theirs, ours = quantity(len(theirs), noun), f"{len(ours):,}"
            if one.path == ("base_lrs",) and not checkpoint.param_groups:
                ours += _groups_by_name(checkpoint, live)
        owner = "this optimizer" if one.path[0] == "bases" else "this scheduler"
        line = f"{_field(one, live)}: the checkpoint has {theirs}, {owner} {ours}"
        yield f"{line}{_as_written(one, checkpoint, live)}"
    yield from _other_groups(checkpoint, live)


def _field(one: Difference, live: Spec) -> str:
    """A field, after the target that has it; with the name of its group if it has one."""
    name = f"{one.target}: {dotted(one.path)}" if one.target else dotted(one.path)
    if one.path[0] != "bases" or len(one.path) == 1:
        return name
    index = _index_of(live, one.target)
    groups = live.group_names
    own = [] if index is None else assign(live.also, groups).groups_of(index)
    return f"{name} ({groups[own[int(one.path[1])]]})" if own else name


def _index_of(spec: Spec, label: str) -> int | None:
    return next((i for i, target in enumerate(spec.also) if target.label == label), None)


def _as_written(one: Difference, checkpoint: Spec, live: Spec) -> str:
    """What was written where the two have other numbers of steps."""

    def written(spec: Spec) -> str | None:
        index = _index_of(spec, one.target)
        path = one.path if index is None else ("also", index, *one.path)
        return dict(spec.durations).get(dotted(path))

    theirs, ours = written(checkpoint), written(live)
    if theirs == ours:
        if ours and checkpoint.rounding != live.rounding:
            there, here = (_ROUNDED[spec.rounding] for spec in (checkpoint, live))
            ours += f", rounded {there} there, {here} here"
        return f" ({ours})" if ours else ""
    return f" (written {theirs or 'in steps'} there, {ours or 'in steps'} here)"


def _from_here(state: Spec, live: Spec) -> Iterator[str]:
    """What the next numbers become, where they differ; nothing if one of them is not usable."""
    step = max((state.last_epoch or 0) + 1, 0)
    targets = bool(state.also or live.also)
    with suppress(RateError):
        before, after = (_numbers(spec, step, targets) for spec in (state, live))
        for label, theirs in before.items():
            if (ours := after.get(label, theirs)) != theirs:
                there, here = map(_shortened, distinct(theirs, ours))
                start = f"the {label} at step {step:,}: "
                yield f"{start}{there} by the checkpoint, {here} by this scheduler"


def _numbers(spec: Spec, step: int, targets: bool) -> dict[str, list[float]]:
    """The numbers of a step, by what they are of."""
    if not targets:
        return {"rate": spec.schedule.lr([step], spec.base_lrs or ()).tolist()}
    from olm.spec.target_curves import numbers_at

    return numbers_at(spec, step)


def _shortened(texts: list[str]) -> str:
    """The rates of a step, each once, as far as anybody reads on."""
    texts = list(dict.fromkeys(texts))
    return ", ".join([*texts[:RATES], *("…" for _ in texts[RATES:][:1])])
